import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteDatabase } from '../sqlite-database.js';
import { startDatabaseProcess } from '../testing/child-process.js';
import { hashDirectory } from '../testing/directory-hash.js';
import { temporaryDirectory } from '../testing/test-storage.js';
import { checkDatabase } from './check-database.js';
import { compactDatabase } from './compact-database.js';
import { describeBundle } from './describe-bundle.js';

const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };
const DOCUMENTS = 400;

let directory: ReturnType<typeof temporaryDirectory>;
let path: string;
const open = () => SqliteDatabase.open({ name: 'plant', path, create: true });
const file = () => join(path, 'edgesync.sqlite3');
const edit = (id: string, body: object, expectedRev?: string) => ({
  type: 'edit' as const,
  keyspace: KEYSPACE,
  id,
  deleted: false,
  body: JSON.stringify(body),
  ...(expectedRev !== undefined && { expect: expectedRev }),
});

beforeEach(async () => {
  directory = temporaryDirectory();
  path = join(directory.path, 'plant.cblite2');
  const database = await open();
  const { digest } = await database.putBlob(Buffer.from('blob'));
  await database.write([edit('blob', { b: { '@type': 'blob', digest } })]);
  await database.write(Array.from({ length: DOCUMENTS }, (_, n) => edit(`doc${n}`, { text: 'x'.repeat(2_000) })));
  await database.close();
});
afterEach(() => directory.remove());

describe('checking a database', () => {
  it('finds nothing in a sound one, and changes nothing', async () => {
    const { database, blobs } = { database: readFileSync(file()), blobs: hashDirectory(join(path, 'blobs')) };
    expect(await checkDatabase(path)).toEqual([]);
    expect(readFileSync(file()).equals(database)).toBe(true);
    expect(hashDirectory(join(path, 'blobs'))).toEqual(blobs);
  });

  it('finds a damaged blob', async () => {
    const [name] = readdirSync(join(path, 'blobs'), { recursive: true, encoding: 'utf8' }).filter((found) =>
      found.includes('/'),
    );
    writeFileSync(join(path, 'blobs', name!), 'BLOB');
    expect(await checkDatabase(path)).toEqual([expect.stringMatching(/^blob sha1-.* is damaged or lost$/)]);
  });

  it.each([1, 8, 50, 100])('finds page %i overwritten', async (page) => {
    const descriptor = openSync(file(), 'r+');
    writeSync(descriptor, Buffer.alloc(4_096, 0xa5), 0, 4_096, page * 4_096);
    closeSync(descriptor);
    expect((await checkDatabase(path)).length).toBeGreaterThan(0);
  });

  it('refuses one that is open, missing, or of Couchbase Lite', async () => {
    await expect(checkDatabase(join(directory.path, 'none.cblite2'))).rejects.toMatchObject({
      code: 'storage.missing',
    });
    const database = await open();
    await expect(checkDatabase(path)).rejects.toMatchObject({ code: 'storage.locked' });
    await database.close();
    const sample = join(import.meta.dirname, '../../../cblite/fixtures/samples/sample-v4.cblite2');
    await expect(checkDatabase(sample)).rejects.toThrow('import it first');
  });
});

describe('compacting a database', () => {
  it('gives space back and keeps every document', async () => {
    const database = await open();
    const ids = Array.from({ length: DOCUMENTS }, (_, n) => `doc${n}`);
    const rows = database.read(KEYSPACE, ids);
    await database.write(rows.map((row) => edit(row!.id, { n: 1 }, row!.rev)));
    const kept = database.read(KEYSPACE, ['blob', ...ids]);
    const { uuid } = database.describe();
    await database.close();

    const { before, after } = await compactDatabase(path);
    expect(after).toBeLessThan(before / 4);
    expect(statSync(file()).size).toBe(after);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, 'uploads'))).toEqual([]);

    expect(await checkDatabase(path)).toEqual([]);
    const again = await open();
    expect(again.read(KEYSPACE, ['blob', ...ids])).toEqual(kept);
    expect(again.describe().uuid).toBe(uuid);
    await again.write([edit('new', {})]);
    await again.close();
  });

  it('refuses a damaged database, and leaves it as it is', async () => {
    const descriptor = openSync(file(), 'r+');
    writeSync(descriptor, Buffer.alloc(4_096, 0xa5), 0, 4_096, 50 * 4_096);
    closeSync(descriptor);
    await expect(compactDatabase(path)).rejects.toMatchObject({ code: 'storage.corrupt' });
    expect(readdirSync(join(path, 'uploads'))).toEqual([]);
  });
});

describe('describing a bundle', () => {
  it('counts what one of ours holds', () => {
    const facts = describeBundle(path);
    expect(facts).toMatchObject({
      kind: 'edgesync',
      uuid: expect.stringMatching(/^[0-9a-f]{32}$/),
      fileBytes: statSync(file()).size,
      blobs: 1,
      blobBytes: 4,
      collections: [
        { name: '_default._default', documents: DOCUMENTS + 1, tombstones: 0, lastSequence: DOCUMENTS + 1 },
      ],
    });
    expect(facts.holder).toBeUndefined();
  });

  it('names the process that holds it', async () => {
    const holder = startDatabaseProcess(path, 'hold');
    await holder.lines.next();
    expect(describeBundle(path).holder).toMatchObject({ pid: holder.child.pid });
    await holder.kill();
    expect(describeBundle(path).holder).toBeUndefined();
  });

  it('recognises a Couchbase Lite bundle and leaves it as it is', () => {
    const sample = join(import.meta.dirname, '../../../cblite/fixtures/samples/sample-v4.cblite2');
    const before = hashDirectory(sample);
    expect(describeBundle(sample)).toMatchObject({
      kind: 'couchbase-lite',
      version: expect.stringContaining('Couchbase Lite 4') as string,
      blobs: 2,
    });
    expect(hashDirectory(sample)).toEqual(before);
  });
});
