/** A blob at rest. */
export interface BlobInfo {
  /** `sha1-` and the padded base64 of the SHA-1 of the content (docs/protocol/blobs-and-deltas.md#blobs). */
  readonly digest: string;
  /** Bytes. */
  readonly length: number;
}

export interface BlobContent extends BlobInfo {
  /** Streams the content, or the bytes from `start` up to and including `end`. */
  read(range?: { start: number; end: number }): AsyncIterable<Uint8Array>;
}

export interface BlobStore {
  /**
   * Stores content and resolves when it is durable. Content that no document refers to is collected after a grace
   * period. With `expected` the content is checked and refused on a mismatch.
   * @throws EdgeError `blob.invalid`, `blob.too-large` (more than `limit` bytes), `storage.*`
   */
  putBlob(
    database: string,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options?: { readonly expected?: Partial<BlobInfo>; readonly limit?: number },
  ): Promise<BlobInfo>;
  openBlob(database: string, digest: string): Promise<BlobContent | undefined>;
  /** Those of `digests` that are not stored. Stored ones are kept for another grace period. */
  missingBlobs(database: string, digests: readonly string[]): Promise<readonly string[]>;
}
