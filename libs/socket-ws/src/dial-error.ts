/** A connection that did not come about. */
export class DialError extends Error {
  override readonly name = 'DialError';

  constructor(
    message: string,
    /** Status of the HTTP answer, if there was one. */
    readonly status: number | undefined,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
