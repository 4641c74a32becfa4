import Database from 'better-sqlite3';
import { BlobFiles } from '../blobs/blob-files.js';
import { hasContent } from '../bundle.js';
import { refuseNewer } from '../connection.js';
import { checkIntegrity } from '../integrity.js';
import { toStorageError } from '../storage-error.js';
import { offline } from './offline.js';

/**
 * Reads a whole database that nobody has open: pages, indexes, rows and the rules between them, and every blob against
 * its digest. Nothing is changed.
 * @returns what is damaged, empty if nothing is
 * @throws EdgeError `storage.*` if the database cannot be checked
 */
export function checkDatabase(path: string): Promise<string[]> {
  return offline(path, async (paths) => {
    // A connection that may not write leaves the log of a crash alone; without a log it would leave an empty one.
    const handle = new Database(paths.database, { fileMustExist: true, readonly: hasContent(`${paths.database}-wal`) });
    try {
      handle.pragma('query_only = ON');
      refuseNewer(handle, paths.database);
      return await checkIntegrity(handle, new BlobFiles(paths));
    } catch (error) {
      // A page of the schema.
      if (toStorageError(error).code === 'storage.corrupt') return [`${paths.database}: ${(error as Error).message}`];
      throw error;
    } finally {
      handle.close();
    }
  });
}
