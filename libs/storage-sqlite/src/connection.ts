import type Database from 'better-sqlite3';
import { DataSource } from 'typeorm';
import { EdgeError } from '@edgesync/errors';
import { APPLICATION_ID, type BundlePaths } from './bundle.js';
import { CollectionEntity } from './entities/collection.entity.js';
import { MetaEntity } from './entities/meta.entity.js';
import { makeFile } from './files.js';
import { Initial1790000000000 } from './migrations/0001-initial.js';
import { DoneWrites1790000000001 } from './migrations/0002-done-writes.js';
import { Indexes1790000000002 } from './migrations/0003-indexes.js';
import { errorCode } from './storage-error.js';

/** The database file as TypeORM opened it, and the driver's own handle for the hot path. */
export interface Connection {
  readonly dataSource: DataSource;
  readonly handle: Database.Database;
  /** The disk is full: no other connection can be made to this file, not even by a backup. */
  readonly exclusive: boolean;
}

/** Page cache of one database, in KiB. */
const CACHE_KIB = 16_384;
/**
 * The write-ahead log is folded into the file when it has grown by this many pages. That happens inside some commit: at
 * 1,000 it adds some 5 ms to it, at 4,000 some 20 ms, and throughput is the same.
 */
const CHECKPOINT_PAGES = 1_000;
/** Size of the write-ahead log on disk after an unusually large transaction, in bytes. */
const LOG_BYTES = 64 * 1_024 * 1_024;

const MIGRATIONS = [Initial1790000000000, DoneWrites1790000000001, Indexes1790000000002];

/**
 * Opens (or creates) the database file and brings its schema up to date. On a full disk there may be no room for the file
 * that connections share to read the log. The connection is exclusive then and needs none: reads work, and writes as soon
 * as there is space.
 */
export async function openConnection(paths: BundlePaths): Promise<Connection> {
  makeFile(paths.database);
  try {
    return await openWith(paths, false);
  } catch (error) {
    if (errorCode(error) !== 'SQLITE_IOERR_SHMSIZE') throw error;
    return openWith(paths, true);
  }
}

async function openWith(paths: BundlePaths, exclusive: boolean): Promise<Connection> {
  let handle!: Database.Database;
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database: paths.database,
    entities: [MetaEntity, CollectionEntity],
    migrations: MIGRATIONS,
    // Nobody may wait for a lock on the thread that serves requests: the write queue tries again by timer.
    timeout: 0,
    prepareDatabase: (opened: Database.Database) => {
      handle = opened;
      try {
        configure(handle, exclusive);
      } catch (error) {
        // TypeORM forgets a handle that could not be prepared; its locks would stay.
        handle.close();
        throw error;
      }
    },
  });
  await dataSource.initialize();
  try {
    refuseNewer(handle, paths.database);
    await dataSource.runMigrations({ transaction: 'each' });
    return { dataSource, handle, exclusive };
  } catch (error) {
    await dataSource.destroy();
    throw error;
  }
}

/** @throws EdgeError `storage.foreign` if the schema has steps that this version does not know */
export function refuseNewer(handle: Database.Database, file: string): void {
  if (handle.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'migrations'`).get() === undefined) return;
  const applied = handle.prepare('SELECT name FROM migrations').pluck().all() as string[];
  const known = MIGRATIONS.map(({ name }) => name);
  if (!applied.every((name) => known.includes(name)))
    throw new EdgeError('storage.foreign', `${file} was written by a newer version of edgesync`);
}

function configure(handle: Database.Database, exclusive: boolean): void {
  if (exclusive) handle.pragma('locking_mode = EXCLUSIVE');
  // Before the log is switched on, so that the mark always stands in the main file.
  if (handle.pragma('application_id', { simple: true }) !== APPLICATION_ID)
    handle.pragma(`application_id = ${APPLICATION_ID}`);
  handle.pragma('journal_mode = WAL');
  handle.pragma('synchronous = FULL');
  handle.pragma('foreign_keys = OFF');
  handle.pragma(`cache_size = -${CACHE_KIB}`);
  handle.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  handle.pragma(`journal_size_limit = ${LOG_BYTES}`);
  handle.pragma('temp_store = MEMORY');
}
