import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EdgeError } from '@edgesync/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskState } from './disk-state.js';
import { backupDatabase, SqliteStorage } from './index.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'disk-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the disk of a database', () => {
  it('is measured: database, blobs, free room, and the time of the last backup', async () => {
    const path = join(folder, 'db.cblite2');
    const storage = new SqliteStorage();
    const database = await storage.openDatabase({ name: 'db', path, create: true });
    expect(database.usage()).not.toHaveProperty('backedUpAt');
    await storage.putBlob(
      'db',
      (async function* () {
        yield Buffer.alloc(12_345);
      })(),
    );
    const [[usage, name] = []] = storage.usage();
    expect(name).toBe('db');
    expect(usage!.databaseBytes).toBeGreaterThanOrEqual(statSync(join(path, 'edgesync.sqlite3')).size);
    expect(usage!.freeBytes).toBeGreaterThan(0);
    const before = Date.now();
    await storage.close();
    await backupDatabase(path, join(folder, 'copy.cblite2'));
    const again = await storage.openDatabase({ name: 'db', path, create: false }).catch(() => undefined);
    expect(again).toBeUndefined();
    const reopened = new SqliteStorage();
    const second = await reopened.openDatabase({ name: 'db', path, create: false });
    const { backedUpAt, blobBytes } = second.usage();
    expect(blobBytes).toBe(12_345);
    // File systems round times down.
    expect(backedUpAt).toBeGreaterThan(before - 2_000);
    await reopened.close();
  });

  it('prevents no writes as far as is known, but after one that failed: until one succeeds, or for half a minute', () => {
    const clock = { now: 0 };
    const disk = new DiskState(
      folder,
      () => 0,
      () => clock.now,
    );
    expect(disk.writeObstacle).toBeUndefined();
    disk.failed(new EdgeError('storage.full'));
    expect(disk.writeObstacle).toBe('storage.full');
    disk.committed();
    expect(disk.writeObstacle).toBeUndefined();
    disk.failed(new EdgeError('storage.read-only'));
    clock.now = 29_999;
    expect(disk.writeObstacle).toBe('storage.read-only');
    clock.now = 30_000;
    expect(disk.writeObstacle).toBeUndefined();
    disk.failed(new EdgeError('doc.conflict'));
    expect(disk.writeObstacle).toBeUndefined();
  });
});
