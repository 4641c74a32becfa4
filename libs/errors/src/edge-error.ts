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
 * The message of an error, followed by those of its causes: why storage failed, or a server is not there. Without stacks,
 * so for errors that are foreseen.
 */
export function explain(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error, depth = 0; cause !== undefined && depth < MAX_CAUSES; depth++) {
    const message = cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : 'unknown error';
    if (!messages.some((known) => known.includes(message))) messages.push(message);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return messages.join(': ');
}

const MAX_CAUSES = 8;

/** Whether `error` is an {@link EdgeError}, optionally of one given code. */
export function isEdgeError(error: unknown, code?: ErrorCode): error is EdgeError {
  return error instanceof EdgeError && (code === undefined || error.code === code);
}
