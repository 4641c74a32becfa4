/** Why a bundle, or one document of it, cannot be read. */
export type BundleProblem =
  /** Bytes that no Couchbase Lite wrote. */
  | 'damaged'
  /** Not a Couchbase Lite database at all. */
  | 'foreign'
  | 'encrypted'
  | 'too-old'
  | 'too-new'
  /** Valid, but without an equal here: a number that JSON lacks, nesting beyond our limit. */
  | 'unsupported';

export class BundleError extends Error {
  override readonly name = 'BundleError';

  constructor(
    readonly problem: BundleProblem,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const damaged = (message: string): BundleError => new BundleError('damaged', message);
