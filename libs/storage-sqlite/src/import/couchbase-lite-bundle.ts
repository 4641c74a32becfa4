import { closeSync, copyFileSync, constants, openSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import {
  BLOB_DIRECTORY,
  blobFileName,
  BundleError,
  checkHeader,
  checkSchema,
  DATABASE_FILE,
  findCollections,
  FleeceReader,
  HEADER_BYTES,
  LOG_FILE,
  NO_SHARED_KEYS,
  SharedKeys,
  sourceText,
  type BundleContext,
  type CollectionTables,
  type DocumentRow,
} from '@edgesync/cblite';
import { hasContent } from '../bundle.js';
import { errorCode } from '../storage-error.js';

/** Files up to this size are checked page by page before they are imported, in bytes. */
const QUICK_CHECK_BYTES = 512 * 1024 * 1024;

/** A row of a document table, where it lies, and when it expires. */
export interface BundleRow extends DocumentRow {
  readonly row: number;
  /** Milliseconds since the epoch. */
  readonly expiration: number | null;
}

/** Checkpoints that a peer stored here as on a server. */
export interface PeerCheckpoint {
  readonly client: string;
  readonly body: string;
}

/** The state of a bundle's files: an interrupted import goes on only if they are the same. */
export function fingerprintOf(directory: string): string {
  return [DATABASE_FILE, LOG_FILE]
    .map((name) => {
      const found = statSync(join(directory, name), { throwIfNoEntry: false });
      return found && found.size > 0 ? `${name}:${found.size}:${found.mtimeMs}` : '';
    })
    .join(' ')
    .trim();
}

/**
 * Checks that a directory holds a Couchbase Lite database that can be read, without opening it.
 * @throws BundleError
 */
export function checkBundle(directory: string): void {
  const descriptor = openSync(join(directory, DATABASE_FILE), 'r');
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    checkHeader(header.subarray(0, readSync(descriptor, header, 0, HEADER_BYTES, 0)));
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Copies the database file and its log to `file`, since SQLite leaves files beside a database that it reads, and a log
 * has to be folded in.
 */
export function copyBundleFile(directory: string, file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  const log = join(directory, LOG_FILE);
  if (hasContent(log)) copyFileSync(log, `${file}-wal`, constants.COPYFILE_FICLONE);
  copyFileSync(join(directory, DATABASE_FILE), file, constants.COPYFILE_FICLONE);
}

/** A Couchbase Lite database, read from a copy of its file. */
export class CouchbaseLiteBundle {
  private readonly handle: Database.Database;
  readonly context: BundleContext;
  readonly collections: readonly CollectionTables[];
  /** `2`, `3` or `4`, by the kind of revisions the database makes. */
  readonly generation: 2 | 3 | 4;

  /** @throws BundleError */
  constructor(
    /** The bundle, for its blobs. */
    private readonly directory: string,
    copy: string,
  ) {
    this.handle = new Database(copy, { fileMustExist: true });
    try {
      const tables = this.tables();
      checkSchema(this.handle.pragma('user_version', { simple: true }) as number, tables);
      if (statSync(copy).size <= QUICK_CHECK_BYTES) this.quickCheck();
      const info = new Map(this.handle.prepare('SELECT key, body FROM kv_info').raw().all() as [string, Buffer][]);
      const versioning = info.get('versioning');
      if (!versioning) throw new BundleError('foreign', 'the database was never completely set up');
      this.generation = versioning.at(-1) === 2 ? 4 : versioning.at(-1) === 1 ? 3 : 2;
      const uuid = info.get('publicUUID');
      if (!uuid) throw new BundleError('damaged', 'the database has no UUID');
      this.context = { sharedKeys: readSharedKeys(info.get('SharedKeys')), source: sourceText(uuid) };
      this.collections = findCollections(tables);
    } catch (error) {
      this.handle.close();
      throw asBundleError(error);
    }
  }

  close(): void {
    this.handle.close();
  }

  /** Its UUID (hex), what wrote it, and the counts of its collections. */
  describe() {
    const uuid = this.handle.prepare(`SELECT body FROM kv_info WHERE key = 'publicUUID'`).pluck().get() as Buffer;
    const schema = this.handle.pragma('user_version', { simple: true }) as number;
    return {
      uuid: uuid.toString('hex'),
      version: `Couchbase Lite ${this.generation} (schema ${schema})`,
      collections: this.collections.map((tables) => {
        const all = this.count(tables.live) + this.count(tables.deleted);
        const tombstones = this.countDeleted(tables.live) + this.countDeleted(tables.deleted);
        return {
          name: `${tables.scope}.${tables.collection}`,
          documents: all - tombstones,
          tombstones,
          lastSequence: this.lastSequence(tables),
        };
      }),
    };
  }

  /** All documents and tombstones; expired ones are among them. */
  countRows(): number {
    return this.collections.reduce((sum, { live, deleted }) => sum + this.count(live) + this.count(deleted), 0);
  }

  /** The last sequence that a collection gave out. */
  lastSequence({ store }: CollectionTables): number {
    const stored = this.handle.prepare('SELECT lastSeq FROM kvmeta WHERE name = ?').pluck().get(store);
    return typeof stored === 'number' ? stored : 0;
  }

  /** The rows of a document table behind a row number, in the order of row numbers. */
  *rowsAfter(table: string, row: number): Generator<BundleRow, void, undefined> {
    const columns = (this.handle.pragma(`table_info(${quote(table)})`) as { name: string }[]).map(({ name }) => name);
    const column = (name: string): string => (columns.includes(name) ? name : `NULL AS ${name}`);
    const select = this.handle.prepare(
      `SELECT rowid AS row, key, sequence, flags, version, body, ${column('extra')}, ${column('expiration')}
       FROM ${quote(table)} WHERE rowid > ? ORDER BY rowid`,
    );
    try {
      yield* select.iterate(row) as IterableIterator<BundleRow>;
    } catch (error) {
      throw asBundleError(error);
    }
  }

  peerCheckpoints(): PeerCheckpoint[] {
    const table = 'kv_peer\\Checkpoints';
    if (!this.tables().includes(table)) return [];
    const rows = this.handle
      .prepare(`SELECT key, body FROM ${quote(table)}`)
      .raw()
      .all() as [string, Buffer][];
    return rows.map(([client, body]) => ({ client, body: Buffer.from(body).toString('utf8') }));
  }

  /** Names of the indexes that apps made. */
  indexNames(): string[] {
    if (!this.tables().includes('indexes')) return [];
    return this.handle.prepare('SELECT name FROM indexes ORDER BY name').pluck().all() as string[];
  }

  /** The file of a blob, whether or not it exists. */
  blobPath(digest: string): string {
    return join(this.directory, BLOB_DIRECTORY, blobFileName(digest));
  }

  private tables(): string[] {
    return this.handle.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all() as string[];
  }

  private count(table: string | undefined): number {
    if (table === undefined) return 0;
    return this.handle
      .prepare(`SELECT count(*) FROM ${quote(table)}`)
      .pluck()
      .get() as number;
  }

  private countDeleted(table: string | undefined): number {
    if (table === undefined) return 0;
    return this.handle
      .prepare(`SELECT count(*) FROM ${quote(table)} WHERE flags & 1`)
      .pluck()
      .get() as number;
  }

  private quickCheck(): void {
    const [first] = this.handle.prepare('PRAGMA quick_check(1)').pluck().all() as string[];
    if (first !== 'ok') throw new BundleError('damaged', `the database is damaged: ${first}`);
  }
}

function readSharedKeys(bytes: Uint8Array | undefined): SharedKeys {
  if (!bytes) return NO_SHARED_KEYS;
  const reader = new FleeceReader(bytes);
  return new SharedKeys(reader.items(reader.root()).map((at) => reader.string(at)));
}

function asBundleError(error: unknown): unknown {
  const code = errorCode(error);
  return code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB'
    ? new BundleError('damaged', `the database is damaged: ${(error as Error).message}`, { cause: error })
    : error;
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
