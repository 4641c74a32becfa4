import { existsSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { BundleError, DATABASE_FILE, LOG_FILE, readDocument } from '@edgesync/cblite';
import { EdgeError } from '@edgesync/errors';
import { BlobFiles } from '../blobs/blob-files.js';
import { bundlePaths, type BundlePaths } from '../bundle.js';
import { openConnection } from '../connection.js';
import { makeDirectory, syncDirectory } from '../files.js';
import {
  checkBundle,
  copyBundleFile,
  CouchbaseLiteBundle,
  fingerprintOf,
  type BundleRow,
} from './couchbase-lite-bundle.js';
import { importDocument } from './imported-document.js';
import { note, ProgressTable, type ImportProblem } from './import-progress.js';
import { ImportWriter, type Part } from './import-writer.js';

export type { ImportProblem } from './import-progress.js';

/** The import's own directory inside the target, until everything is there. */
export const IMPORT_DIRECTORY = 'importing';

/** Documents of one transaction, and the bytes of bodies after which it is committed early. */
const BATCH_ROWS = 1_000;
const BATCH_BYTES = 8 * 1024 * 1024;
/** A copy of the file, our own file, and room for indexes and the log. */
const SPACE_FACTOR = 2.5;

/** The result of an import: counts, and what it could not bring. */
export interface ImportReport {
  /** Live documents. */
  readonly documents: number;
  readonly tombstones: number;
  /** Documents whose expiry had passed; they are left out. */
  readonly expired: number;
  /** Losing revisions of conflicts that came along. */
  readonly conflicts: number;
  /** Losing revisions that cannot be kept, because only a version names them. */
  readonly lostConflicts: number;
  readonly lostConflictsOf: readonly ImportProblem[];
  readonly blobs: number;
  readonly blobBytes: number;
  /** Blobs that documents refer to and the bundle lacks, or whose content is not what their name says. */
  readonly lostBlobs: readonly ImportProblem[];
  readonly lostBlobCount: number;
  /** Checkpoints of apps, per collection. */
  readonly checkpoints: number;
  /** Indexes of the app, which are not carried over. */
  readonly indexes: readonly string[];
  /** Damaged documents that were left out, as asked for. */
  readonly skipped: readonly ImportProblem[];
  readonly skippedCount: number;
}

export interface ImportProgress {
  readonly rows: number;
  readonly totalRows: number;
  readonly bytes: number;
}

export interface ImportOptions {
  /** Leave damaged documents out and report them, in place of giving up. */
  readonly skipDamaged?: boolean;
  /** Read everything and store nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** Whether a directory holds a Couchbase Lite database and none of ours. */
export function needsImport({ directory, database }: BundlePaths): boolean {
  return existsSync(join(directory, DATABASE_FILE)) && !(existsSync(database) && statSync(database).size > 0);
}

/**
 * Imports a Couchbase Lite bundle into a bundle of ours, whose lock the caller holds. `source` and `target` may be the
 * same directory: our files are made beside, and the source is not changed. An interrupted import goes on where it
 * stopped, if the source is still the same. The new database is there as a whole or not at all.
 * @throws EdgeError `storage.foreign`, `storage.corrupt`, `storage.full`; or the reason of `signal`
 */
export async function importBundle(
  source: string,
  target: BundlePaths,
  options: ImportOptions = {},
): Promise<ImportReport> {
  try {
    checkBundle(source);
    return await new BundleImport(source, target, options).run();
  } catch (error) {
    throw explained(error, source);
  }
}

/**
 * Refuses, before anything is made beside it, a bundle whose file shows at its start that it cannot be imported.
 * @throws EdgeError `storage.foreign`, `storage.corrupt`
 */
export function refuseUnreadable(source: string): void {
  try {
    checkBundle(source);
  } catch (error) {
    throw explained(error, source);
  }
}

function explained(error: unknown, source: string): unknown {
  if (!(error instanceof BundleError)) return error;
  const code = error.problem === 'damaged' ? 'storage.corrupt' : 'storage.foreign';
  return new EdgeError(code, `${source} cannot be imported: ${error.message}`, { cause: error });
}

class BundleImport {
  private readonly workspace: BundlePaths;
  private readonly copy: string;
  private readonly signal: AbortSignal;
  private readonly now: () => number;

  constructor(
    private readonly source: string,
    private readonly target: BundlePaths,
    private readonly options: ImportOptions,
  ) {
    this.workspace = bundlePaths(join(target.directory, IMPORT_DIRECTORY));
    this.copy = join(this.workspace.directory, 'source.sqlite3');
    this.signal = options.signal ?? new AbortController().signal;
    this.now = options.now ?? Date.now;
  }

  async run(): Promise<ImportReport> {
    const { directory } = this.workspace;
    const resumable = !this.options.dryRun && this.isResumable();
    if (!resumable) rmSync(directory, { recursive: true, force: true });
    makeDirectory(directory);
    if (!resumable) {
      this.checkSpace();
      copyBundleFile(this.source, this.copy);
    }
    try {
      const report = await this.fill(resumable);
      if (this.options.dryRun) rmSync(directory, { recursive: true, force: true });
      else this.finish();
      return report;
    } catch (error) {
      if (this.options.dryRun || error instanceof BundleError) rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  private isResumable(): boolean {
    return existsSync(this.copy) && existsSync(this.workspace.database);
  }

  private checkSpace(): void {
    const { bavail, bsize } = statfsSync(this.workspace.directory);
    const size = [DATABASE_FILE, LOG_FILE]
      .map((name) => statSync(join(this.source, name), { throwIfNoEntry: false })?.size ?? 0)
      .reduce((sum, bytes) => sum + bytes);
    const needed = this.options.dryRun ? size : size * SPACE_FACTOR;
    if (bavail * bsize < needed)
      throw new EdgeError('storage.full', `importing ${this.source} needs ${megabytes(needed)} MB of free disk space`);
  }

  private async fill(resumed: boolean): Promise<ImportReport> {
    const { dataSource, handle } = await openConnection(this.workspace);
    let bundle: CouchbaseLiteBundle | undefined;
    try {
      const progress = new ProgressTable(handle);
      const fingerprint = fingerprintOf(this.source);
      if (progress.fingerprint !== fingerprint) {
        progress.clear();
        if (resumed) copyBundleFile(this.source, this.copy);
        progress.fingerprint = fingerprint;
      }
      bundle = new CouchbaseLiteBundle(this.source, this.copy);
      const tally = progress.loadTally();
      const files = new BlobFiles(this.workspace);
      files.prepare();
      const writer = new ImportWriter(handle, files, bundle, progress, tally, this.options.dryRun ?? false, this.now);
      const parts = bundle.collections.flatMap((tables) => writer.open(tables));
      const totalRows = bundle.countRows();
      const report = (): void => this.options.onProgress?.({ rows: tally.rows, totalRows, bytes: tally.bytes });
      for (const part of parts) await this.importPart(part, bundle, writer, progress, report);
      const checkpoints = writer.saveCheckpoints();
      writer.countLive();
      progress.drop();
      handle.pragma('wal_checkpoint(TRUNCATE)');
      const { rows: _rows, bytes: _bytes, ...counted } = tally;
      return { ...counted, checkpoints, indexes: bundle.indexNames() };
    } finally {
      bundle?.close();
      await dataSource.destroy();
    }
  }

  private async importPart(
    part: Part,
    bundle: CouchbaseLiteBundle,
    writer: ImportWriter,
    progress: ProgressTable,
    report: () => void,
  ): Promise<void> {
    for (const batch of batches(bundle.rowsAfter(part.table, progress.rowOf(part.table)))) {
      this.signal.throwIfAborted();
      const documents = batch.flatMap((row) => this.read(part, row, bundle, writer) ?? []);
      await writer.copyBlobs(part, documents, this.signal);
      writer.commit(part, documents, () => progress.save(part.table, batch.at(-1)!.row, writer.tally));
      report();
      // Other requests have their turn: the server may be serving while it imports.
      await setImmediate();
    }
  }

  private read(part: Part, row: BundleRow, bundle: CouchbaseLiteBundle, writer: ImportWriter) {
    const { tally } = writer;
    tally.rows++;
    tally.bytes += (row.body?.length ?? 0) + (row.extra?.length ?? 0);
    if (row.expiration !== null && row.expiration > 0 && row.expiration <= this.now()) {
      tally.expired++;
      return undefined;
    }
    try {
      return { row, document: importDocument(row.key, readDocument(row, bundle.context)) };
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      if (!this.options.skipDamaged)
        throw new BundleError(
          error.problem,
          `the document ${JSON.stringify(row.key)} of ${part.name}: ${error.message}`,
          {
            cause: error,
          },
        );
      note(tally.skipped, { collection: part.name, id: row.key, reason: error.message });
      tally.skippedCount++;
      return undefined;
    }
  }

  /** Moves the finished files to their places; the database comes last, since it says that all is there. */
  private finish(): void {
    const { workspace, target } = this;
    rmSync(this.copy, { force: true });
    rmSync(target.blobs, { recursive: true, force: true });
    renameSync(workspace.blobs, target.blobs);
    renameSync(workspace.database, target.database);
    syncDirectory(target.directory);
    rmSync(workspace.directory, { recursive: true, force: true });
  }
}

/** Large documents make small batches, so that memory stays bounded. */
function* batches(rows: Iterable<BundleRow>): Generator<BundleRow[]> {
  let batch: BundleRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    batch.push(row);
    bytes += (row.body?.length ?? 0) + (row.extra?.length ?? 0);
    if (batch.length < BATCH_ROWS && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024);
