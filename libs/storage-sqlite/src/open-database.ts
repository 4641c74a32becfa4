import { resolve } from 'node:path';
import type Database from 'better-sqlite3';
import type { IndexConfig, QueryLimitsConfig } from '@edgesync/config';
import type { IndexStatus } from '@edgesync/ports';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { HybridClock, sourceIdFromBytes } from '@edgesync/revision';
import { BlobFiles } from './blobs/blob-files.js';
import { BlobTable } from './blobs/blob-table.js';
import { bundlePaths, inspectBundle, type BundlePaths } from './bundle.js';
import { BundleLock } from './bundle-lock.js';
import { CheckpointTable } from './checkpoint-table.js';
import { ClockTable } from './clock-table.js';
import { Collections, shareCollections, type SharedCollections } from './collections.js';
import { openConnection, type Connection } from './connection.js';
import type { DatabaseIndexes } from './query/indexes/database-indexes.js';
import type { IndexBuilder, IndexBuilderParts } from './query/indexes/index-builder.js';
import { DiskState } from './disk-state.js';
import { DocumentCache } from './document-cache.js';
import { DocumentReader } from './document-reader.js';
import { DoneWrites } from './done-writes.js';
import { reasonOf, toStorageError } from './storage-error.js';
import { makeDirectory } from './files.js';
import { CollectionEntity } from './entities/collection.entity.js';
import { MetaEntity } from './entities/meta.entity.js';
import { GroupCommit, type CommitObserver } from './group-commit.js';
import {
  importBundle,
  needsImport,
  refuseUnreadable,
  type ImportProgress,
  type ImportReport,
} from './import/import-bundle.js';
import { loadUuid } from './identity.js';
import { quickCheck } from './integrity.js';
import { CACHED_CHARACTERS } from './tuning.js';
import { Upkeep } from './upkeep.js';
import { WritePath } from './write-path.js';

export interface DatabaseOptions {
  readonly name: string;
  /** The bundle directory; ends in `.cblite2`. */
  readonly path: string;
  /** Create the bundle, and listed collections, if they do not exist. */
  readonly create: boolean;
  /** Shared collections; undefined: every collection there is. */
  readonly collections?: SharedCollections;
  readonly placeholderUuid?: string;
  /** Keep superseded bodies for a while, as bases of deltas. */
  readonly keepSuperseded?: boolean;
  /** The indexes to keep for its statements, by name; others are dropped. Absent: none. */
  readonly indexes?: ReadonlyMap<string, IndexConfig>;
  /** Notified when the build of an index has ended. */
  readonly onIndex?: (status: IndexStatus) => void;
  /** Limits of its statements. Absent: the defaults of the configuration. */
  readonly queryLimits?: QueryLimitsConfig;
  /**
   * Called in every transaction right before it is committed; throws if this process may not write any more. For
   * owners whose right to a database can run out while they are suspended.
   */
  readonly checkOwnership?: () => void;
  /** Receives errors that no caller is waiting for. */
  readonly report?: (error: unknown) => void;
  /** Called with what the operator should know about the opening. */
  readonly warn?: (message: string) => void;
  /** Receives the outcome of write transactions. */
  readonly observer?: CommitObserver;
  /** Events of the import of a Couchbase Lite database at the path, before the database opens. */
  readonly onImport?: ImportObserver;
  /** Ends an import that is under way; it goes on at the next opening. */
  readonly signal?: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface ImportObserver {
  readonly progress: (progress: ImportProgress) => void;
  readonly done: (report: ImportReport) => void;
}

/** Parts of an open database. */
export interface DatabaseParts {
  readonly uuid: string;
  /** The SQLite file. */
  readonly file: string;
  /** Source ID of the versions minted here: the UUID's bytes (docs/protocol/revisions.md#sources). */
  readonly source: string;
  readonly clock: HybridClock;
  readonly lock: BundleLock;
  readonly connection: Connection;
  readonly collections: Collections;
  readonly commit: GroupCommit;
  readonly reader: DocumentReader;
  readonly writePath: WritePath;
  readonly doneWrites: DoneWrites;
  readonly checkpoints: CheckpointTable;
  readonly blobTable: BlobTable;
  readonly blobFiles: BlobFiles;
  readonly disk: DiskState;
  readonly upkeep: Upkeep;
  /** Undefined if no index was ever configured. */
  readonly indexes: DatabaseIndexes | undefined;
  readonly builder: IndexBuilder | undefined;
  readonly nowSeconds: () => number;
  readonly report: (error: unknown) => void;
}

/**
 * Opens a bundle: looks at it without touching it, claims it, opens the file, brings everything up.
 * @throws EdgeError `storage.*`, naming the path
 */
export async function openParts(options: DatabaseOptions): Promise<DatabaseParts> {
  try {
    return await open(options);
  } catch (error) {
    if (isEdgeError(error)) throw error;
    const { code, cause } = toStorageError(error);
    const fix = code === 'storage.full' ? '; free space on its file system' : '';
    throw new EdgeError(code, `${options.path} cannot be opened: ${reasonOf(cause ?? error)}${fix}`, { cause: error });
  }
}

async function open(options: DatabaseOptions): Promise<DatabaseParts> {
  const paths = bundlePaths(resolve(options.path));
  BundleLock.refuseIfHeldHere(paths);
  const toImport = needsImport(paths);
  if (toImport) refuseUnreadable(paths.directory);
  const exists = toImport || inspectBundle(paths);
  if (!exists && !options.create) throw new EdgeError('storage.missing', `there is no database at ${options.path}`);
  makeDirectory(paths.directory);
  const lock = BundleLock.acquire(paths);
  let connection: Connection | undefined;
  try {
    if (exists && !toImport) quickCheck(paths.database);
    lock.sign();
    if (toImport) {
      const { onImport, signal, now } = options;
      const report = await importBundle(paths.directory, paths, {
        ...(onImport && { onProgress: (progress) => onImport.progress(progress) }),
        ...(signal && { signal }),
        ...(now && { now }),
      });
      onImport?.done(report);
    }
    connection = await openConnection(paths);
    if (connection.exclusive)
      options.warn?.(`the disk of ${options.path} is full: writes fail until space is freed, backups until a restart`);
    return await assemble(options, paths, lock, connection);
  } catch (error) {
    await connection?.dataSource.destroy();
    lock.release();
    throw error;
  }
}

async function assemble(
  options: DatabaseOptions,
  paths: BundlePaths,
  lock: BundleLock,
  connection: Connection,
): Promise<DatabaseParts> {
  const { dataSource, handle } = connection;
  const now = options.now ?? Date.now;
  const nowSeconds = (): number => Math.floor(now() / 1_000);
  const uuid = await loadUuid(dataSource.getRepository(MetaEntity), options.placeholderUuid);
  const source = sourceIdFromBytes(Buffer.from(uuid, 'hex'));
  const rows = await shareCollections(dataSource.getRepository(CollectionEntity), options.collections, options.create);
  const report = options.report ?? (() => undefined);
  const collections = new Collections(handle, rows, options.name, report);
  const clockTable = new ClockTable(handle);
  const clock = new HybridClock(clockTable.load());
  const blobFiles = new BlobFiles(paths);
  blobFiles.prepare();
  const blobTable = new BlobTable(handle);
  blobTable.removeUnknown(blobFiles);
  const cache = new DocumentCache(CACHED_CHARACTERS);
  const reader = new DocumentReader(handle, cache, nowSeconds);
  const indexes = await openIndexes(handle, options.indexes, collections);
  const writePath = new WritePath(handle, blobTable, {
    cache,
    nowSeconds,
    mintVersion: () => `${clock.nextAt(now())}@${source}`,
    keepSuperseded: options.keepSuperseded ?? false,
    ...(indexes && { indexes }),
    countPurged: (id) => collections.countPurged(id),
  });
  const disk = new DiskState(paths.directory, () => blobTable.totalBytes());
  const commit = new GroupCommit(handle, {
    beforeCommit: () => {
      collections.save();
      clockTable.save(clock.last);
      options.checkOwnership?.();
    },
    committed: () => {
      indexes?.keep();
      collections.keep();
      disk.committed();
    },
    rolledBack: () => {
      indexes?.restore();
      collections.restore();
    },
    failed: (error) => disk.failed(error),
    observer: options.observer,
  });
  const checkpoints = new CheckpointTable(handle);
  const doneWrites = new DoneWrites(handle, nowSeconds);
  const upkeep = new Upkeep({ commit, writePath, doneWrites, reader, blobTable, blobFiles, nowSeconds, report });
  upkeep.start();
  const builder = indexes && (await startBuilding(indexes, { handle, commit, report }, options.onIndex));
  return {
    uuid,
    file: paths.database,
    source,
    clock,
    lock,
    connection,
    collections,
    commit,
    reader,
    writePath,
    doneWrites,
    checkpoints,
    blobTable,
    blobFiles,
    disk,
    upkeep,
    indexes,
    builder,
    nowSeconds,
    report,
  };
}

/** Without indexes nothing of what keeps them is loaded. */
async function openIndexes(
  handle: Database.Database,
  configs: ReadonlyMap<string, IndexConfig> = new Map(),
  collections: Collections,
): Promise<DatabaseIndexes | undefined> {
  const hasIndexes = handle.prepare('SELECT EXISTS (SELECT 1 FROM indexes)').pluck().get() !== 0;
  if (configs.size === 0 && !hasIndexes) return undefined;
  const { DatabaseIndexes } = await import('./query/indexes/database-indexes.js');
  const hasText = [...configs.values()].some(({ type }) => type === 'fulltext');
  const { openTextTable } = hasText ? await import('./query/indexes/text-table.js') : {};
  return new DatabaseIndexes(handle, configs, collections, openTextTable);
}

async function startBuilding(
  indexes: DatabaseIndexes,
  parts: Pick<IndexBuilderParts, 'handle' | 'commit' | 'report'>,
  onIndex: DatabaseOptions['onIndex'] = () => undefined,
): Promise<IndexBuilder> {
  const { IndexBuilder } = await import('./query/indexes/index-builder.js');
  const builder = new IndexBuilder({ ...parts, indexes, built: (index) => onIndex(indexes.statusOf(index)) });
  void builder.run();
  return builder;
}
