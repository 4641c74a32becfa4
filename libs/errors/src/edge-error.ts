import { CATALOGUE, RETRY_AFTER, type CatalogueEntry, type ErrorCode } from './catalogue.js';

/** An error from the catalogue. `message` is the reason shown to the caller: it never holds bodies or secrets. */
export class EdgeError extends Error {
  override readonly name = 'EdgeError';

  constructor(
    readonly code: ErrorCode,
    reason?: string,
    options?: { cause?: unknown },
  ) {
    super(reason ?? CATALOGUE[code].reason, options);
  }

  get entry(): CatalogueEntry {
    return CATALOGUE[this.code];
  }

  /** HTTP status of the error. */
  get status(): number {
    return this.entry.http;
  }

  /** Seconds after which the same request may succeed; undefined if waiting does not help. */
  get retryAfter(): number | undefined {
    const { http, retryAfter = http === 503 || http === 429 ? RETRY_AFTER : undefined } = this.entry;
    return retryAfter;
  }

  /** Whether this is something that happens to a sound server: nothing in its code needs a look. */
  get isExpected(): boolean {
    return this.status !== 500;
  }
}

/**
 * The message of an error, followed by those of its causes: why storage failed, or a server is not there. Codes such as
 * `EMFILE` are named. Without stacks, so for errors that are foreseen.
 */
export function explain(error: unknown): string {
  const messages: string[] = [];
  const pending: unknown[] = [error];
  for (let count = 0; pending.length > 0 && count < MAX_CAUSES; count++) {
    const cause = pending.shift();
    const message = wordsOf(cause);
    if (message !== '' && !messages.some((known) => known.includes(message))) messages.push(message);
    if (cause instanceof AggregateError) pending.push(...(cause.errors as unknown[]));
    if (cause instanceof Error && cause.cause !== undefined) pending.push(cause.cause);
  }
  return messages.join(': ');
}

const MAX_CAUSES = 8;

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : 'unknown error';
  const { code } = error as { code?: unknown };
  const named = error instanceof EdgeError || typeof code !== 'string' || error.message.includes(code);
  if (named) return error.message;
  return error.message === '' ? code : `${error.message} (${code})`;
}

/** Whether `error` is an {@link EdgeError}, optionally of one given code. */
export function isEdgeError(error: unknown, code?: ErrorCode): error is EdgeError {
  return error instanceof EdgeError && (code === undefined || error.code === code);
}
