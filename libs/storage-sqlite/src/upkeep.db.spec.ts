import { existsSync, readdirSync, writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EditRequest } from '@edgesync/ports';
import { openParts, type DatabaseParts } from './open-database.js';
import { SqliteDatabase } from './sqlite-database.js';
import { temporaryDirectory } from './testing/test-storage.js';
import { BLOB_GRACE_SECONDS, GROUP_WEIGHT, SWEEP_ROWS } from './tuning.js';

const NOW = 1_800_000_000;
const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };
const edit = (id: string, parts: Partial<EditRequest> = {}): EditRequest => ({
  type: 'edit',
  keyspace: KEYSPACE,
  id,
  deleted: false,
  body: '{}',
  ...parts,
});
const bytes = Buffer.from('blob');

describe('upkeep', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  let nowSeconds: number;
  const undo: (() => unknown)[] = [];
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory.path, 'plant.cblite2');
    nowSeconds = NOW;
  });
  afterEach(async () => {
    for (const action of undo.splice(0).reverse()) await action();
    vi.useRealTimers();
    directory.remove();
  });

  const options = () => ({ name: 'plant', path, create: true, now: () => nowSeconds * 1_000 });
  async function open(): Promise<SqliteDatabase> {
    const database = await SqliteDatabase.open(options());
    undo.push(() => database.close());
    return database;
  }
  async function openBare(): Promise<DatabaseParts> {
    const parts = await openParts(options());
    undo.push(async () => {
      parts.upkeep.stop();
      await parts.commit.close();
      await parts.connection.dataSource.destroy();
      parts.lock.release();
    });
    return parts;
  }
  const blobFiles = (): string[] =>
    readdirSync(join(path, 'blobs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('/'));

  it('purges more than fits one transaction, and gives writes their turn in between', async () => {
    const database = await open();
    const count = 2 * SWEEP_ROWS + 10;
    await database.write(Array.from({ length: count }, (_, n) => edit(`d${n}`, { expiresAt: NOW + 10 })));
    nowSeconds += 10;
    let swept = false;
    const sweep = database.sweep().then(() => (swept = true));
    await database.write([edit('new')]);
    expect(swept).toBe(false);
    await sweep;
    expect(database.collection(KEYSPACE)).toMatchObject({ documents: 1, lastSequence: count + 1 });
    expect(await database.checkIntegrity()).toEqual([]);
  });

  it('runs by itself when a document expires, and at least every minute', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const parts = await openBare();
    const collection = parts.collections.get(KEYSPACE);
    const write = (id: string, expiresAt: number) =>
      parts.commit.run(1, () => parts.writePath.apply(collection, edit(id, { expiresAt })));
    const rows = () => parts.connection.handle.prepare('SELECT count(*) FROM documents').pluck().get();
    const settle = async () => {
      for (let n = 0; n < 10; n++) await new Promise(setImmediate);
    };
    await write('first', NOW + 30);
    await write('second', NOW + 70);
    nowSeconds += 60;
    await vi.advanceTimersByTimeAsync(60_000);
    await settle();
    expect(rows()).toBe(1);
    nowSeconds += 10;
    await vi.advanceTimersByTimeAsync(10_000);
    await settle();
    expect(rows()).toBe(0);
  });

  it('reports a fault and goes on', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reported: unknown[] = [];
    const parts = await openParts({ ...options(), report: (error) => reported.push(error) });
    undo.push(async () => {
      parts.upkeep.stop();
      await parts.connection.dataSource.destroy();
      parts.lock.release();
    });
    const purge = vi.spyOn(parts.writePath, 'purgeExpired').mockImplementation(() => {
      throw new Error('no luck');
    });
    for (let round = 1; round <= 2; round++) {
      await vi.advanceTimersByTimeAsync(60_000);
      for (let n = 0; n < 10; n++) await new Promise(setImmediate);
      expect(reported).toHaveLength(round);
    }
    expect(purge).toHaveBeenCalledTimes(2);
  });

  it('removes the file of a collected blob', async () => {
    const database = await open();
    const { digest } = await database.putBlob(bytes);
    expect(blobFiles()).toHaveLength(1);
    nowSeconds += BLOB_GRACE_SECONDS;
    await database.sweep();
    expect(blobFiles()).toEqual([]);
    expect(database.openBlob(digest)).toBeUndefined();
  });

  it('does not take the file of a blob that is stored again at that moment', async () => {
    const parts = await openBare();
    let arrived: () => void = () => undefined;
    let registered: () => void = () => undefined;
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    const upload = parts.blobFiles.store(bytes, { limit: 100 }, () => {
      arrived();
      return new Promise((resolve) => (registered = resolve));
    });
    await arrival;
    const [digest] = parts.blobFiles.digests();
    parts.blobFiles.remove(digest!);
    expect(blobFiles()).toHaveLength(1);
    registered();
    await upload;
    parts.blobFiles.remove(digest!);
    expect(blobFiles()).toEqual([]);
  });

  it('that collects a blob just before a peer learns that it is there has the peer send it again', async () => {
    const database = await open();
    const { digest } = await database.putBlob(bytes);
    nowSeconds += BLOB_GRACE_SECONDS;
    const { commit, blobTable } = database['parts'];
    // Heavy enough for the question to be answered in the next transaction.
    const collected = commit.run(GROUP_WEIGHT, () => blobTable.forget(digest));
    expect(await database.missingBlobs([digest])).toEqual([digest]);
    await collected;
    expect(await database.checkIntegrity()).toEqual([]);
  });

  it('finds no row without a file and no file without a row after a restart', async () => {
    const first = await SqliteDatabase.open(options());
    await first.putBlob(bytes);
    await first.close();
    mkdirSync(join(path, 'blobs', 'aa'), { recursive: true });
    const stray = join(path, 'blobs', 'aa', 'aa'.repeat(20));
    writeFileSync(stray, 'a file whose registration was lost');
    writeFileSync(join(path, 'uploads', 'half'), 'half an upload');
    writeFileSync(join(path, 'blobs', '.keep'), 'not ours');
    const database = await open();
    expect(existsSync(stray)).toBe(false);
    expect(readdirSync(join(path, 'uploads'))).toEqual([]);
    expect(existsSync(join(path, 'blobs', '.keep'))).toBe(true);
    expect(await database.checkIntegrity()).toEqual([]);
  });
});
