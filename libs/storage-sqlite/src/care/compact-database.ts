import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { EdgeError } from '@edgesync/errors';
import type { BundlePaths } from '../bundle.js';
import { refuseNewer } from '../connection.js';
import { makeDirectory, makeFile, syncDirectory } from '../files.js';
import { offline } from './offline.js';

/** Sizes of the database file with its log, in bytes. Blobs are not among them. */
export interface Compacted {
  readonly before: number;
  readonly after: number;
}

/**
 * Rewrites the file of a database that nobody has open, without the space that deleted rows left. The new file takes
 * the place of the old one in a single step when all of it is on the disk and was checked. What a cut-off leaves lies in
 * the directory of uploads, which opening empties.
 * @throws EdgeError `storage.*`; the database is as it was then
 */
export function compactDatabase(path: string): Promise<Compacted> {
  return offline(path, (paths) => compact(paths));
}

function compact({ database, uploads }: BundlePaths): Compacted {
  const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const before = sizeOf(database) + sizeOf(`${database}-wal`);
  const compacted = join(uploads, 'compacted.sqlite3');
  const handle = new Database(database, { fileMustExist: true, timeout: 2_000 });
  try {
    refuseNewer(handle, database);
    // Without a log there is one file to replace, and the lock keeps out readers, such as a backup, until it is.
    handle.pragma('locking_mode = EXCLUSIVE');
    if (handle.pragma('journal_mode = DELETE', { simple: true }) !== 'delete')
      throw new EdgeError('storage.busy', `${dirname(database)} is being read by another process`);
    handle.pragma('synchronous = FULL');
    check(handle, database);
    makeDirectory(uploads);
    for (const suffix of ['', '-journal']) rmSync(`${compacted}${suffix}`, { force: true });
    const { bavail, bsize } = statfsSync(uploads);
    const needed = (pageCount(handle) - freePages(handle)) * (handle.pragma('page_size', { simple: true }) as number);
    if (bavail * bsize < needed)
      throw new EdgeError('storage.full', `compacting needs ${Math.ceil(needed / 1e6)} MB of free disk space`);
    try {
      makeFile(compacted);
      handle.prepare('VACUUM INTO ?').run(compacted);
      checkCopy(handle, compacted);
      sync(compacted);
      renameSync(compacted, database);
    } finally {
      rmSync(compacted, { force: true });
    }
    syncDirectory(dirname(database));
  } finally {
    handle.close();
  }
  return { before, after: sizeOf(database) };
}

const pageCount = (handle: Database.Database): number => handle.pragma('page_count', { simple: true }) as number;
const freePages = (handle: Database.Database): number => handle.pragma('freelist_count', { simple: true }) as number;

/** @throws EdgeError `storage.corrupt` */
function check(handle: Database.Database, file: string): void {
  const result: unknown = handle.pragma('quick_check(1)', { simple: true });
  if (result !== 'ok') throw new EdgeError('storage.corrupt', `${file} is damaged: ${String(result)}`);
}

/** Compares the rows of every table with those of the original. */
function checkCopy(original: Database.Database, file: string): void {
  const copy = new Database(file, { fileMustExist: true });
  try {
    check(copy, file);
    const tables = original.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all() as string[];
    for (const table of tables) {
      const count = `SELECT count(*) FROM "${table.replaceAll('"', '""')}"`;
      if (original.prepare(count).pluck().get() !== copy.prepare(count).pluck().get())
        throw new EdgeError('storage.failed', `the compacted copy lacks rows of ${table}`);
    }
  } finally {
    copy.close();
  }
}

function sync(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
