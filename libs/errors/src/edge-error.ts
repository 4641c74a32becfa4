import { CATALOGUE, type CatalogueEntry, type ErrorCode } from './catalogue.js';

/** A fault from the catalogue. `message` is the reason shown to the caller: it never holds bodies or secrets. */
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

  /** HTTP status of the fault. */
  get status(): number {
    return this.entry.http;
  }
}

/** Whether `error` is an {@link EdgeError}, optionally of one given code. */
export function isEdgeError(error: unknown, code?: ErrorCode): error is EdgeError {
  return error instanceof EdgeError && (code === undefined || error.code === code);
}
