import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { BLOB_DIRECTORY, BundleError, DATABASE_FILE, LOG_FILE } from '@edgesync/cblite';
import { EdgeError } from '@edgesync/errors';
import { bundlePaths, hasContent, inspectBundle, type BundlePaths } from '../bundle.js';
import { BundleLock, type BundleHolder } from '../bundle-lock.js';
import { refuseNewer } from '../connection.js';
import { UUID_KEY } from '../identity.js';
import { copyBundleFile, CouchbaseLiteBundle } from '../import/couchbase-lite-bundle.js';
import { needsImport, refuseUnreadable } from '../import/import-bundle.js';
import { FLAG_DELETED } from '../rows.js';
import { reasonOf, toStorageError } from '../storage-error.js';

/** Facts about a database directory. Sizes are in bytes. */
export interface BundleFacts {
  readonly kind: 'edgesync' | 'couchbase-lite';
  /** 32 hex digits; absent before the first opening. */
  readonly uuid?: string;
  /** The last step of our schema, or the schema number and generation of Couchbase Lite. */
  readonly version: string;
  readonly fileBytes: number;
  /** The write-ahead log. */
  readonly logBytes: number;
  /** Bytes of the file that compacting gives back. */
  readonly freeBytes?: number;
  readonly blobs: number;
  readonly blobBytes: number;
  readonly collections: readonly CollectionFacts[];
  /** The process that has the database open. */
  readonly holder?: BundleHolder;
}

export interface CollectionFacts {
  /** `scope.collection` */
  readonly name: string;
  readonly documents: number;
  readonly tombstones: number;
  readonly lastSequence: number;
}

/**
 * Describes a database of ours, also while another process has it open, or a Couchbase Lite bundle.
 * @throws EdgeError `storage.*`
 */
export function describeBundle(path: string): BundleFacts {
  const paths = bundlePaths(resolve(path));
  try {
    BundleLock.refuseIfHeldHere(paths);
    if (needsImport(paths)) return describeCouchbaseLite(paths);
    if (!inspectBundle(paths)) throw new EdgeError('storage.missing', `there is no database at ${path}`);
    return describeOwn(paths);
  } catch (error) {
    if (error instanceof EdgeError) throw error;
    const code = error instanceof BundleError ? 'storage.corrupt' : toStorageError(error).code;
    throw new EdgeError(code, `${path}: ${reasonOf(error)}`, { cause: error });
  }
}

function describeOwn(paths: BundlePaths): BundleFacts {
  const log = `${paths.database}-wal`;
  const [fileBytes, logBytes] = [sizeOf(paths.database), sizeOf(log)];
  const handle = new Database(paths.database, { fileMustExist: true, readonly: hasContent(log), timeout: 2_000 });
  try {
    handle.pragma('query_only = ON');
    refuseNewer(handle, paths.database);
    const value = (sql: string): unknown => handle.prepare(sql).pluck().get();
    const uuid = value(`SELECT value FROM meta WHERE key = '${UUID_KEY}'`) as string | undefined;
    const holder = BundleLock.holderOf(paths);
    const blobs = handle.prepare('SELECT count(*) AS blobs, coalesce(sum(length), 0) AS blobBytes FROM blobs').get();
    return {
      kind: 'edgesync',
      ...(uuid !== undefined && { uuid }),
      version: value('SELECT name FROM migrations ORDER BY id DESC LIMIT 1') as string,
      fileBytes,
      logBytes,
      freeBytes:
        (handle.pragma('freelist_count', { simple: true }) as number) *
        (handle.pragma('page_size', { simple: true }) as number),
      ...(blobs as { blobs: number; blobBytes: number }),
      collections: handle
        .prepare(
          `SELECT scope || '.' || name AS name, live AS documents, last_sequence AS lastSequence,
             (SELECT count(*) FROM documents WHERE collection = collections.id AND flags & ${FLAG_DELETED} <> 0) AS tombstones
           FROM collections ORDER BY scope, name`,
        )
        .all() as CollectionFacts[],
      ...(holder && { holder }),
    };
  } finally {
    handle.close();
  }
}

/** Reads a copy: SQLite leaves files beside a database that it reads. */
function describeCouchbaseLite({ directory }: BundlePaths): BundleFacts {
  refuseUnreadable(directory);
  const temporary = mkdtempSync(join(tmpdir(), 'edgesync-info-'));
  const copy = join(temporary, DATABASE_FILE);
  let bundle: CouchbaseLiteBundle | undefined;
  try {
    copyBundleFile(directory, copy);
    bundle = new CouchbaseLiteBundle(directory, copy);
    const attachments = join(directory, BLOB_DIRECTORY);
    const files = existsSync(attachments) ? readdirSync(attachments).filter((name) => name.endsWith('.blob')) : [];
    return {
      kind: 'couchbase-lite',
      ...bundle.describe(),
      fileBytes: sizeOf(join(directory, DATABASE_FILE)),
      logBytes: sizeOf(join(directory, LOG_FILE)),
      blobs: files.length,
      blobBytes: files.reduce((sum, name) => sum + sizeOf(join(attachments, name)), 0),
    };
  } finally {
    bundle?.close();
    rmSync(temporary, { recursive: true, force: true });
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
