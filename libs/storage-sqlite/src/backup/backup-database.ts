import {
  existsSync,
  lstatSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, extname, join, resolve, sep } from 'node:path';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import type { BlobInfo } from '@edgesync/ports';
import { BlobFiles } from '../blobs/blob-files.js';
import { bundlePaths, inspectBundle, type BundlePaths } from '../bundle.js';
import { BundleLock } from '../bundle-lock.js';
import { reasonOf, toStorageError } from '../storage-error.js';
import { makeDirectory, makeFile, syncDirectory } from '../files.js';
import { copyDatabaseFile, settleSnapshot, type SnapshotContents } from './snapshot.js';

/** Every database directory ends in this, so nothing takes an unfinished backup, which does not, for one. */
const EXTENSION = '.cblite2';
const UNFINISHED = '.unfinished';
/** Snapshots taken if blobs go while they are being copied; one is enough unless copying takes longer than their grace period. */
const MOST_SNAPSHOTS = 5;
/** Blobs copied at a time. */
const BLOBS_AT_A_TIME = 8;

/** The contents of a finished backup. */
export interface BackupSummary {
  readonly documents: number;
  readonly blobs: number;
  /** Bytes of the database file and of all blobs. */
  readonly bytes: number;
}

export interface BackupOptions {
  /** Ends the backup; what it has made so far is removed. */
  readonly signal?: AbortSignal;
  /** Called for each snapshot, before blobs are copied. */
  readonly onSnapshot?: () => void | Promise<void>;
}

/**
 * Copies a database that another process may be writing. The copy is the database as it was at one moment after the
 * call, with every blob that it refers to, each compared with its digest. It is made under another name beside `target` and renamed when all of
 * it is on the disk, so `target` is whole or does not exist. It has no UUID: the first opening gives it one.
 *
 * The owner's lock is neither needed nor touched.
 * @param path a bundle that this process has not open
 * @throws EdgeError `storage.*` with a message for the operator, or the reason of `signal`
 */
export async function backupDatabase(
  path: string,
  target: string,
  { signal = new AbortController().signal, onSnapshot }: BackupOptions = {},
): Promise<BackupSummary> {
  const source = bundlePaths(resolve(path));
  const finished = resolve(target);
  const began = new Date();
  try {
    BundleLock.refuseIfHeldHere(source);
    if (!inspectBundle(source)) throw new EdgeError('storage.missing', `there is no database at ${path}`);
    checkTarget(source, finished);
    return await intoUnfinished(finished, async (unfinished) => {
      const copied = await new Copy(source, unfinished, signal, onSnapshot).run();
      refuseExisting(finished);
      renameSync(unfinished.directory, finished);
      syncDirectory(dirname(finished));
      noteBackup(source, began);
      return copied;
    });
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw error;
    if (isEdgeError(error)) throw error;
    throw new EdgeError(toStorageError(error).code, `${path} cannot be backed up: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Lets the owner of the database know how old the last backup is. That a backup is noted is not a part of it. */
function noteBackup(source: BundlePaths, at: Date): void {
  try {
    writeFileSync(source.backup, '');
    utimesSync(source.backup, at, at);
  } catch {
    // A medium that cannot be written can be backed up too.
  }
}

function checkTarget(source: BundlePaths, target: string): void {
  if (extname(target) !== EXTENSION || basename(target) === EXTENSION)
    throw new EdgeError('storage.failed', `${target} must end in ${EXTENSION}`);
  const parent = dirname(target);
  if (!existsSync(parent)) throw new EdgeError('storage.failed', `${parent} does not exist`);
  if (`${realpathSync(parent)}${sep}`.startsWith(`${realpathSync(source.directory)}${sep}`))
    throw new EdgeError('storage.failed', `${target} lies inside the database`);
  refuseExisting(target);
}

function refuseExisting(target: string): void {
  if (lstatSync(target, { throwIfNoEntry: false }))
    throw new EdgeError('storage.failed', `${target} exists; a backup replaces nothing`);
}

/**
 * Gives `work` an empty bundle to fill, which `work` renames. Its lock distinguishes one that is being
 * filled from one that a killed backup left, which is cleared away here.
 */
async function intoUnfinished<T>(target: string, work: (unfinished: BundlePaths) => Promise<T>): Promise<T> {
  const unfinished = bundlePaths(`${target}${UNFINISHED}`);
  refuseForeign(unfinished.directory);
  makeDirectory(unfinished.directory);
  const lock = BundleLock.acquire(unfinished);
  try {
    for (const name of readdirSync(unfinished.directory))
      if (name !== basename(unfinished.lock)) rmSync(join(unfinished.directory, name), { recursive: true });
    return await work(unfinished);
  } catch (error) {
    rmSync(unfinished.directory, { recursive: true, force: true });
    throw error;
  } finally {
    lock.release();
  }
}

/** Files that a killed backup may have left. */
const OWN_FILES = /^(?:edgesync\.sqlite3(?:-journal|-wal|-shm)?|edgesync\.lock(?:-journal)?|blobs|uploads)$/;

/** Other files of that name stay, and so does the target of a link, which others may have put there. */
function refuseForeign(directory: string): void {
  const found = lstatSync(directory, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isDirectory()) throw new EdgeError('storage.failed', `${directory} is in the way: it is no directory`);
  const strange = readdirSync(directory).find((name) => !OWN_FILES.test(name));
  if (strange !== undefined)
    throw new EdgeError('storage.failed', `${directory} is in the way: no backup left ${strange} there`);
}

/** The filling of one bundle from another. */
class Copy {
  private readonly from: BlobFiles;
  private readonly to: BlobFiles;
  /** Digests of blobs that are copied and verified. */
  private readonly copied = new Set<string>();

  constructor(
    private readonly source: BundlePaths,
    private readonly target: BundlePaths,
    private readonly signal: AbortSignal,
    private readonly onSnapshot: BackupOptions['onSnapshot'],
  ) {
    this.from = new BlobFiles(source);
    this.to = new BlobFiles(target);
  }

  /**
   * The owner removes a blob an hour after nothing refers to it any more. One that the snapshot refers to can therefore be
   * gone, if copying takes that long; then a later snapshot does not refer to it either.
   */
  async run(): Promise<BackupSummary> {
    this.to.prepare();
    let lost: readonly BlobInfo[] = [];
    for (let round = 0; round < MOST_SNAPSHOTS; round++) {
      const contents = await this.takeSnapshot();
      await this.onSnapshot?.();
      lost = await this.copyBlobs(contents.blobs);
      if (lost.length === 0) return this.finish(contents);
    }
    const some = lost.slice(0, 3).map(({ digest }) => digest);
    throw new EdgeError(
      'storage.corrupt',
      `${this.source.directory} lacks ${lost.length} blobs that its documents refer to, such as ${some.join(', ')}; it would be no whole backup`,
    );
  }

  private async takeSnapshot(): Promise<SnapshotContents> {
    const { database } = this.target;
    this.signal.throwIfAborted();
    rmSync(database, { force: true });
    makeFile(database);
    await copyDatabaseFile(this.source.database, database, this.signal);
    return settleSnapshot(database);
  }

  /** @returns those that are not there any more */
  private async copyBlobs(blobs: readonly BlobInfo[]): Promise<BlobInfo[]> {
    const lost: BlobInfo[] = [];
    const waiting = blobs.filter(({ digest }) => !this.copied.has(digest));
    const copySome = async (): Promise<void> => {
      for (let blob = waiting.pop(); blob; blob = waiting.pop()) {
        this.signal.throwIfAborted();
        if (!(await this.copyBlob(blob))) lost.push(blob);
      }
    };
    const lane = (): Promise<void> =>
      copySome().catch((error: unknown) => {
        waiting.length = 0;
        throw error;
      });
    // All of them have ended before the directory is removed.
    const ends = await Promise.allSettled(Array.from({ length: BLOBS_AT_A_TIME }, lane));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return lost;
  }

  private async copyBlob(blob: BlobInfo): Promise<boolean> {
    try {
      const content = this.from.open(blob).read();
      await this.to.store(content, { expected: blob, limit: Infinity }, () => Promise.resolve());
    } catch (error) {
      if (isEdgeError(error) && error.code === 'blob.missing') return false;
      if (isEdgeError(error) && error.code === 'blob.invalid')
        throw new EdgeError('storage.corrupt', `the file of blob ${blob.digest} is damaged: ${error.message}`);
      throw error;
    }
    this.copied.add(blob.digest);
    return true;
  }

  private finish({ documents, blobs }: SnapshotContents): BackupSummary {
    // Those that only an earlier snapshot referred to.
    const needed = new Set(blobs.map(({ digest }) => digest));
    for (const digest of this.to.digests()) if (!needed.has(digest)) this.to.remove(digest);
    rmSync(this.target.uploads, { recursive: true });
    syncDirectory(this.target.directory);
    const bytes = blobs.reduce((sum, { length }) => sum + length, statSync(this.target.database).size);
    return { documents, blobs: blobs.length, bytes };
  }
}
