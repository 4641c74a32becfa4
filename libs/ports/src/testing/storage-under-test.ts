import type { IndexConfig } from '@edgesync/config';
import type { CollectionName, Keyspace } from '@edgesync/document';
import type { Storage } from '../index.js';

/** The storage that a suite gets: one new, empty database. */
export interface StorageSetup {
  readonly database: string;
  readonly collections: readonly CollectionName[];
  /** Indexes of the configuration. Absent: those that the owner likes to have. */
  readonly indexes?: ReadonlyMap<string, IndexConfig>;
  /** Where the owner's clock stands, in Unix seconds. It moves by {@link StorageUnderTest.advance} only. */
  readonly startSeconds: number;
}

/** A storage and the handles by which a suite works it. */
export interface StorageUnderTest {
  /** The port; another one after {@link reopen}. */
  readonly storage: Storage;
  /** Moves the owner's clock. */
  advance(seconds: number): void;
  /** Has the owner give space back now: expired documents, superseded bodies, orphaned blobs. */
  sweep(): Promise<void>;
  /** Ends the owner and starts it again on the same files. */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export type OpenStorage = (setup: StorageSetup) => Promise<StorageUnderTest>;

export const DATABASE = 'plant';
export const START_SECONDS = 1_800_000_000;

/** Where most tests write. */
export const SENSORS: Keyspace = { database: DATABASE, scope: 'line1', collection: 'sensors' };
/** A second collection of the same database. */
export const DEFAULT: Keyspace = { database: DATABASE, scope: '_default', collection: '_default' };

export const SETUP: StorageSetup = {
  database: DATABASE,
  collections: [SENSORS, DEFAULT].map(({ scope, collection }) => ({ scope, collection })),
  startSeconds: START_SECONDS,
};
