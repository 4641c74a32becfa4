import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import type { BundlePaths } from './bundle.js';
import { makeFile, PRIVATE_FILE } from './files.js';
import { errorCode, toStorageError } from './storage-error.js';

/**
 * Claims a bundle for this process until {@link BundleLock.release}. The claim is SQLite's file lock on a file of its
 * own, so the operating system drops it with the process, however that ends.
 * @throws EdgeError `storage.locked`, naming the holder
 */
export class BundleLock {
  /** Bundles this process holds. */
  private static readonly held = new Set<string>();

  private constructor(
    private readonly paths: BundlePaths,
    private readonly connection: Database.Database,
  ) {
    BundleLock.held.add(paths.directory);
  }

  /**
   * To be called before anything looks into the bundle: file locks belong to a process, and when it closes any
   * descriptor of a locked file the operating system drops the locks that SQLite holds on it.
   * @throws EdgeError `storage.locked` if this process has the bundle open
   */
  static refuseIfHeldHere({ directory }: BundlePaths): void {
    if (BundleLock.held.has(directory)) throw new EdgeError('storage.locked', `${directory} is open in this process`);
  }

  static acquire(paths: BundlePaths): BundleLock {
    BundleLock.refuseIfHeldHere(paths);
    let connection: Database.Database | undefined;
    try {
      makeFile(paths.lock);
      connection = new Database(paths.lock, { timeout: 0 });
      connection.pragma('journal_mode = MEMORY');
      connection.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      connection?.close();
      if (!errorCode(error).startsWith('SQLITE_BUSY')) throw toStorageError(error);
      throw new EdgeError('storage.locked', `${paths.directory} is open in another process${describeHolder(paths)}`);
    }
    return new BundleLock(paths, connection);
  }

  /** Leaves a note of the holder, for the message to others. A full disk may leave it empty; the lock holds all the same. */
  sign(): void {
    const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
    try {
      writeFileSync(this.paths.owner, `${JSON.stringify(holder)}\n`, { mode: PRIVATE_FILE });
    } catch (error) {
      if (!isEdgeError(toStorageError(error), 'storage.full')) throw error;
    }
  }

  release(): void {
    this.connection.close();
    BundleLock.held.delete(this.paths.directory);
  }
}

function describeHolder({ owner }: BundlePaths): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(owner, 'utf8')) as Record<string, unknown>;
    return `: process ${String(pid)} on ${String(host)}, since ${String(since)}`;
  } catch {
    return '';
  }
}
