import { EdgeError } from '@edgesync/errors';

export interface ByteRange {
  readonly start: number;
  /** The last byte, inclusive. */
  readonly end: number;
}

// Between two things there is one place for blanks: with two, a header full of them would take forever.
const RANGE = /^bytes\s*=\s*(?:(\d{1,15})\s*)?-\s*(?:(\d{1,15}))?$/i;

/**
 * Reads a `Range` header (RFC 9110, 14).
 * @returns undefined if the whole content is to be sent: no header, another unit, several ranges, or malformed
 * @throws EdgeError `request.range` if the range lies outside of the content
 */
export function readRange(header: string | undefined, length: number): ByteRange | undefined {
  const match = header === undefined ? null : RANGE.exec(header.trim());
  if (!match) return undefined;
  const [, first, last] = match;
  if (first === undefined)
    return last === undefined ? undefined : checked(Math.max(length - Number(last), 0), length - 1, length);
  const start = Number(first);
  const end = last === undefined ? length - 1 : Number(last);
  if (last !== undefined && end < start) return undefined;
  return checked(start, Math.min(end, length - 1), length);
}

function checked(start: number, end: number, length: number): ByteRange {
  if (start >= length || end < start) throw new EdgeError('request.range');
  return { start, end };
}
