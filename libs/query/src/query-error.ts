import { EdgeError, type ErrorCode } from '@edgesync/errors';

export type QueryErrorCode = Extract<ErrorCode, `query.${string}`>;

/** Where in a statement something is, counted from 1. A character is a UTF-16 unit, as in editors. */
export interface Place {
  readonly character: number;
  readonly line: number;
  readonly column: number;
}

/** The place of an offset (from 0) in a text. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { character: offset + 1, line: before.split('\n').length, column: offset - lineStart + 1 };
}

/** A statement that cannot run, and why. The message names the place in the statement if there is one. */
export class QueryError extends EdgeError {
  constructor(
    code: QueryErrorCode,
    /** The message without the place. */
    readonly detail: string,
    readonly place?: Place,
  ) {
    super(code, describe(code, detail, place));
  }
}

function describe(code: QueryErrorCode, detail: string, place: Place | undefined): string {
  if (!place) return detail;
  const where = `line ${place.line}, column ${place.column}`;
  return code === 'query.syntax'
    ? `syntax error at ${where} (character ${place.character}): ${detail}`
    : `${detail} (${where})`;
}
