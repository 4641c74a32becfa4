import { resolve } from 'node:path';
import { EdgeError } from '@edgesync/errors';
import { bundlePaths, inspectBundle } from './bundle.js';
import { BundleLock } from './bundle-lock.js';
import { ClockTable } from './clock-table.js';
import { openConnection } from './connection.js';
import { MetaEntity } from './entities/meta.entity.js';
import { toStorageError } from './storage-error.js';
import { replaceUuid } from './identity.js';
import { quickCheck } from './integrity.js';

/**
 * Gives a database that is not open a new UUID (docs/protocol/edge-server.md#command-line), and with it a new clock:
 * one that was once far ahead stays there for as long as the versions of a source must not go back.
 * @returns the new UUID
 * @throws EdgeError `storage.missing`, `storage.locked` and other `storage.*`
 */
export async function resetUuid(path: string): Promise<string> {
  const paths = bundlePaths(resolve(path));
  BundleLock.refuseIfHeldHere(paths);
  if (!inspectBundle(paths)) throw new EdgeError('storage.missing', `there is no database at ${path}`);
  const lock = BundleLock.acquire(paths);
  try {
    quickCheck(paths.database);
    lock.sign();
    const { dataSource, handle } = await openConnection(paths);
    try {
      const uuid = await replaceUuid(dataSource.getRepository(MetaEntity));
      new ClockTable(handle).clear();
      return uuid;
    } finally {
      await dataSource.destroy();
    }
  } catch (error) {
    throw toStorageError(error);
  } finally {
    lock.release();
  }
}
