import Database from 'better-sqlite3';
import { EdgeError } from '@edgesync/errors';
import type { BlobInfo } from '@edgesync/ports';
import { refuseNewer } from '../connection.js';
import { errorCode } from '../storage-error.js';
import { UUID_KEY } from '../identity.js';

/** The contents of a snapshot, and the blobs that belong to it. */
export interface SnapshotContents {
  /** Live documents of all collections. */
  readonly documents: number;
  /** Blobs that stored bodies refer to. */
  readonly blobs: readonly BlobInfo[];
}

/** Pages copied between two looks at the abort signal: 8 MB, some 10 ms. */
const PAGES_PER_STEP = 2_000;

/**
 * Copies the database file as it is at one moment. It is read like any reader of the write-ahead log: writers go
 * on meanwhile, and the log is not shortened before the copy is made.
 * @param source a database file that another process may have open; this process must not
 * @param target an empty file
 * @throws the reason of `signal`, or an error of SQLite
 */
export async function copyDatabaseFile(source: string, target: string, signal: AbortSignal): Promise<void> {
  const handle = new Database(source, { readonly: true, fileMustExist: true, timeout: 2_000 });
  try {
    refuseNewer(handle, source);
    // Without a transaction around it the copy would begin again after every commit of somebody else.
    handle.exec('BEGIN');
    handle.prepare('SELECT 1 FROM sqlite_schema').get();
    await handle.backup(target, {
      progress: () => {
        signal.throwIfAborted();
        return PAGES_PER_STEP;
      },
    });
  } finally {
    handle.close();
  }
}

/**
 * Makes a database of its own of a copied file: checks it, forgets blobs that nothing refers to, which are not copied,
 * and takes the UUID away, so that it gets a new one when it is opened.
 * @throws EdgeError `storage.corrupt`
 */
export function settleSnapshot(file: string): SnapshotContents {
  const handle = new Database(file, { fileMustExist: true });
  try {
    // One file without a log beside it; the server switches the log on again.
    handle.pragma('journal_mode = DELETE');
    handle.pragma('synchronous = FULL');
    const result: unknown = handle.pragma('quick_check(1)', { simple: true });
    if (result !== 'ok') throw damaged(String(result));
    handle.transaction(() => {
      handle.exec('DELETE FROM blobs WHERE orphaned_at IS NOT NULL');
      handle.exec(`DELETE FROM meta WHERE key = '${UUID_KEY}'`);
    })();
    const documents = handle.prepare('SELECT coalesce(sum(live), 0) FROM collections').pluck().get() as number;
    const blobs = handle.prepare('SELECT digest, length FROM blobs').all() as BlobInfo[];
    return { documents, blobs };
  } catch (error) {
    if (errorCode(error).startsWith('SQLITE_CORRUPT')) throw damaged((error as Error).message);
    throw error;
  } finally {
    handle.close();
  }
}

const damaged = (what: string): EdgeError =>
  new EdgeError('storage.corrupt', `the database is damaged: ${what}; restore it from an earlier backup`);
