import type { Keyspace } from '@edgesync/document';
import type { ReadOptions, StoredRevision } from './documents.js';

export interface ChangesOptions extends ReadOptions {
  /** Rows strictly after this sequence (before it when descending). */
  readonly since: number;
  readonly limit: number;
  readonly descending?: boolean;
  /** Leave tombstones out. */
  readonly activeOnly?: boolean;
  /** Only these documents. */
  readonly ids?: readonly string[];
  /** Bodies may come in UTF-8: the reader passes them on, and storage may hold them so. */
  readonly utf8?: boolean;
  /** A reader that takes page after page: remote storage may read ahead for it, and keeps those pages for it alone. */
  readonly reader?: object;
}

export interface ChangeRow extends Omit<StoredRevision, 'body'> {
  /**
   * As in a stored revision. In UTF-8 only if {@link ChangesOptions.utf8} allows it: then it is part of a page's memory
   * and not to be changed.
   */
  readonly body?: string | Uint8Array;
  /** Size of the body in bytes, approximately. */
  readonly bodySize: number;
  /** Whether a body of the document refers to blobs; absent if storage does not say. */
  readonly blobs?: boolean;
}

/**
 * One page of the log: each document once, at its latest sequence, in order of sequence. A page may be cut short of
 * `limit`, even empty, although `more` rows follow: then it goes on after `scanned`.
 */
export interface ChangePage {
  readonly rows: readonly ChangeRow[];
  /** The last sequence this page looked at: where the next page goes on. Equals `since` if there was nothing. */
  readonly scanned: number;
  /** Whether rows may follow `scanned`. */
  readonly more: boolean;
  /** The collection's last sequence at the time of reading. */
  readonly lastSequence: number;
}

/** The doorbell: something up to `sequence` was committed. It may be lost or repeated; the log is the truth. */
export interface ChangedEvent {
  readonly keyspace: Keyspace;
  readonly sequence: number;
}

export interface ChangeLog {
  /** @throws EdgeError `keyspace.unknown` */
  changes(keyspace: Keyspace, options: ChangesOptions): Promise<ChangePage>;
  /** Calls `listener` after every commit that touched the keyspace, until the returned function is called. */
  watch(keyspace: Keyspace, listener: (event: ChangedEvent) => void): () => void;
}
