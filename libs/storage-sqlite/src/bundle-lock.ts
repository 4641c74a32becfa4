import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import Database from 'better-sqlite3';
import { EdgeError } from '@edgesync/errors';
import type { BundlePaths } from './bundle.js';
import { errorCode, toStorageFault } from './faults.js';

/**
 * Claims a bundle for this process until {@link BundleLock.release}. The claim is SQLite's file lock on a file of its
 * own, so the operating system drops it with the process, however that ends.
 * @throws EdgeError `storage.locked`, naming the holder
 */
export class BundleLock {
  private constructor(private readonly connection: Database.Database) {}

  static acquire(paths: BundlePaths): BundleLock {
    let connection: Database.Database | undefined;
    try {
      connection = new Database(paths.lock, { timeout: 0 });
      connection.pragma('journal_mode = MEMORY');
      connection.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      connection?.close();
      if (!errorCode(error).startsWith('SQLITE_BUSY')) throw toStorageFault(error);
      throw new EdgeError('storage.locked', `${paths.directory} is open in another process${describeHolder(paths)}`);
    }
    const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
    writeFileSync(paths.owner, `${JSON.stringify(holder)}\n`);
    return new BundleLock(connection);
  }

  release(): void {
    this.connection.close();
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
