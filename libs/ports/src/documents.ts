import type { ErrorCode } from '@edgesync/errors';
import type { Keyspace } from '@edgesync/document';

/** A stored revision. Strings are passed on as stored: nothing in here has been parsed. */
export interface StoredRevision {
  readonly id: string;
  readonly sequence: number;
  /** Rev-tree ID, such as `2-ab…`. */
  readonly rev: string;
  /** Whole version vector in wire form, current version first (docs/protocol/revisions.md#vector-text). */
  readonly vector: string;
  /** The document's rev tree in the text form of `@edgesync/revision`. */
  readonly tree: string;
  readonly deleted: boolean;
  /** Unix seconds from which on the document does not exist any more. */
  readonly expiresAt?: number;
  /** Compact JSON of the properties, without metadata. `{}` for a tombstone without properties. Absent if not asked for. */
  readonly body?: string;
}

/** A stored revision with its body. */
export interface DocumentRevision extends StoredRevision {
  readonly body: string;
}

export interface ReadOptions {
  /** Whether to load bodies. Default true. */
  readonly body?: boolean;
}

export interface WithBodies extends ReadOptions {
  readonly body?: true;
}

export const hasBody = (revision: StoredRevision): revision is DocumentRevision => revision.body !== undefined;

/** A page of documents in binary order of their IDs. Deleted and expired documents are left out. */
export interface ListOptions extends ReadOptions {
  /** Inclusive bounds. With `descending` the start is the upper one. */
  readonly startKey?: string;
  readonly endKey?: string;
  readonly descending?: boolean;
  /** Continue strictly after this ID, in the direction of the listing. */
  readonly after?: string;
  readonly skip?: number;
  readonly limit: number;
}

/** A page may be cut short of `limit` although `more` rows follow: it goes on `after` its last row. */
export interface ListPage {
  readonly rows: readonly StoredRevision[];
  /** Whether rows follow the last one of this page. */
  readonly more: boolean;
}

/** A change made here: the server mints the revision ID and the version. */
export interface EditRequest {
  readonly type: 'edit';
  readonly keyspace: Keyspace;
  readonly id: string;
  /**
   * The revision being replaced: a rev-tree ID or a version. Absent: the document must not exist or be a tombstone.
   * Named but the document does not exist: `missing`. Named and not current: `conflict`.
   */
  readonly expect?: string;
  readonly deleted: boolean;
  /** Compact JSON object, checked, without metadata. */
  readonly body: string;
  /** Unix seconds; absent keeps the deadline there is. */
  readonly expiresAt?: number;
}

/** A revision made elsewhere, stored under the ID it has. */
export interface RevisionRequest {
  readonly type: 'revision';
  readonly keyspace: Keyspace;
  readonly id: string;
  /** Rev-tree ID or bare current version. */
  readonly rev: string;
  /**
   * The `history` text of a `rev` message (docs/protocol/replication.md#rev,
   * docs/protocol/revisions.md#vectors-on-messages): for a rev-tree ID the ancestors newest first, joined by commas;
   * for a version the rest of the vector and any legacy IDs. '' if there is none.
   */
  readonly history: string;
  /** The `deleted_branch` text of a `rev` message (docs/protocol/replication.md#rev). */
  readonly closedBranch?: string;
  readonly deleted: boolean;
  readonly body: string;
  /**
   * The treatment of a revision that does not descend from the current one. `refuse`: it is not stored and the result is
   * `conflict`. `branch`: it is stored beside it and the winner is chosen by rule (REST `new_edits: false`).
   * `resolve`: one side wins by the documented rule (docs/protocol/edge-server.md#conflicts) and is made a descendant
   * of the other.
   */
  readonly onConflict: 'refuse' | 'branch' | 'resolve';
}

/**
 * Removes a document as if it had never been here: no tombstone, no sequence, no notification. What a peer takes away
 * from us is removed so (docs/protocol/replication.md#revocations-and-removals).
 */
export interface PurgeRequest {
  readonly type: 'purge';
  readonly keyspace: Keyspace;
  readonly id: string;
}

export type WriteRequest = EditRequest | RevisionRequest | PurgeRequest;

/** The revision of a request, which need not be the document's current one. */
export interface WrittenRevision {
  readonly id: string;
  /** Its rev-tree ID. A version that was known already, or that lost a conflict, has none: then the version itself. */
  readonly rev: string;
  /** The document's version vector if this is its current revision. */
  readonly vector?: string;
  /** The document's. */
  readonly sequence: number;
}

/** Results are parallel to the requests. Anything but `stored` changed nothing. */
export type WriteResult =
  | (WrittenRevision & {
      readonly status: 'stored';
      /** Set if `resolve` met a conflict: whose content won. */
      readonly resolved?: 'local' | 'remote';
    })
  /** The revision was there already. */
  | (WrittenRevision & { readonly status: 'known' })
  /** The current revision, which the request did not build on. */
  | {
      readonly status: 'conflict';
      readonly id: string;
      readonly rev: string;
      readonly vector: string;
      readonly deleted: boolean;
    }
  | { readonly status: 'purged'; readonly id: string }
  /** Update, deletion or purge of a document that does not exist (`deleted`: is a tombstone). */
  | { readonly status: 'missing'; readonly id: string; readonly deleted: boolean }
  /** The request is at fault: bad ID or history, a blob that is not stored. */
  | { readonly status: 'refused'; readonly id: string; readonly code: ErrorCode; readonly reason: string };

/** How a write is done. */
export interface WriteOptions {
  /**
   * Names the write, unmistakably. If one of that name was committed in the last minutes, nothing is done and its
   * outcome is returned: a caller that does not know whether a write arrived repeats it under the same key.
   */
  readonly idempotencyKey?: string;
}

/** Documents of the open databases. Every method throws EdgeError `keyspace.unknown` or a `storage.*` fault. */
export interface DocumentStore {
  /** Current revisions, parallel to `ids`; tombstones included, expired documents not. */
  read(
    keyspace: Keyspace,
    ids: readonly string[],
    options?: WithBodies,
  ): Promise<readonly (DocumentRevision | undefined)[]>;
  read(
    keyspace: Keyspace,
    ids: readonly string[],
    options?: ReadOptions,
  ): Promise<readonly (StoredRevision | undefined)[]>;
  /**
   * The body of one revision by rev-tree ID or version, current or superseded, if it is still stored.
   * `sequence`, `vector` and `tree` are those of the document.
   */
  readRevision(keyspace: Keyspace, id: string, rev: string): Promise<DocumentRevision | undefined>;
  list(keyspace: Keyspace, options: ListOptions): Promise<ListPage>;
  /**
   * Applies the requests in order, in one transaction; resolves when they are durable. A failed request is skipped,
   * the others commit together. All keyspaces must be of `database`.
   */
  write(database: string, requests: readonly WriteRequest[], options?: WriteOptions): Promise<readonly WriteResult[]>;
}
