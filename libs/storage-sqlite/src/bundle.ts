import { closeSync, existsSync, openSync, readSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EdgeError } from '@edgesync/errors';

/** Marks our files in SQLite's header: "Edge" in ASCII. */
export const APPLICATION_ID = 0x45646765;

const DATABASE_FILE = 'edgesync.sqlite3';
const COUCHBASE_LITE_FILE = 'db.sqlite3';
const SQLITE_MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;

/** Where the files of a database lie inside its `.cblite2` directory. */
export interface BundlePaths {
  readonly directory: string;
  readonly database: string;
  /** A SQLite file whose lock says that the bundle is open. */
  readonly lock: string;
  /** Who holds the lock, for the message to the one who does not. */
  readonly owner: string;
  readonly blobs: string;
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
  if (!existsSync(database)) {
    const entries = readdirSync(directory);
    if (entries.includes(COUCHBASE_LITE_FILE))
      throw new EdgeError(
        'storage.foreign',
        `${directory} holds a Couchbase Lite database, and importing one is not supported yet; use another path`,
      );
    if (entries.some((entry) => !OWN_LEFTOVERS.has(entry)))
      throw new EdgeError('storage.foreign', `${directory} holds files that are not an edgesync database`);
    return false;
  }
  return inspectHeader(database);
}

/** What a start that was cut off before the database file existed leaves behind. */
const OWN_LEFTOVERS = new Set(['edgesync.lock', 'edgesync.lock-journal', 'edgesync.owner.json', 'blobs', 'uploads']);

function inspectHeader(file: string): boolean {
  const { size } = statSync(file);
  // SQLite creates the file empty: a start that was cut off right there left no data.
  if (size === 0) return false;
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
  const pageSize = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  if (size % pageSize !== 0 || size < pageSize)
    throw new EdgeError(
      'storage.corrupt',
      `${file} is damaged: its length of ${size} bytes is not a whole number of pages`,
    );
  return true;
}
