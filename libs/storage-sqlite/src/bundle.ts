import { closeSync, existsSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EdgeError } from '@edgesync/errors';

/** Marks our files in SQLite's header: "Edge" in ASCII. */
export const APPLICATION_ID = 0x45646765;

const DATABASE_FILE = 'edgesync.sqlite3';
const SQLITE_MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;

/** Where the files of a database lie inside its `.cblite2` directory. */
export interface BundlePaths {
  readonly directory: string;
  readonly database: string;
  /** A SQLite file whose lock says that the bundle is open. */
  readonly lock: string;
  /** The holder of the lock, for the message to others. */
  readonly owner: string;
  readonly blobs: string;
  /** Its time is that of the last backup. */
  readonly backup: string;
  /** Uploads under way; emptied when the database opens. */
  readonly uploads: string;
}

export function bundlePaths(directory: string): BundlePaths {
  return {
    directory,
    database: join(directory, DATABASE_FILE),
    lock: join(directory, 'edgesync.lock'),
    owner: join(directory, 'edgesync.owner.json'),
    blobs: join(directory, 'blobs'),
    backup: join(directory, 'edgesync.backup'),
    uploads: join(directory, 'uploads'),
  };
}

/**
 * Looks at a bundle without changing anything in it.
 * @returns whether it holds a database of ours; false: there is nothing there yet
 * @throws EdgeError `storage.foreign` or `storage.corrupt`
 */
export function inspectBundle({ directory, database }: BundlePaths): boolean {
  if (!existsSync(directory)) return false;
  if (!statSync(directory).isDirectory())
    throw new EdgeError('storage.foreign', `${directory} is a file, not a database directory`);
  // SQLite creates the file empty: a start that was cut off right there left no data.
  if (!existsSync(database) || statSync(database).size === 0) {
    inspectLeftovers(directory, readdirSync(directory));
    return false;
  }
  inspectHeader(database);
  return true;
}

/** Files that a start leaves behind when it is cut off before there is a database. */
const OWN_LEFTOVERS = new Set([
  DATABASE_FILE,
  `${DATABASE_FILE}-journal`,
  'edgesync.lock',
  'edgesync.lock-journal',
  'edgesync.owner.json',
  'importing',
]);

function inspectLeftovers(directory: string, entries: readonly string[]): void {
  const strange = entries.find((entry) => !OWN_LEFTOVERS.has(entry));
  if (strange === 'blobs' || strange === `${DATABASE_FILE}-wal`)
    throw new EdgeError('storage.corrupt', `${directory} has lost its file ${DATABASE_FILE}; restore it from a backup`);
  if (strange !== undefined)
    throw new EdgeError(
      'storage.foreign',
      `${directory} holds files that are no edgesync database, such as ${strange}`,
    );
}

function inspectHeader(file: string): void {
  const { size } = statSync(file);
  const header = Buffer.alloc(HEADER_BYTES);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(descriptor);
  }
  if (size < HEADER_BYTES || header.toString('latin1', 0, 16) !== SQLITE_MAGIC)
    throw new EdgeError('storage.corrupt', `${file} is damaged: it is not a SQLite file`);
  if (header.readUInt32BE(68) !== APPLICATION_ID)
    throw new EdgeError('storage.foreign', `${file} is a SQLite file of another application`);
  // A crash may leave a file whose last pages are still in the log or the journal only; SQLite repairs that.
  if (hasContent(`${file}-wal`) || hasContent(`${file}-journal`)) return;
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const pages = header.readUInt32BE(28);
  if (size < pageSize * pages || size % pageSize !== 0)
    throw new EdgeError('storage.corrupt', `${file} is damaged: it has ${size} bytes instead of ${pageSize * pages}`);
}

/** Whether there is a file with anything in it. */
export function hasContent(file: string): boolean {
  return (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0;
}
