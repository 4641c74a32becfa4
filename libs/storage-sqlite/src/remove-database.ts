import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { bundlePaths, inspectBundle } from './bundle.js';
import { BundleLock } from './bundle-lock.js';

/**
 * Deletes a database that is not open, with all that belongs to it.
 * @returns whether there was one
 * @throws EdgeError `storage.locked` if a process has it open, `storage.foreign` if the directory holds something else
 */
export function removeDatabase(path: string): boolean {
  const paths = bundlePaths(resolve(path));
  BundleLock.refuseIfHeldHere(paths);
  if (!inspectBundle(paths)) return false;
  const lock = BundleLock.acquire(paths);
  try {
    rmSync(paths.directory, { recursive: true });
    return true;
  } finally {
    lock.release();
  }
}
