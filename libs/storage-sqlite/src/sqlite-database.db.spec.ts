import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EditRequest } from '@edgesync/ports';
import { SqliteDatabase } from './sqlite-database.js';
import { SqliteStorage } from './sqlite-storage.js';
import { temporaryDirectory } from './testing/test-storage.js';
import { PAGE_SCANNED } from './tuning.js';

const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };
const edit = (id: string, parts: Partial<EditRequest> = {}): EditRequest => ({
  type: 'edit',
  keyspace: KEYSPACE,
  id,
  deleted: false,
  body: '{}',
  ...parts,
});

describe('an open database', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  let database: SqliteDatabase;
  beforeEach(async () => {
    directory = temporaryDirectory();
    path = join(directory.path, 'plant.cblite2');
    database = await SqliteDatabase.open({ name: 'plant', path, create: true });
  });
  afterEach(async () => {
    await database.close();
    directory.remove();
  });

  it('folds its log into the file when it closes, once', async () => {
    await database.write([edit('a')]);
    await Promise.all([database.close(), database.close()]);
    expect(readdirSync(path).sort()).toEqual([
      'blobs',
      'edgesync.lock',
      'edgesync.owner.json',
      'edgesync.sqlite3',
      'uploads',
    ]);
  });

  it('answers everybody with "try again later" from the moment it is closed', async () => {
    await database.write([edit('a')]);
    const { digest } = await database.putBlob(Buffer.from('blob'));
    const queued = database.write([edit('b')]);
    const closed = database.close();
    const uses: (() => unknown)[] = [
      () => database.read(KEYSPACE, ['a']),
      () => database.readRevision(KEYSPACE, 'a', 'x'),
      () => database.list(KEYSPACE, { limit: 1 }),
      () => database.changes(KEYSPACE, { since: 0, limit: 1 }),
      () => database.collection(KEYSPACE),
      () => database.describe(),
      () => database.write([edit('c')]),
      () => database.loadCheckpoint(KEYSPACE, 'x'),
      () => database.saveCheckpoint(KEYSPACE, 'x', '', '{}'),
      () => database.putBlob(Buffer.from('other')),
      () => database.openBlob(digest),
      () => database.missingBlobs([digest]),
      () => database.sweep(),
    ];
    const expectClosed = async () => {
      for (const use of uses)
        await expect((async () => use())(), use.toString()).rejects.toMatchObject({ code: 'storage.closed' });
    };
    await expectClosed();
    expect(await queued).toMatchObject([{ status: 'stored' }]);
    await closed;
    await expectClosed();
  });

  it('stops an upload that is under way when it closes, and keeps nothing of it', async () => {
    let started: () => void = () => undefined;
    let goOn: () => void = () => undefined;
    const start = new Promise<void>((resolve) => (started = resolve));
    const wait = new Promise<void>((resolve) => (goOn = resolve));
    async function* content() {
      yield Buffer.from('first');
      started();
      await wait;
      yield Buffer.from('second');
    }
    const upload = expect(database.putBlob(content())).rejects.toMatchObject({ code: 'storage.closed' });
    await start;
    await database.close();
    goOn();
    await upload;
    expect(readdirSync(join(path, 'uploads'))).toEqual([]);
    expect(readdirSync(join(path, 'blobs'))).toEqual([]);
  });

  it('finishes uploads that have arrived in full before it closes', async () => {
    const uploads = Array.from({ length: 5 }, (_, n) => database.putBlob(Buffer.from(`blob ${n}`)));
    const settled = Promise.allSettled(uploads);
    await new Promise(setImmediate);
    await database.close();
    const stored = (await settled).filter(({ status }) => status === 'fulfilled').length;
    database = await SqliteDatabase.open({ name: 'plant', path, create: false });
    expect(await database.checkIntegrity()).toEqual([]);
    const files = readdirSync(join(path, 'blobs'), { recursive: true }).filter((name) => name.includes('/'));
    expect(files).toHaveLength(stored);
  });

  it('says that a blob is missing if its file was collected before it was read', async () => {
    const { digest } = await database.putBlob(Buffer.from('blob'));
    const blob = database.openBlob(digest)!;
    expect(blob).toEqual({ digest, length: 4, read: expect.any(Function) });
    directory.remove();
    await expect(async () => {
      for await (const _ of blob.read());
    }).rejects.toMatchObject({ code: 'blob.missing' });
  });

  it('gives a page of changes back after so many rows, however few of them are wanted', async () => {
    const request = (n: number, deleted: boolean) =>
      ({
        type: 'revision',
        keyspace: KEYSPACE,
        id: `d${n}`,
        rev: `1-${'a'.repeat(40)}`,
        history: '',
        deleted,
        body: '{}',
        onConflict: 'refuse',
      }) as const;
    await database.write(Array.from({ length: PAGE_SCANNED + 5 }, (_, n) => request(n, true)));
    await database.write([request(PAGE_SCANNED + 5, false)]);
    const first = database.changes(KEYSPACE, { since: 0, limit: 10, activeOnly: true, body: false });
    expect(first).toMatchObject({ rows: [], scanned: PAGE_SCANNED, more: true });
    const second = database.changes(KEYSPACE, { since: first.scanned, limit: 10, activeOnly: true, body: false });
    expect(second).toMatchObject({ rows: [{ id: `d${PAGE_SCANNED + 5}` }], more: false });
  });

  it('leaves the handle free for others after a page that was cut short', async () => {
    await database.write([edit('a'), edit('b'), edit('c')]);
    expect(database.list(KEYSPACE, { limit: 1 }).more).toBe(true);
    expect(database.changes(KEYSPACE, { since: 0, limit: 1 }).more).toBe(true);
    expect(await database.write([edit('d')])).toMatchObject([{ status: 'stored' }]);
  });

  it('has a name of its own in the storage', async () => {
    const storage = new SqliteStorage();
    const other = (name: string, file: string) =>
      storage.openDatabase({ name, path: join(directory.path, file), create: true });
    await other('office', 'a.cblite2');
    await expect(other('office', 'b.cblite2')).rejects.toMatchObject({ code: 'config.invalid' });
    await other('harbour', 'b.cblite2');
    expect(await storage.databases()).toEqual(['harbour', 'office']);
    await storage.close();
    await expect(storage.read({ ...KEYSPACE, database: 'office' }, ['a'])).rejects.toMatchObject({
      code: 'storage.closed',
      status: 503,
    });
  });
});
