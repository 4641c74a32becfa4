import { existsSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { BLOB_DIRECTORY } from '@edgesync/cblite';
import { formatCollection, type CollectionName } from '@edgesync/document';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { BlobFiles } from '../blobs/blob-files.js';
import { bundlePaths, inspectBundle, type BundlePaths } from '../bundle.js';
import { BundleLock } from '../bundle-lock.js';
import { refuseNewer } from '../connection.js';
import { reasonOf, toStorageError } from '../storage-error.js';
import { makeDirectory, syncDirectory } from '../files.js';
import { FLAG_DELETED } from '../rows.js';
import { CouchbaseLiteWriter, type BundleFormat } from './couchbase-lite-writer.js';

export interface ExportOptions {
  readonly format: BundleFormat;
  /** Which collections; absent: all. */
  readonly collections?: readonly CollectionName[];
  /**
   * The URL of this server as the apps will use it. Then an app's first sync lists nothing that the bundle holds. The
   * checkpoints for that are stored in the exported database too, which no other process may have open.
   */
  readonly forUrl?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly documents: number; readonly total: number }) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface ExportReport {
  readonly documents: number;
  readonly blobs: number;
  /** Documents whose body has an empty key at its top: an app can read such a document, and cannot save it. */
  readonly unsavable: readonly string[];
  /** Documents whose expiry had passed; they are left out. */
  readonly expired: number;
  /** Deleted documents: apps start without them. */
  readonly tombstones: number;
  /** Losing revisions of conflicts, which are left out. */
  readonly conflicts: number;
  /** The first documents with such revisions. */
  readonly conflicting: readonly string[];
}

/** Documents with conflicts that a report names. */
const NAMED_CONFLICTS = 100;

const EXTENSION = '.cblite2';
const UNFINISHED = '.unfinished';
/** Documents between two turns for others. */
const BATCH_ROWS = 1_000;

/**
 * Writes the live documents of a database, as they are at one moment, into a Couchbase Lite bundle. Another process may
 * be writing the database meanwhile, unless `forUrl` is given. `target` is there as a whole or not at all.
 * @throws EdgeError `storage.*`, `keyspace.unknown`, or the reason of `signal`
 */
export async function exportBundle(path: string, target: string, options: ExportOptions): Promise<ExportReport> {
  const source = bundlePaths(resolve(path));
  const finished = resolve(target);
  const unfinished = `${finished}${UNFINISHED}`;
  checkTarget(finished);
  BundleLock.refuseIfHeldHere(source);
  if (!inspectBundle(source)) throw new EdgeError('storage.missing', `there is no database at ${path}`);
  const lock = options.forUrl === undefined ? undefined : BundleLock.acquire(source);
  try {
    rmSync(unfinished, { recursive: true, force: true });
    makeDirectory(unfinished);
    const report = await new BundleExport(source, unfinished, options).run();
    syncDirectory(unfinished);
    syncDirectory(join(unfinished, BLOB_DIRECTORY));
    renameSync(unfinished, finished);
    syncDirectory(dirname(finished));
    return report;
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (isEdgeError(error) || options.signal?.aborted) throw error;
    throw new EdgeError(toStorageError(error).code, `${path} cannot be exported: ${reasonOf(error)}`, { cause: error });
  } finally {
    lock?.release();
  }
}

function checkTarget(target: string): void {
  if (extname(target) !== EXTENSION || basename(target) === EXTENSION)
    throw new EdgeError('storage.failed', `${target} must end in ${EXTENSION}`);
  if (!existsSync(dirname(target))) throw new EdgeError('storage.failed', `${dirname(target)} does not exist`);
  if (lstatSync(target, { throwIfNoEntry: false }))
    throw new EdgeError('storage.failed', `${target} exists; an export replaces nothing`);
}

interface CollectionRow extends CollectionName {
  readonly id: number;
  readonly lastSequence: number;
  readonly live: number;
}

interface Row {
  readonly row: number;
  readonly id: string;
  readonly rev: string;
  readonly vector: string;
  readonly tree: string;
  readonly body: string;
  readonly expires_at: number | null;
}

class BundleExport {
  private readonly handle: Database.Database;
  private readonly writer: CouchbaseLiteWriter;
  private readonly blobs: BlobFiles;
  private readonly signal: AbortSignal;
  private readonly nowSeconds: number;
  private readonly unsavable: string[] = [];
  private documents = 0;
  private blobCount = 0;

  constructor(
    private readonly source: BundlePaths,
    target: string,
    private readonly options: ExportOptions,
  ) {
    this.signal = options.signal ?? new AbortController().signal;
    this.nowSeconds = Math.floor((options.now ?? Date.now)() / 1000);
    this.blobs = new BlobFiles(source);
    this.handle = new Database(source.database, { fileMustExist: true, readonly: options.forUrl === undefined });
    const { forUrl } = options;
    this.writer = new CouchbaseLiteWriter(target, options.format, forUrl === undefined ? undefined : { url: forUrl });
  }

  async run(): Promise<ExportReport> {
    let finished = false;
    try {
      refuseNewer(this.handle, this.source.database);
      this.handle.exec('BEGIN');
      const collections = this.chosen();
      const total = collections.reduce((sum, { live }) => sum + live, 0);
      for (const collection of collections) await this.exportCollection(collection, total);
      await this.exportBlobs(collections);
      const left = this.leftOut(collections);
      const checkpoints = this.writer.checkpoints((name) => find(collections, name)?.lastSequence ?? 0);
      this.writer.saveCheckpoints(checkpoints);
      this.handle.exec('COMMIT');
      this.writer.finish();
      finished = true;
      const save = this.handle.prepare(
        'INSERT OR REPLACE INTO checkpoints (collection, client, saves, body) VALUES (?, ?, 1, ?)',
      );
      if (checkpoints.length > 0)
        this.handle.transaction(() => {
          for (const { name, id, body } of checkpoints) {
            const collection = find(collections, name);
            if (collection) save.run(collection.id, id, body);
          }
        })();
      return { documents: this.documents, blobs: this.blobCount, unsavable: this.unsavable, ...left };
    } finally {
      if (!finished) this.writer.abandon();
      this.handle.close();
    }
  }

  private chosen(): CollectionRow[] {
    const all = this.handle
      .prepare('SELECT id, scope, name AS collection, last_sequence AS lastSequence, live FROM collections')
      .all() as CollectionRow[];
    const { collections } = this.options;
    if (!collections) return all;
    return collections.map((name) => {
      const found = find(all, name);
      if (!found) throw new EdgeError('keyspace.unknown', `the database has no collection ${formatCollection(name)}`);
      return found;
    });
  }

  private async exportCollection(collection: CollectionRow, total: number): Promise<void> {
    this.writer.collection(collection);
    const select = this.handle.prepare(
      `SELECT row, id, rev, vector, tree, body, expires_at FROM documents
       WHERE collection = ? AND flags & ${FLAG_DELETED} = 0 AND (expires_at IS NULL OR expires_at > ?)
       ORDER BY sequence`,
    );
    for (const row of select.iterate(collection.id, this.nowSeconds) as IterableIterator<Row>) {
      this.writer.add(collection, {
        id: row.id,
        deleted: false,
        body: row.body,
        revisions: revisionsOf(row.tree),
        vector: row.vector,
        ...(row.expires_at !== null && { expiresAt: row.expires_at }),
      });
      if (row.body.includes('"":') && Object.hasOwn(JSON.parse(row.body) as object, ''))
        this.unsavable.push(`${formatCollection(collection)}/${row.id}`);
      if (++this.documents % BATCH_ROWS !== 0) continue;
      this.signal.throwIfAborted();
      this.options.onProgress?.({ documents: this.documents, total });
      await setImmediate();
    }
  }

  /** Counts, in the same transaction, what stays behind. */
  private leftOut(collections: readonly CollectionRow[]) {
    const left = { expired: 0, tombstones: 0, conflicts: 0, conflicting: [] as string[] };
    const count = (sql: string, ...values: number[]): number =>
      this.handle
        .prepare(sql)
        .pluck()
        .get(...values) as number;
    for (const collection of collections) {
      const where = `FROM documents WHERE collection = ? AND flags & ${FLAG_DELETED}`;
      left.tombstones += count(`SELECT count(*) ${where} <> 0`, collection.id);
      left.expired += count(`SELECT count(*) ${where} = 0 AND expires_at <= ?`, collection.id, this.nowSeconds);
      const rows = this.handle
        .prepare(
          `SELECT id, count(*) AS leaves FROM documents JOIN revisions ON document = documents.row AND leaf = 1
           WHERE collection = ? AND flags & ${FLAG_DELETED} = 0 GROUP BY documents.row`,
        )
        .iterate(collection.id) as IterableIterator<{ id: string; leaves: number }>;
      for (const { id, leaves } of rows) {
        left.conflicts += leaves;
        if (left.conflicting.length < NAMED_CONFLICTS) left.conflicting.push(`${formatCollection(collection)}/${id}`);
      }
    }
    return left;
  }

  /** Every blob of an exported document, compared with its digest. */
  private async exportBlobs(collections: readonly CollectionRow[]): Promise<void> {
    const select = this.handle.prepare(
      `SELECT DISTINCT b.digest, b.length FROM documents d JOIN blob_references r ON r.document = d.row AND r.rev = d.rev
       JOIN blobs b ON b.digest = r.digest
       WHERE d.collection = ? AND d.flags & ${FLAG_DELETED} = 0 AND (d.expires_at IS NULL OR d.expires_at > ?)`,
    );
    for (const { id } of collections)
      for (const blob of select.all(id, this.nowSeconds) as { digest: string; length: number }[]) {
        this.signal.throwIfAborted();
        if (!(await this.blobs.matches(blob)))
          throw new EdgeError('storage.corrupt', `the file of blob ${blob.digest} is damaged or missing`);
        this.writer.addBlob(blob.digest, this.blobs.pathOf(blob.digest));
        this.blobCount++;
      }
  }
}

/** The winner's branch is the first one; marks stand behind the IDs. */
const revisionsOf = (tree: string): string[] =>
  tree
    .split(';', 1)[0]!
    .split(',')
    .map((rev) => rev.replace(/[!#]+$/, ''));

const find = <T extends CollectionName>(
  collections: readonly T[],
  { scope, collection }: CollectionName,
): T | undefined => collections.find((row) => row.scope === scope && row.collection === collection);
