import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IndexConfig } from '@edgesync/config';
import type { EditRequest } from '@edgesync/ports';
import { openParts, type DatabaseParts } from '../../open-database.js';
import { SqliteStorage } from '../../sqlite-storage.js';
import { startDatabaseProcess } from '../../testing/child-process.js';
import { indexesBuilt, rowsOf } from '../../testing/queried-storage.js';
import { temporaryDirectory } from '../../testing/test-storage.js';
import { IndexBuilder } from './index-builder.js';

const DATABASE = 'plant';
const COLLECTION = { scope: '_default', collection: '_default' };
const KEYSPACE = { database: DATABASE, ...COLLECTION };
const BY_N: IndexConfig = { collection: COLLECTION, type: 'value', expressions: ['n'] };
const SELECT_7 = 'SELECT META().id AS id FROM _ WHERE n = 7';

const edit = (id: string, body: string, expect?: string): EditRequest => ({
  type: 'edit',
  keyspace: KEYSPACE,
  id,
  deleted: false,
  body,
  ...(expect !== undefined && { expect }),
});

describe('indexes of a database', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  let storage: SqliteStorage;
  beforeEach(() => {
    directory = temporaryDirectory();
    path = join(directory.path, `${DATABASE}.cblite2`);
    storage = new SqliteStorage();
  });
  afterEach(async () => {
    await storage.close();
    directory.remove();
  });

  async function reopen(indexes: Record<string, IndexConfig>, now?: () => number): Promise<void> {
    await storage.close();
    storage = new SqliteStorage();
    const more = now && { now };
    await storage.openDatabase({
      name: DATABASE,
      path,
      create: true,
      indexes: new Map(Object.entries(indexes)),
      ...more,
    });
  }

  const planOf = async (statement: string): Promise<string> =>
    (await storage.explain(KEYSPACE, statement)).plan.join('; ');

  async function storeNumbers(count: number): Promise<void> {
    await storage.write(
      DATABASE,
      Array.from({ length: count }, (_, n) => edit(`doc${n}`, `{"n":${n}}`)),
    );
  }

  it('are built for the documents there are, used, and kept when the database is opened again', async () => {
    await reopen({});
    await storeNumbers(3_000);
    await reopen({ by_n: BY_N });
    await indexesBuilt(storage, DATABASE);
    expect(await planOf(SELECT_7)).toContain('index by_n (n equal)');
    expect(await rowsOf(storage, KEYSPACE, SELECT_7)).toEqual(['{"id":"doc7"}']);
    await reopen({ by_n: BY_N });
    expect(await storage.indexes(DATABASE)).toMatchObject([{ name: 'by_n', state: 'ready' }]);
  });

  it('are dropped when they are no longer configured', async () => {
    await reopen({ by_n: BY_N });
    await storeNumbers(100);
    await indexesBuilt(storage, DATABASE);
    await reopen({});
    expect(await storage.indexes(DATABASE)).toEqual([]);
    expect(await planOf(SELECT_7)).toContain('full scan');
    expect(await rowsOf(storage, KEYSPACE, SELECT_7)).toEqual(['{"id":"doc7"}']);
  });

  it('are built again when their definition has changed', async () => {
    await reopen({ by_n: BY_N });
    await storeNumbers(100);
    await indexesBuilt(storage, DATABASE);
    await reopen({ by_n: { ...BY_N, expressions: ['n + 1'] } });
    await indexesBuilt(storage, DATABASE);
    expect(await planOf(SELECT_7)).toContain('full scan');
    const computed = 'SELECT META().id AS id FROM _ WHERE n + 1 = 8';
    expect(await planOf(computed)).toContain('index by_n');
    expect(await rowsOf(storage, KEYSPACE, computed)).toEqual(['{"id":"doc7"}']);
  });

  it('follow every kind of write', async () => {
    let now = 1_800_000_000_000;
    await reopen({ by_n: BY_N }, () => now);
    await indexesBuilt(storage, DATABASE);
    await storeNumbers(20);
    const revs = new Map((await storage.list(KEYSPACE, { limit: 100 })).rows.map(({ id, rev }) => [id, rev]));
    await storage.write(DATABASE, [
      edit('doc1', '{"n":7}', revs.get('doc1')),
      edit('doc7', '{"n":"7"}', revs.get('doc7')),
      { ...edit('doc2', '{}', revs.get('doc2')), deleted: true },
      { type: 'purge', keyspace: KEYSPACE, id: 'doc3' },
      { ...edit('soon', '{"n":7}'), expiresAt: now / 1_000 + 10 },
      {
        type: 'revision',
        keyspace: KEYSPACE,
        id: 'pulled',
        rev: `1-${'a'.repeat(40)}`,
        history: '',
        deleted: false,
        body: '{"n":7}',
        onConflict: 'resolve',
      },
    ]);
    const sevens = `${SELECT_7} ORDER BY META().id`;
    const ids = async (): Promise<string[]> =>
      (await rowsOf(storage, KEYSPACE, sevens)).map((row) => (JSON.parse(row) as { id: string }).id);
    expect(await ids()).toEqual(['doc1', 'pulled', 'soon']);
    now += 10_000;
    expect(await ids()).toEqual(['doc1', 'pulled']);
    const [deleted] = await storage.read(KEYSPACE, ['doc2']);
    await storage.write(DATABASE, [edit('doc2', '{"n":7}', deleted!.rev)]);
    expect(await ids()).toEqual(['doc1', 'doc2', 'pulled']);
  });

  it('that cannot be computed fail, and nothing else does', async () => {
    await reopen({});
    await storeNumbers(10);
    await reopen({ bad: { ...BY_N, expressions: [`REGEXP_LIKE(TOSTRING(n), '(')`] }, by_n: BY_N });
    await expect(indexesBuilt(storage, DATABASE)).rejects.toThrow('the index bad');
    await storage.write(DATABASE, [edit('more', '{"n":7}')]);
    const statuses = await storage.indexes(DATABASE);
    expect(statuses).toMatchObject([{ name: 'bad', state: 'failed', reason: expect.any(String) }, { name: 'by_n' }]);
  });

  it('fail for a collection that is not there', async () => {
    await reopen({ elsewhere: { ...BY_N, collection: { scope: 's', collection: 'c' } } });
    expect(await storage.indexes(DATABASE)).toMatchObject([
      { name: 'elsewhere', state: 'failed', reason: 'there is no collection s.c' },
    ]);
  });

  it('that are partial serve the statements that ask for what is in them', async () => {
    await reopen({ some: { ...BY_N, where: "kind = 'a' AND n IS NOT MISSING" } });
    await storage.write(DATABASE, [edit('x', '{"n":7,"kind":"a"}'), edit('y', '{"n":7,"kind":"b"}')]);
    await indexesBuilt(storage, DATABASE);
    expect(await planOf(SELECT_7)).toContain('full scan');
    expect(await rowsOf(storage, KEYSPACE, SELECT_7)).toHaveLength(2);
    const narrow = `${SELECT_7} AND kind = 'a'`;
    expect(await planOf(narrow)).toContain('index some');
    expect(await rowsOf(storage, KEYSPACE, narrow)).toEqual(['{"id":"x"}']);
    const isMissing = `SELECT META().id FROM _ WHERE kind = 'a' AND n IS MISSING`;
    expect(await planOf(isMissing)).toContain('full scan');
  });

  it('that a killed process left half built are completed by the next one, from where it was', async () => {
    const child = startDatabaseProcess(path, 'index');
    const numbers: number[] = [];
    for (let line = await child.lines.next(); !line.done; line = await child.lines.next()) {
      if (!line.value.startsWith('built to ')) continue;
      numbers.push(Number(line.value.slice('built to '.length)));
      if (numbers.length === 3) break;
    }
    await child.kill();
    expect(numbers.at(-1)).toBeGreaterThan(0);
    const parts = await openParts({ name: DATABASE, path, create: false, indexes: new Map([['by_n', BY_N]]) });
    const [unfinished] = parts.indexes!.unfinished();
    parts.builder!.stop();
    expect(unfinished!.state.builtTo).toBeGreaterThanOrEqual(numbers.at(-1)!);
    await close(parts);
    await reopen({ by_n: BY_N });
    await indexesBuilt(storage, DATABASE);
    expect(await planOf(SELECT_7)).toContain('index by_n');
    expect(await rowsOf(storage, KEYSPACE, SELECT_7)).toEqual(['{"id":"doc7"}']);
  });
});

async function close(parts: DatabaseParts): Promise<void> {
  parts.upkeep.stop();
  parts.builder?.stop();
  await parts.commit.close();
  await parts.connection.dataSource.destroy();
  parts.lock.release();
}

describe('the build of an index', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let parts: DatabaseParts;
  beforeEach(async () => {
    directory = temporaryDirectory();
    const path = join(directory.path, `${DATABASE}.cblite2`);
    const filled = await openParts({ name: DATABASE, path, create: true });
    await write(
      filled,
      Array.from({ length: 5_000 }, (_, n) => edit(`doc${n}`, `{"n":${n}}`)),
    );
    await close(filled);
    parts = await openParts({ name: DATABASE, path, create: true, indexes: new Map([['by_n', BY_N]]) });
    parts.builder!.stop();
  });
  afterEach(async () => {
    await close(parts);
    directory.remove();
  });

  async function write(
    { commit, writePath, collections }: DatabaseParts,
    edits: readonly EditRequest[],
  ): Promise<void> {
    const collection = collections.get(KEYSPACE);
    await commit.run(edits.length, () => edits.forEach((request) => writePath.apply(collection, request)));
  }

  const build = (): Promise<void> => {
    const { commit, indexes, connection } = parts;
    return new IndexBuilder({
      handle: connection.handle,
      commit,
      indexes: indexes!,
      built: () => undefined,
      report: (error) => {
        throw error;
      },
    }).run();
  };

  it('ends exact whatever is written meanwhile', async () => {
    const { indexes, reader, collections } = parts;
    const collection = collections.get(KEYSPACE);
    let isBuilt = false;
    const building = build().then(() => (isBuilt = true));
    for (let round = 0; !isBuilt; round++) {
      const ids = [round % 5_000, 4_999 - round, 2_500 + round].map((n) => `doc${n}`);
      const current = reader.read(collection, ids, false);
      await write(parts, [
        edit(`new${round}`, `{"n":${round}}`),
        ...ids.map((id, index) => ({
          ...edit(id, `{"n":${-round}}`, current[index]?.rev),
          deleted: current[index] !== undefined && index === 1,
        })),
      ]);
    }
    await building;
    expect(indexes!.statuses()).toMatchObject([{ state: 'ready' }]);
    expect(indexes!.check()).toEqual([]);
  });

  it('goes back with a transaction that fails', async () => {
    const { commit, indexes } = parts;
    const [index] = indexes!.unfinished();
    await expect(
      commit.run(1, () => {
        indexes!.builtTo(index!, undefined);
        throw new Error('no');
      }),
    ).rejects.toThrow();
    expect(indexes!.statuses()).toMatchObject([{ state: 'building' }]);
    await build();
    expect(indexes!.check()).toEqual([]);
  });

  it('shows how far it is', async () => {
    const { commit, indexes } = parts;
    const [index] = indexes!.unfinished();
    expect(indexes!.statuses()).toMatchObject([{ done: 0, total: 5_000 }]);
    await commit.run(1, () => indexes!.builtTo(index!, 2_500));
    expect(indexes!.statuses()).toMatchObject([{ done: 2_500, total: 5_000 }]);
  });
});
