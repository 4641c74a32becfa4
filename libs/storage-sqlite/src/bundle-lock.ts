import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import type { BundlePaths } from './bundle.js';
import { makeFile, PRIVATE_FILE } from './files.js';
import { errorCode, toStorageError } from './storage-error.js';

/** The process that has a bundle open, as its note says; empty if the note cannot be read. */
export interface BundleHolder {
  readonly pid?: number;
  readonly host?: string;
  /** ISO 8601. */
  readonly since?: string;
}

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

  /** Looks whether another process holds a bundle, without claiming it. @returns undefined if none does */
  static holderOf(paths: BundlePaths): BundleHolder | undefined {
    BundleLock.refuseIfHeldHere(paths);
    if (!existsSync(paths.lock)) return undefined;
    const connection = new Database(paths.lock, { readonly: true, timeout: 0 });
    try {
      connection.prepare('SELECT 1 FROM sqlite_schema').get();
      return undefined;
    } catch (error) {
      if (!errorCode(error).startsWith('SQLITE_BUSY')) throw error;
      return readHolder(paths) ?? {};
    } finally {
      connection.close();
    }
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

function describeHolder(paths: BundlePaths): string {
  const holder = readHolder(paths);
  return holder ? `: process ${holder.pid} on ${holder.host}, since ${holder.since}` : '';
}

function readHolder({ owner }: BundlePaths): BundleHolder | undefined {
  try {
    return JSON.parse(readFileSync(owner, 'utf8')) as BundleHolder;
  } catch {
    return undefined;
  }
}
