import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { blobFileName, writeFleece } from '@edgesync/cblite';
import { readJsonTree } from '@edgesync/document';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CouchbaseLiteWriter } from '../export/couchbase-lite-writer.js';
import { exportBundle } from '../export/export-bundle.js';
import { SqliteDatabase } from '../sqlite-database.js';
import { startDatabaseProcess } from '../testing/child-process.js';
import { hashDirectory } from '../testing/directory-hash.js';
import { temporaryDirectory } from '../testing/test-storage.js';
import type { ImportReport } from './import-bundle.js';
import { importCouchbaseLite } from './import-couchbase-lite.js';

const SAMPLES = join(import.meta.dirname, '../../../cblite/fixtures/samples');
const NAMES = [
  'sample-v3',
  'sample-v4',
  'sample-upgraded',
  'sample-conflict-v3',
  'sample-conflict-v4',
  'sample-numbers',
  'sample-names',
  'sample-log',
];
const DEFAULT = { scope: '_default', collection: '_default' };

let directory: ReturnType<typeof temporaryDirectory>;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => directory.remove());

const at = (name: string): string => join(directory.path, name);
const sample = (name: string): string => {
  const path = at(`${name}.cblite2`);
  cpSync(join(SAMPLES, `${name}.cblite2`), path, { recursive: true });
  return path;
};
const open = (path: string, options = {}): Promise<SqliteDatabase> =>
  SqliteDatabase.open({ name: 'plant', path, create: false, ...options });
const keyspace = ({ scope, collection } = DEFAULT) => ({ database: 'plant', scope, collection });
type Line = Record<string, unknown> & { readonly _id?: string; readonly _collection: string };
const lines = (file: string): Line[] =>
  readFileSync(join(SAMPLES, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
const nameOf = (text: string) => {
  const [first = '', second] = text.split('.');
  return second === undefined ? { scope: '_default', collection: first } : { scope: first, collection: second };
};

/** A bundle as an app leaves it, with documents `doc0` … and whatever else is done to its file. */
function makeBundle(
  path: string,
  documents: number,
  change: (handle: Database.Database) => void = () => undefined,
): string {
  mkdirSync(path);
  const writer = new CouchbaseLiteWriter(path, 3);
  for (let n = 0; n < documents; n++)
    writer.add(DEFAULT, {
      id: `doc${n}`,
      deleted: false,
      body: `{"n":${n},"text":"${'x'.repeat(n % 900)}"}`,
      revisions: ['1-ab'],
      vector: '',
    });
  writer.finish();
  const handle = new Database(join(path, 'db.sqlite3'));
  change(handle);
  handle.close();
  return path;
}

describe('opening a path that holds a Couchbase Lite database', () => {
  it.each(NAMES)('%s is imported beside the original, which stays as it was', async (name) => {
    const path = sample(name);
    const before = hashDirectory(path);
    let report: ImportReport | undefined;
    const database = await open(path, {
      onImport: { progress: () => undefined, done: (made: ImportReport) => (report = made) },
    });
    try {
      const own = `${name}.expected.jsonl`;
      const expected = lines(existsSync(join(SAMPLES, own)) ? own : 'expected.jsonl');
      expect(report!.documents).toBe(expected.length);
      for (const { _id, _collection, ...body } of expected) {
        const [row] = database.read(keyspace(nameOf(_collection)), [_id!]);
        expect(JSON.parse(row!.body as string)).toEqual(body);
      }
      expect(await database.checkIntegrity()).toEqual([]);
    } finally {
      await database.close();
    }
    expect(hashDirectory(path)).toMatchObject(before);
    const again = await open(path);
    expect(again.describe().collections.reduce((sum, { documents }) => sum + documents, 0)).toBe(report!.documents);
    await again.close();
  });

  it.each(['sample-upgraded', 'sample-names', 'sample-conflict-v3', 'sample-conflict-v4'])(
    '%s keeps revisions, vectors, tombstones, expirations and sequences',
    async (name) => {
      const database = await open(sample(name));
      try {
        for (const line of lines(`${name}.full.jsonl`)) {
          const space = keyspace(nameOf(line._collection));
          if (line._id === undefined) {
            expect(database.collection(space)).toMatchObject({
              documents: line['count'],
              lastSequence: line['lastSeq'],
            });
            continue;
          }
          const global = line['global'] as string;
          const [row] = database.read(space, [line._id]);
          expect(row).toMatchObject({
            sequence: line['seq'],
            deleted: ((line['flags'] as number) & 1) !== 0,
            ...(global.includes('@')
              ? { vector: global }
              : { rev: global, vector: expect.stringContaining('@Revision+Tree+Encoding') as string }),
          });
          const expiration = line['expiration'] as number;
          if (expiration > 0) expect(row!.expiresAt).toBe(Math.floor(expiration / 1000));
        }
      } finally {
        await database.close();
      }
    },
  );

  it('a losing branch is known, so that an app that has it is refused with a conflict rather than stored', async () => {
    const database = await open(sample('sample-conflict-v3'));
    try {
      const line = lines('sample-conflict-v3.full.jsonl').find(
        ({ leaves }) => Array.isArray(leaves) && leaves.length > 1,
      )!;
      const [, loser] = line['leaves'] as { rev: string; body: object }[];
      const [row] = database.read(keyspace(), [line._id!]);
      expect(row!.rev).toBe(line['global']);
      expect(JSON.parse(database.readRevision(keyspace(), line._id!, loser!.rev)!.body as string)).toEqual(loser!.body);
    } finally {
      await database.close();
    }
  });

  it('the newest documents, which only the log holds, come along', async () => {
    const path = sample('sample-log');
    expect(existsSync(join(path, 'db.sqlite3-wal'))).toBe(true);
    const database = await open(path);
    expect(database.describe().collections[0]!.documents).toBe(lines('sample-log.expected.jsonl').length);
    await database.close();
  });

  it('blobs come along and those that are missing or changed are named', async () => {
    const path = sample('sample-v4');
    const blobs = ['sha1-LKiQMAJ4ppiOIQeKy5LHevAAMzw=', 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk='];
    writeFileSync(join(path, 'Attachments', blobFileName(blobs[0]!)), 'other content');
    const report = await importCouchbaseLite(path, at('target.cblite2'));
    expect(report.lostBlobs.map(({ reason }) => reason)).toEqual([expect.stringContaining(blobs[0]!)]);
    const database = await open(at('target.cblite2'));
    const content = database.openBlob(blobs[1]!);
    expect(content!.length).toBe(0);
    expect(database.openBlob(blobs[0]!)).toBeUndefined();
    await database.close();
  });

  it('checkpoints of apps are kept with the sequences they name', async () => {
    const path = makeBundle(at('app.cblite2'), 3, (handle) => {
      handle.exec(
        'CREATE TABLE "kv_peer\\Checkpoints" (key TEXT PRIMARY KEY, sequence INTEGER, flags INTEGER, version BLOB, body BLOB, expiration INTEGER, extra BLOB)',
      );
      handle
        .prepare('INSERT INTO "kv_peer\\Checkpoints" (key, body) VALUES (?, ?)')
        .run('cp-app', Buffer.from('{"remote":3}'));
      handle.exec('UPDATE kv_default SET sequence = sequence * 10; UPDATE kvmeta SET lastSeq = 47');
    });
    const database = await open(path);
    expect(database.loadCheckpoint(keyspace(), 'cp-app')).toEqual({ rev: '0-1', body: '{"remote":3}' });
    expect(database.collection(keyspace()).lastSequence).toBe(47);
    expect(database.read(keyspace(), ['doc2'])[0]!.sequence).toBe(30);
    await database.write([{ type: 'edit', keyspace: keyspace(), id: 'new', deleted: false, body: '{}' }]);
    expect(database.read(keyspace(), ['new'])[0]!.sequence).toBe(48);
    await database.close();
  });

  it('expired documents stay behind and are counted; a passed deadline is never prolonged', async () => {
    const now = Date.now();
    const path = makeBundle(at('app.cblite2'), 3, (handle) => {
      handle.prepare(`UPDATE kv_default SET expiration = ? WHERE key = 'doc0'`).run(now - 1000);
      handle.prepare(`UPDATE kv_default SET expiration = ? WHERE key = 'doc1'`).run(now + 90_900);
    });
    const report = await importCouchbaseLite(path, at('target.cblite2'), { now: () => now });
    expect(report).toMatchObject({ documents: 2, expired: 1 });
    const database = await open(at('target.cblite2'));
    expect(database.read(keyspace(), ['doc1'])[0]!.expiresAt).toBe(Math.floor((now + 90_900) / 1000));
    await database.close();
  });

  it('a deleted document that still lies in the live table is a tombstone', async () => {
    const path = makeBundle(at('app.cblite2'), 2, (handle) =>
      handle.exec(`UPDATE kv_default SET flags = 1 | (7 << 16) WHERE key = 'doc0'`),
    );
    const database = await open(path);
    expect(database.read(keyspace(), ['doc0'])[0]!.deleted).toBe(true);
    expect(database.collection(keyspace()).documents).toBe(1);
    await database.close();
  });
});

describe('what cannot be imported', () => {
  const refusal = async (path: string): Promise<string> => {
    const before = hashDirectory(path);
    const error = await open(path).then(
      async (database) => {
        await database.close();
        return undefined;
      },
      (thrown: unknown) => thrown as Error,
    );
    expect(hashDirectory(path)).toMatchObject(before);
    expect(existsSync(join(path, 'edgesync.sqlite3'))).toBe(false);
    return error?.message ?? 'imported';
  };
  const withHeader = (change: (file: Buffer) => void): string => {
    const path = makeBundle(at('app.cblite2'), 3);
    const file = readFileSync(join(path, 'db.sqlite3'));
    change(file);
    writeFileSync(join(path, 'db.sqlite3'), file);
    return path;
  };
  const withSql = (sql: string): string => makeBundle(at('app.cblite2'), 3, (handle) => handle.exec(sql));

  it('an encrypted database is refused with the way out', async () => {
    const path = withHeader((file) => {
      file.fill(0x5a, 0, 16);
      file.set(Buffer.from('100002020c402020', 'hex'), 16);
    });
    expect(await refusal(path)).toMatch(/encrypted.*cblite decrypt/);
  });

  it.each([
    ['a file of Couchbase Lite 1', 'PRAGMA user_version = 101', /Couchbase Lite 1\.x/],
    ['a file of a newer Couchbase Lite', 'PRAGMA user_version = 600', /newer Couchbase Lite/],
    ['another application’s file', 'DROP TABLE kvmeta', /not a Couchbase Lite database/],
    ['a database that was never set up', `DELETE FROM kv_info WHERE key = 'versioning'`, /never completely set up/],
    [
      'a document whose body is damaged',
      `UPDATE kv_default SET body = x'0102030405' WHERE key = 'doc1'`,
      /document "doc1" of _default\._default/,
    ],
    [
      'a document whose tree is damaged',
      `UPDATE kv_default SET extra = x'0000ffff01' WHERE key = 'doc1'`,
      /document "doc1" of _default\._default/,
    ],
    ['two documents with one sequence', `UPDATE kv_default SET sequence = 1`, /belongs to two documents/],
  ])('%s is refused by name', async (_, sql, words) => {
    expect(await refusal(withSql(sql))).toMatch(words);
  });

  it('a file that is cut short is refused', async () => {
    const path = makeBundle(at('app.cblite2'), 300);
    const file = readFileSync(join(path, 'db.sqlite3'));
    writeFileSync(join(path, 'db.sqlite3'), file.subarray(0, file.length - 8192));
    expect(await refusal(path)).toMatch(/damaged/);
  });

  it('an empty file is refused', async () => {
    const path = makeBundle(at('app.cblite2'), 0);
    writeFileSync(join(path, 'db.sqlite3'), '');
    expect(await refusal(path)).toMatch(/empty/);
  });

  it('damaged documents are left out and named when that is asked for', async () => {
    const path = withSql(`UPDATE kv_default SET body = x'0102030405' WHERE key = 'doc1'`);
    const report = await importCouchbaseLite(path, at('target.cblite2'), { skipDamaged: true });
    expect(report).toMatchObject({
      documents: 2,
      skippedCount: 1,
      skipped: [{ collection: '_default._default', id: 'doc1' }],
    });
  });

  it('a dry run reports and leaves nothing', async () => {
    const path = sample('sample-v4');
    const before = hashDirectory(directory.path);
    const report = await importCouchbaseLite(path, at('target.cblite2'), { dryRun: true });
    expect(report.documents).toBe(lines('expected.jsonl').length);
    expect(report.blobs).toBe(2);
    expect(hashDirectory(directory.path)).toEqual(before);
  });

  it('a dry run refuses a target that exists', async () => {
    await importCouchbaseLite(sample('sample-v3'), at('target.cblite2'));
    await expect(importCouchbaseLite(at('sample-v3.cblite2'), at('target.cblite2'), { dryRun: true })).rejects.toThrow(
      'exists; an import replaces nothing',
    );
  });

  it('an import that ended while its files were being moved is repeated', async () => {
    const target = at('target.cblite2');
    mkdirSync(join(target, 'importing'), { recursive: true });
    mkdirSync(join(target, 'blobs'));
    const report = await importCouchbaseLite(sample('sample-v4'), target);
    expect(report.blobs).toBe(2);
    const database = await open(target);
    expect(await database.checkIntegrity()).toEqual([]);
    await database.close();
  });

  it('a target that exists is refused', async () => {
    await importCouchbaseLite(sample('sample-v3'), at('target.cblite2'));
    await expect(importCouchbaseLite(at('sample-v3.cblite2'), at('target.cblite2'))).rejects.toThrow(
      'replaces nothing',
    );
  });
});

describe('an interrupted import', () => {
  it('goes on where it stopped', async () => {
    const path = makeBundle(at('app.cblite2'), 5_000);
    const controller = new AbortController();
    const seen: number[] = [];
    await expect(
      importCouchbaseLite(path, at('target.cblite2'), {
        signal: controller.signal,
        onProgress: ({ rows }) => {
          seen.push(rows);
          controller.abort(new Error('stopped'));
        },
      }),
    ).rejects.toThrow('stopped');
    const resumed: number[] = [];
    const report = await importCouchbaseLite(path, at('target.cblite2'), {
      onProgress: ({ rows }) => resumed.push(rows),
    });
    expect(resumed[0]).toBeGreaterThan(seen.at(-1)!);
    expect(report.documents).toBe(5_000);
  });

  it('starts over if the source has changed meanwhile', async () => {
    const path = makeBundle(at('app.cblite2'), 3_000);
    const controller = new AbortController();
    await expect(
      importCouchbaseLite(path, at('target.cblite2'), {
        signal: controller.signal,
        onProgress: () => controller.abort(new Error('stopped')),
      }),
    ).rejects.toThrow('stopped');
    rmSync(path, { recursive: true });
    makeBundle(path, 2_000);
    const report = await importCouchbaseLite(path, at('target.cblite2'));
    expect(report.documents).toBe(2_000);
    const database = await open(at('target.cblite2'));
    expect(database.collection(keyspace()).documents).toBe(2_000);
    await database.close();
  });

  it('survives a killed process', async () => {
    const path = makeBundle(at('app.cblite2'), 20_000);
    const child = startDatabaseProcess(path, 'import');
    expect((await child.lines.next()).value).toMatch(/^imported \d+$/);
    await child.kill();
    expect(existsSync(join(path, 'edgesync.sqlite3'))).toBe(false);
    const progress: number[] = [];
    const database = await open(path, {
      onImport: { progress: ({ rows }: { rows: number }) => progress.push(rows), done: () => undefined },
    });
    expect(progress[0]).toBeGreaterThan(1_000);
    expect(database.collection(keyspace()).documents).toBe(20_000);
    expect(await database.checkIntegrity()).toEqual([]);
    await database.close();
  });
});

describe('exporting a bundle', () => {
  it.each([3, 4] as const)(
    'an import of an export for Couchbase Lite %s has the same documents and revisions',
    async (format) => {
      const original = await open(sample('sample-v4'));
      const summary = original.describe();
      await original.close();
      const exported = await exportBundle(at('sample-v4.cblite2'), at('out.cblite2'), { format });
      expect(exported.blobs).toBe(2);
      await importCouchbaseLite(at('out.cblite2'), at('back.cblite2'));
      const [first, second] = [await open(at('sample-v4.cblite2')), await open(at('back.cblite2'))];
      for (const { scope, collection, documents } of summary.collections) {
        const space = keyspace({ scope, collection });
        expect(second.collection(space).documents).toBe(documents);
        for (const row of first.list(space, { limit: 1_000 }).rows) {
          const [back] = second.read(space, [row.id]);
          expect(JSON.parse(back!.body as string)).toEqual(JSON.parse(row.body as string));
          if (format === 3) expect(back!.tree).toBe(row.tree);
          else expect(back!.vector).toBe(row.vector);
        }
      }
      await first.close();
      await second.close();
    },
  );

  it('a bundle for a URL carries the checkpoints by which a first sync lists nothing', async () => {
    const database = await SqliteDatabase.open({ name: 'plant', path: at('plant.cblite2'), create: true });
    for (let n = 0; n < 3; n++)
      await database.write([{ type: 'edit', keyspace: keyspace(), id: `doc${n}`, deleted: false, body: `{"n":${n}}` }]);
    await database.close();
    await exportBundle(at('plant.cblite2'), at('out.cblite2'), { format: 4, forUrl: 'ws://edge.example:59840/plant' });
    const handle = new Database(join(at('out.cblite2'), 'db.sqlite3'));
    const [own] = handle.prepare('SELECT key, body FROM kv_checkpoints').all() as { key: string; body: Buffer }[];
    handle.close();
    expect(JSON.parse(own!.body.toString())).toEqual({ local: 3, remote: 3 });
    const server = await open(at('plant.cblite2'));
    expect(server.loadCheckpoint(keyspace(), own!.key)).toEqual({ rev: '0-1', body: own!.body.toString() });
    await server.close();
  });

  it('a key that the bundle’s table lacks is damage, never a guess', async () => {
    const path = makeBundle(at('app.cblite2'), 1, (handle) =>
      handle.prepare(`UPDATE kv_info SET body = ? WHERE key = 'SharedKeys'`).run(writeFleece(readJsonTree('["n"]'))),
    );
    await expect(open(path)).rejects.toThrow('shared key 1');
  });
});
