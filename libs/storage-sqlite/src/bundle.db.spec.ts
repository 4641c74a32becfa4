import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '@edgesync/errors';
import { SqliteDatabase } from './sqlite-database.js';
import { hashDirectory } from './testing/directory-hash.js';
import { temporaryDirectory } from './testing/test-storage.js';

const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };

describe('opening a path that is no database of ours', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  let file: string;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory.path, 'plant.cblite2');
    file = join(path, 'edgesync.sqlite3');
  });
  afterEach(() => directory.remove());

  const open = (options: { create?: boolean } = {}) =>
    SqliteDatabase.open({ name: 'plant', path, create: true, ...options });

  async function makeDatabase(documents = 200): Promise<void> {
    const database = await open();
    const body = JSON.stringify({ text: 'x'.repeat(500) });
    await database.write(
      Array.from({ length: documents }, (_, n) => ({
        type: 'edit',
        keyspace: KEYSPACE,
        id: `doc${n}`,
        deleted: false,
        body,
      })),
    );
    await database.close();
  }

  /** The refusal names the path and the reason, and nothing in the directory has changed by one byte. */
  async function expectRefusal(code: ErrorCode, reason: RegExp): Promise<void> {
    const before = hashDirectory(directory.path);
    const refusal = open();
    await expect(refusal).rejects.toMatchObject({ code, message: expect.stringContaining(path) });
    await expect(refusal).rejects.toThrow(reason);
    expect(hashDirectory(directory.path)).toEqual(before);
  }

  it('refuses a Couchbase Lite bundle whose file is no database', async () => {
    mkdirSync(join(path, 'Attachments'), { recursive: true });
    writeFileSync(join(path, 'db.sqlite3'), 'no database at all '.repeat(10));
    await expectRefusal('storage.foreign', /not a database/);
  });

  it('refuses a SQLite file of another application', async () => {
    mkdirSync(path);
    new Database(file).exec('CREATE TABLE cars (id)').close();
    await expectRefusal('storage.foreign', /another application/);
  });

  it.each([10, 5_000])('refuses %i bytes that are not SQLite', async (length) => {
    mkdirSync(path);
    writeFileSync(file, 'x'.repeat(length));
    await expectRefusal('storage.corrupt', /not a SQLite file/);
  });

  it('refuses a path that is a file', async () => {
    writeFileSync(path, 'hello');
    await expectRefusal('storage.foreign', /is a file/);
  });

  it('refuses a path below a file', async () => {
    writeFileSync(join(directory.path, 'file'), 'hello');
    path = join(directory.path, 'file', 'plant.cblite2');
    await expectRefusal('storage.failed', /ENOTDIR/);
  });

  it('refuses a directory with anything else in it', async () => {
    mkdirSync(path);
    writeFileSync(join(path, 'notes.txt'), 'hello');
    await expectRefusal('storage.foreign', /notes\.txt/);
  });

  it('refuses a database that has lost its main file, and leaves the blobs alone', async () => {
    const database = await open();
    await database.putBlob(Buffer.from('blob'));
    await database.close();
    rmSync(file);
    await expectRefusal('storage.corrupt', /lost its file/);
    writeFileSync(file, '');
    await expectRefusal('storage.corrupt', /lost its file/);
  });

  it.each([
    ['one byte', (size: number) => size - 1],
    ['one page', (size: number) => size - 4_096],
    ['half', (size: number) => Math.floor(size / 8_192) * 4_096],
    ['all but the header', () => 100],
    ['all but half of the header', () => 50],
  ])('refuses a file that has lost %s', async (_, left) => {
    await makeDatabase();
    truncateSync(file, left(readFileSync(file).length));
    await expectRefusal('storage.corrupt', /damaged/);
  });

  it('refuses a file with any page overwritten', async () => {
    await makeDatabase(60);
    const intact = readFileSync(file);
    const pageSize = intact.readUInt16BE(16);
    for (let page = 0; page < intact.length / pageSize; page++) {
      const damaged = Buffer.from(intact);
      // The head of the page, behind SQLite's header on the first one.
      damaged.fill(0xff, page * pageSize + (page === 0 ? 100 : 0), page * pageSize + (page === 0 ? 108 : 8));
      writeFileSync(file, damaged);
      await expectRefusal('storage.corrupt', /damaged/);
    }
    writeFileSync(file, intact);
    await (await open()).close();
  });

  it('refuses a schema that a newer version has extended', async () => {
    await makeDatabase(1);
    new Database(file).exec(`INSERT INTO migrations (timestamp, name) VALUES (9, 'Later')`).close();
    await expect(open()).rejects.toMatchObject({ code: 'storage.foreign', message: expect.stringContaining('newer') });
  });

  it('creates nothing unless it may', async () => {
    await expect(open({ create: false })).rejects.toMatchObject({
      code: 'storage.missing',
      message: expect.stringContaining(path),
    });
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it('opens what is there without leave to create', async () => {
    await makeDatabase(1);
    const database = await open({ create: false });
    expect(database.collection(KEYSPACE).documents).toBe(1);
    await database.close();
  });

  it('makes missing directories above the bundle', async () => {
    path = join(directory.path, 'a', 'b', 'plant.cblite2');
    await (await open()).close();
    expect(readdirSync(path)).toContain('edgesync.sqlite3');
  });

  it('takes over files of a database that was not closed, half a page at the end included', async () => {
    const database = await open();
    await database.write([{ type: 'edit', keyspace: KEYSPACE, id: 'a', deleted: false, body: '{}' }]);
    const original = path;
    path = join(directory.path, 'copy.cblite2');
    cpSync(original, path, { recursive: true });
    await database.close();
    // As if the machine had lost power while the log was being folded into the file: the log still has every page.
    appendFileSync(join(path, 'edgesync.sqlite3'), 'x'.repeat(1_000));
    const copy = await open();
    expect(copy.collection(KEYSPACE).documents).toBe(1);
    await copy.close();
  });
});
