import { setTimeout } from 'node:timers/promises';
import type { IndexConfig } from '@edgesync/config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IndexStatus, QueryOptions, QueryResult, QueryRunner, Storage } from '../index.js';
import { edit, store, writeOne } from './requests.js';
import {
  DATABASE,
  DEFAULT,
  SENSORS,
  SETUP,
  START_SECONDS,
  type StorageSetup,
  type StorageUnderTest,
} from './storage-under-test.js';

export interface QueriesUnderTest extends StorageUnderTest {
  readonly storage: Storage & QueryRunner;
}

/** The contract of the query port, for every implementation over a storage. */
export function describeQueryContract(name: string, open: (setup: StorageSetup) => Promise<QueriesUnderTest>): void {
  describe(`the query contract on ${name}`, () => {
    let subject: QueriesUnderTest;
    beforeEach(async () => {
      subject = await open({ ...SETUP, indexes: INDEXES });
    });
    afterEach(() => subject.close());

    const rows = async (statement: string, options?: QueryOptions, keyspace = SENSORS): Promise<unknown[]> =>
      readAll(await subject.storage.query(keyspace, statement, options));

    /** More rows than any implementation reads ahead. */
    async function storeLong(documents: number): Promise<void> {
      const body = JSON.stringify({ text: 'x'.repeat(20_000) });
      for (let start = 0; start < documents; start += 100)
        await subject.storage.write(
          DATABASE,
          Array.from({ length: 100 }, (_, n) => edit(`doc${String(start + n).padStart(6, '0')}`, { body })),
        );
    }

    /** A statement that no one waits for to end. */
    async function storeForEndless(): Promise<string> {
      await subject.storage.write(
        DATABASE,
        Array.from({ length: 1_000 }, (_, n) => edit(`doc${n}`, { body: `{"n":${n}}` })),
      );
      return 'SELECT COUNT(a.n + b.n + c.n) AS n FROM _ a JOIN _ b ON a.n >= 0 JOIN _ c ON b.n >= 0';
    }

    it('answers with rows as exact JSON, in their order, and with what they took', async () => {
      const { storage } = subject;
      await store(storage, edit('a', { body: '{"n":9007199254740993,"f":1.0}' }));
      await store(storage, edit('b', { body: '{"n":1,"s":"é\\n"}' }));
      const result = await storage.query(SENSORS, 'SELECT META().id AS id, n, f, s FROM _ ORDER BY n DESC');
      expect(result.summary).toBeUndefined();
      let json = '';
      for await (const batch of result) json += batch.json;
      expect(json).toBe('{"id":"a","n":9007199254740993,"f":1.0},{"id":"b","n":1,"s":"é\\n"}');
      expect(result.summary).toMatchObject({ rows: 2 });
      expect(result.summary!.plan.length).toBeGreaterThan(0);
      expect(result.summary!.rowsRead).toBeGreaterThanOrEqual(2);
    });

    it('reads the keyspace as _, and other collections by name', async () => {
      const { storage } = subject;
      await store(storage, edit('a', { keyspace: DEFAULT }));
      expect(await rows('SELECT META().id FROM _')).toEqual([]);
      expect(await rows('SELECT META().id FROM _', {}, DEFAULT)).toEqual([{ id: 'a' }]);
      expect(await rows('SELECT META().id FROM _default')).toEqual([{ id: 'a' }]);
      expect(await rows('SELECT META().id FROM line1.sensors', {}, DEFAULT)).toEqual([]);
    });

    it('takes parameters', async () => {
      await store(subject.storage, edit('a', { body: '{"n":1}' }));
      await store(subject.storage, edit('b', { body: '{"n":2}' }));
      const select = 'SELECT n FROM _ WHERE n > $least';
      expect(await rows(select, { parameters: '{"least":1}' })).toEqual([{ n: 2 }]);
      await expect(rows(select)).rejects.toMatchObject({ code: 'query.parameter' });
      await expect(rows(select, { parameters: '{"least":1,"other":1}' })).rejects.toMatchObject({
        code: 'query.parameter',
      });
      await expect(rows(select, { parameters: '[' })).rejects.toMatchObject({ code: 'query.parameter' });
    });

    it.each([
      ['query.syntax', 'SELECT FROM _'],
      ['query.invalid', 'SELECT n FROM nowhere'],
      ['query.index-missing', "SELECT n FROM _ WHERE MATCH(none, 'x')"],
      ['query.runtime', "SELECT REGEXP_LIKE('x', '(') AS r FROM _"],
    ])('refuses with %s: %s', async (code, statement) => {
      await store(subject.storage, edit('a'));
      await expect(rows(statement)).rejects.toMatchObject({ code });
    });

    it('refuses an unknown keyspace', async () => {
      for (const keyspace of [
        { ...SENSORS, database: 'other' },
        { ...SENSORS, collection: 'other' },
      ]) {
        await expect(subject.storage.query(keyspace, 'SELECT n FROM _')).rejects.toMatchObject({
          code: 'keyspace.unknown',
        });
        await expect(subject.storage.explain(keyspace, 'SELECT n FROM _')).rejects.toMatchObject({
          code: 'keyspace.unknown',
        });
      }
    });

    it('leaves out what is deleted or expired', async () => {
      const { storage, advance } = subject;
      const { rev } = await store(storage, edit('deleted'));
      await store(storage, edit('deleted', { deleted: true, expect: rev }));
      await store(storage, edit('short', { expiresAt: START_SECONDS + 10 }));
      await store(storage, edit('long'));
      const ids = 'SELECT META().id FROM _ ORDER BY META().id';
      const count = 'SELECT COUNT(*) AS n FROM _';
      expect(await rows(ids)).toEqual([{ id: 'long' }, { id: 'short' }]);
      expect(await rows(count)).toEqual([{ n: 2 }]);
      expect(await rows('SELECT META().id FROM _ WHERE META().deleted')).toEqual([{ id: 'deleted' }]);
      advance(10);
      expect(await rows(ids)).toEqual([{ id: 'long' }]);
      expect(await rows(count)).toEqual([{ n: 1 }]);
      await subject.sweep();
      expect(await rows(count)).toEqual([{ n: 1 }]);
    });

    it('reads one state, whatever is written while the rows are taken', async () => {
      const { storage } = subject;
      await storeLong(1_000);
      const result = await storage.query(SENSORS, 'SELECT META().id, text FROM _');
      const iterator = result[Symbol.asyncIterator]();
      let seen = (await iterator.next()).value!.rows;
      await store(storage, edit('added'));
      expect(await writeOne(storage, { type: 'purge', keyspace: SENSORS, id: 'doc000999' })).toMatchObject({
        status: 'purged',
      });
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) seen += next.value.rows;
      expect(seen).toBe(1_000);
      expect(await rows("SELECT META().id FROM _ WHERE META().id IN ['added', 'doc000999']")).toEqual([
        { id: 'added' },
      ]);
    });

    it('ends with its reader', async () => {
      await storeLong(1_000);
      for (let round = 0; round < 40; round++) {
        const result = await subject.storage.query(SENSORS, 'SELECT text FROM _');
        if (round % 2 === 0) result.cancel();
        else for await (const _ of result) break;
        expect(result.summary).toBeUndefined();
      }
      expect(await rows('SELECT COUNT(*) AS n FROM _')).toEqual([{ n: 1_000 }]);
    });

    it('stops when its signal says so', async () => {
      const endless = await storeForEndless();
      const gone = new Error('gone');
      await expect(rows(endless, { signal: AbortSignal.abort(gone) })).rejects.toThrow(gone);
      const aborter = new AbortController();
      const running = rows(endless, { signal: aborter.signal });
      // Another statement is answered meanwhile.
      expect(await rows('SELECT n FROM _ WHERE n = 7')).toEqual([{ n: 7 }]);
      aborter.abort(gone);
      await expect(running).rejects.toThrow(gone);
    });

    it('stops in the middle of the rows when its signal says so', async () => {
      await storeLong(1_000);
      const aborter = new AbortController();
      const gone = new Error('gone');
      const result = await subject.storage.query(SENSORS, 'SELECT text FROM _', { signal: aborter.signal });
      const iterator = result[Symbol.asyncIterator]();
      await iterator.next();
      aborter.abort(gone);
      await expect(
        (async () => {
          while (!(await iterator.next()).done);
        })(),
      ).rejects.toThrow(gone);
    });

    it('stops at its time limit', async () => {
      const endless = await storeForEndless();
      await expect(rows(endless, { timeLimit: 50 })).rejects.toMatchObject({ code: 'query.timeout' });
      expect(await rows('SELECT n FROM _ WHERE n = 7')).toEqual([{ n: 7 }]);
    });

    it('explains a statement without running it', async () => {
      const endless = await storeForEndless();
      const { plan } = await subject.storage.explain(SENSORS, endless);
      expect(plan.length).toBeGreaterThanOrEqual(3);
      await expect(subject.storage.explain(SENSORS, 'SELECT')).rejects.toMatchObject({ code: 'query.syntax' });
    });

    it('builds the indexes of the configuration, and uses them', async () => {
      const { storage } = subject;
      await storage.write(
        DATABASE,
        Array.from({ length: 100 }, (_, n) => edit(`doc${n}`, { body: `{"n":${n}}` })),
      );
      const statuses = await builtIndexes(storage);
      expect(statuses).toEqual([
        {
          name: 'by_n',
          collection: { scope: 'line1', collection: 'sensors' },
          type: 'value',
          state: 'ready',
          done: 0,
          total: 0,
        },
      ]);
      const { plan } = await storage.explain(SENSORS, 'SELECT META().id FROM _ WHERE n = 7');
      expect(plan).toEqual([expect.stringContaining('by_n')]);
      expect(await rows('SELECT META().id FROM _ WHERE n = 7')).toEqual([{ id: 'doc7' }]);
      await expect(storage.indexes('other')).rejects.toMatchObject({ code: 'keyspace.unknown' });
    });
  });
}

const { scope, collection } = SENSORS;
const INDEXES: ReadonlyMap<string, IndexConfig> = new Map([
  ['by_n', { collection: { scope, collection }, type: 'value', expressions: ['n'] }],
]);

/** The indexes when none of them is being built any more. */
async function builtIndexes(storage: QueryRunner): Promise<readonly IndexStatus[]> {
  for (;;) {
    const statuses = await storage.indexes(DATABASE);
    if (statuses.every(({ state }) => state !== 'building')) return statuses;
    await setTimeout(5);
  }
}

async function readAll(result: QueryResult): Promise<unknown[]> {
  const texts: string[] = [];
  let count = 0;
  for await (const { json, rows } of result) {
    texts.push(json);
    count += rows;
  }
  const read = JSON.parse(`[${texts.join()}]`) as unknown[];
  expect(read).toHaveLength(count);
  expect(result.summary).toMatchObject({ rows: count });
  return read;
}
