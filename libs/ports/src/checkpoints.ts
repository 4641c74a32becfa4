import type { Keyspace } from '@edgesync/document';
import type { WriteOptions } from './documents.js';

/** A peer's note of how far it came. The body is opaque: bytes in, the same bytes out. */
export interface Checkpoint {
  /** Counts the saves: `0-N`. */
  readonly rev: string;
  /** JSON text as received. */
  readonly body: string;
}

export interface Checkpoints {
  loadCheckpoint(keyspace: Keyspace, client: string): Promise<Checkpoint | undefined>;
  /**
   * Replaces the checkpoint whose revision is `rev` ('' = there is none). Durable when it resolves.
   * @returns the new revision
   * @throws EdgeError `checkpoint.conflict`
   */
  saveCheckpoint(
    keyspace: Keyspace,
    client: string,
    rev: string,
    body: string,
    options?: WriteOptions,
  ): Promise<string>;
}
