import { readdirSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EditRequest } from '@edgesync/ports';
import { SqliteDatabase } from './sqlite-database.js';
import { temporaryDirectory } from './testing/test-storage.js';

const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };

describe('the integrity check', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  let database: SqliteDatabase;
  beforeEach(async () => {
    directory = temporaryDirectory();
    path = join(directory.path, 'plant.cblite2');
    database = await SqliteDatabase.open({ name: 'plant', path, create: true, keepSuperseded: true });
    const { digest } = await database.putBlob(Buffer.from('blob'));
    const body = JSON.stringify({ b: { '@type': 'blob', digest }, text: 'x'.repeat(300) });
    const edit = (id: string, parts: Partial<EditRequest> = {}): EditRequest => ({
      type: 'edit',
      keyspace: KEYSPACE,
      id,
      deleted: false,
      body,
      ...parts,
    });
    await database.write([edit('a'), edit('b')]);
    await database.write([edit('a', { expect: database.read(KEYSPACE, ['a'])[0]!.rev, body: '{"n":2}' })]);
  });
  afterEach(async () => {
    await database.close();
    directory.remove();
  });

  const plant = (sql: string): void => {
    const handle = new Database(join(path, 'edgesync.sqlite3')).unsafeMode();
    handle.pragma('foreign_keys = OFF');
    handle.exec(sql).close();
  };

  it('finds nothing in a sound database', async () => {
    expect(await database.checkIntegrity()).toEqual([]);
  });

  it.each([
    ['UPDATE collections SET live = 7', /counts its live documents/],
    ['UPDATE documents SET flags = flags | 1', /counts its live documents/],
    ['UPDATE collections SET last_sequence = 1', /beyond the collection.s last: broken by a, b/],
    ['DROP INDEX documents_by_sequence; UPDATE documents SET sequence = 2', /sequence of its own: broken by [ab]/],
    [`UPDATE documents SET tree = '9-x' WHERE id = 'a'`, /heads the tree: broken by a/],
    [`UPDATE documents SET tree = rev || '0' WHERE id = 'a'`, /heads the tree: broken by a/],
    [`UPDATE documents SET body = '{' WHERE id = 'a'`, /every body is JSON: broken by a/],
    [`UPDATE revisions SET body = ''`, /every kept body is JSON: broken by 1-/],
    [
      `UPDATE revisions SET rev = (SELECT rev FROM documents WHERE id = 'a')`,
      /no current revision is kept a second time/,
    ],
    [`DELETE FROM revisions`, /references name stored bodies/],
    [`DELETE FROM blobs`, /references name stored blobs: broken by sha1-/],
    [`UPDATE blobs SET orphaned_at = 5`, /references name stored blobs: broken by sha1-/],
    [`DELETE FROM blob_references`, /blob without references is marked: broken by sha1-/],
    [`DELETE FROM documents WHERE id = 'a'`, /kept revisions belong to a document: broken by 1-/],
  ])('finds the fault of %s', async (sql, finding) => {
    plant(sql);
    expect(await database.checkIntegrity()).toContainEqual(expect.stringMatching(finding));
  });

  it('finds damage to an index', async () => {
    plant(`PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = 'CREATE INDEX documents_by_expiry ON documents (expires_at) WHERE id IS NOT NULL'
      WHERE name = 'documents_by_expiry';
      PRAGMA schema_version = 999`);
    expect(await database.checkIntegrity()).toContainEqual(expect.stringMatching(/documents_by_expiry/));
  });

  it.each<[string, (file: string) => void]>([
    ['lost', unlinkSync],
    ['cut off', (file) => truncateSync(file, 2)],
    ['changed', (file) => writeFileSync(file, 'BLOB')],
  ])('finds a blob whose file was %s', async (_, damage) => {
    const [name] = readdirSync(join(path, 'blobs'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.includes('/'),
    );
    damage(join(path, 'blobs', name!));
    expect(await database.checkIntegrity()).toContainEqual(expect.stringMatching(/^blob sha1-.* is damaged or lost$/));
  });
});
