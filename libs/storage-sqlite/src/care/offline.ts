import { resolve } from 'node:path';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { bundlePaths, inspectBundle, type BundlePaths } from '../bundle.js';
import { BundleLock } from '../bundle-lock.js';
import { needsImport } from '../import/import-bundle.js';
import { reasonOf, toStorageError } from '../storage-error.js';

/**
 * Works on a database that nobody has open, and keeps others out meanwhile.
 * @throws EdgeError `storage.*`, naming the path
 */
export async function offline<T>(path: string, work: (paths: BundlePaths) => T | Promise<T>): Promise<T> {
  const paths = bundlePaths(resolve(path));
  BundleLock.refuseIfHeldHere(paths);
  if (needsImport(paths))
    throw new EdgeError('storage.foreign', `${path} holds a Couchbase Lite database; import it first`);
  if (!inspectBundle(paths)) throw new EdgeError('storage.missing', `there is no database at ${path}`);
  const lock = BundleLock.acquire(paths);
  try {
    lock.sign();
    return await work(paths);
  } catch (error) {
    if (isEdgeError(error)) throw error;
    throw new EdgeError(toStorageError(error).code, `${path}: ${reasonOf(error)}`, { cause: error });
  } finally {
    lock.release();
  }
}
