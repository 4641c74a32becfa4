import type { Keyspace } from '@edgesync/document';

/** One served collection. */
export interface CollectionInfo {
  readonly scope: string;
  readonly collection: string;
  /** Live documents: neither deleted nor expired. */
  readonly documents: number;
  /** The last sequence given out, 0 for a collection never written. */
  readonly lastSequence: number;
}

/** One open database. */
export interface DatabaseInfo {
  readonly name: string;
  /** The bundle directory. */
  readonly path: string;
  /** Public UUID: 32 lower-case hex digits. */
  readonly uuid: string;
  /** Source ID of the versions this database mints (docs/protocol/revisions.md#sources). */
  readonly source: string;
  /** The latest time its clock gave out, in hex; '0' if none. No clock that is right is before it. */
  readonly clock: string;
  readonly collections: readonly CollectionInfo[];
  /** Why no write can succeed now. Absent while nothing is known that prevents writes. */
  readonly writeObstacle?: 'storage.full' | 'storage.read-only';
}

/** Databases and collections that are served. Only shared collections are visible through any port. */
export interface DatabaseCatalog {
  /** Names of the open databases, sorted. */
  databases(): Promise<readonly string[]>;
  /** @throws EdgeError `keyspace.unknown` */
  describe(database: string): Promise<DatabaseInfo>;
  /** @throws EdgeError `keyspace.unknown` */
  collection(keyspace: Keyspace): Promise<CollectionInfo>;
}
