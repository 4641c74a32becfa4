import { EdgeError } from '@edgesync/errors';
import type { QueryBatch, QueryOptions, QueryResult } from '@edgesync/ports';
import { DATABASE, SENSORS, SETUP } from '@edgesync/ports/testing';
import { startNatsProxy, startNatsServer, type NatsProxy, type NatsServer } from '@edgesync/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSplitStorage, type SplitStorage } from './testing/split-storage.js';

const STATEMENT = 'SELECT 1';
const SUMMARY = { rows: 0, rowsRead: 0, seconds: 0, plan: [], hints: [] };
const unavailable = { code: 'storage.unavailable' };
const batch = (json: string): QueryBatch => ({ rows: 1, json });

let nats: NatsServer;
let proxy: NatsProxy;
let split: SplitStorage;
/** Signals of the statements that the owner has begun. */
let signals: AbortSignal[];

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.dispose());
beforeEach(async () => {
  proxy = await startNatsProxy(nats.port);
  split = await openSplitStorage(nats.url, SETUP, { clientUrl: proxy.url, attempt: 100, patience: 1_000 });
  signals = [];
});
afterEach(async () => {
  proxy.drop = undefined;
  await split.close();
  await proxy.close();
});

type Rows = (signal: AbortSignal) => AsyncGenerator<QueryBatch>;

/** Has the owner answer with these rows; the first is computed before the result is there, as the port says. */
function ownerAnswers(rows: Rows): void {
  split.sqlite.query = async (_keyspace, _statement, options: QueryOptions = {}): Promise<QueryResult> => {
    const signal = options.signal!;
    signals.push(signal);
    const iterator = rows(signal);
    const first = await iterator.next();
    let summary: QueryResult['summary'];
    const all = async function* (): AsyncGenerator<QueryBatch> {
      if (!first.done) yield first.value;
      if (!first.done) yield* iterator;
      summary = SUMMARY;
    };
    return {
      get summary() {
        return summary;
      },
      cancel: () => undefined,
      [Symbol.asyncIterator]: all,
    };
  };
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  });

async function texts(result: QueryResult): Promise<string[]> {
  const found: string[] = [];
  for await (const { json } of result) found.push(json);
  return found;
}

describe('a statement over NATS', () => {
  it('is begun once, however long its first row takes', async () => {
    ownerAnswers(async function* () {
      await new Promise((resolve) => setTimeout(resolve, 500));
      yield batch('{}');
    });
    expect(await texts(await split.storage.query(SENSORS, STATEMENT))).toEqual(['{}']);
    expect(signals).toHaveLength(1);
  });

  it('passes each batch on as soon as it is there', async () => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    ownerAnswers(async function* () {
      yield batch('{"n":1}');
      await released;
      yield batch('{"n":2}');
    });
    const rows = (await split.storage.query(SENSORS, STATEMENT))[Symbol.asyncIterator]();
    expect((await rows.next()).value).toEqual(batch('{"n":1}'));
    release();
    expect((await rows.next()).value).toEqual(batch('{"n":2}'));
    expect(await rows.next()).toMatchObject({ done: true });
  });

  it('carries batches larger than a message', async () => {
    const json = `{"t":"${'ü'.repeat(1_500_000)}"}`;
    ownerAnswers(async function* () {
      for (let n = 0; n < 3; n++) yield batch(json);
    });
    const found = await texts(await split.storage.query(SENSORS, STATEMENT));
    expect(found.map((text) => text === json)).toEqual([true, true, true]);
  });

  it('computes no more rows than its reader takes', async () => {
    let computed = 0;
    ownerAnswers(async function* () {
      for (;;) {
        computed++;
        yield batch(`{"t":"${'x'.repeat(100_000)}"}`);
      }
    });
    const result = await split.storage.query(SENSORS, STATEMENT);
    await expect.poll(() => computed).toBeGreaterThan(5);
    const before = computed;
    // Another round trip later nothing more has been computed.
    await split.storage.collection(SENSORS);
    await split.storage.collection(SENSORS);
    expect(computed).toBeLessThanOrEqual(before + 2);
    expect(computed).toBeLessThan(20);
    result.cancel();
  });

  it.each([
    ['calls cancel', async (result: QueryResult) => result.cancel()],
    [
      'leaves its loop',
      async (result: QueryResult) => {
        for await (const _ of result) break;
      },
    ],
    ['loses its connection', async () => proxy.cut()],
  ])('ends at its owner when its reader %s', async (_, leave) => {
    ownerAnswers(async function* (signal) {
      yield batch('{}');
      await aborted(signal);
    });
    await leave(await split.storage.query(SENSORS, STATEMENT));
    // After a loss of the connection the owner waits for a sign of the reader.
    await expect.poll(() => signals[0]!.aborted, { timeout: 10_000 }).toBe(true);
  });

  it('ends with 503 when its reader loses the connection after the first row', async () => {
    ownerAnswers(async function* (signal) {
      yield batch('{}');
      await aborted(signal);
    });
    const result = await split.storage.query(SENSORS, STATEMENT);
    proxy.cut();
    await expect(texts(result)).rejects.toMatchObject(unavailable);
  });

  it('ends at its owner when its signal is aborted before the first row', async () => {
    ownerAnswers(async function* (signal) {
      await aborted(signal);
      yield batch('{}');
    });
    const aborter = new AbortController();
    const gone = new Error('gone');
    const running = split.storage.query(SENSORS, STATEMENT, { signal: aborter.signal });
    await expect.poll(() => signals.length).toBe(1);
    aborter.abort(gone);
    await expect(running).rejects.toBe(gone);
    await expect.poll(() => signals[0]!.aborted).toBe(true);
  });

  it.each(['first', 'second'])('passes an error in place of the %s batch on', async (place) => {
    ownerAnswers(async function* () {
      if (place === 'second') yield batch('{}');
      throw new EdgeError('query.limit', 'too many rows are held');
    });
    const reading = split.storage.query(SENSORS, STATEMENT).then(texts);
    await expect(reading).rejects.toMatchObject({ code: 'query.limit', message: 'too many rows are held' });
    expect(signals).toHaveLength(1);
  });

  it('begins again with the next owner while there is no row', async () => {
    ownerAnswers(async function* (signal) {
      await aborted(signal);
      yield batch('{}');
    });
    const result = split.storage.query(SENSORS, 'SELECT COUNT(*) AS n FROM _');
    await expect.poll(() => signals.length).toBe(1);
    await split.reopen();
    expect(await texts(await result)).toEqual(['{"n":0}']);
  });

  it('ends with 503 when its owner changes after the first row', async () => {
    ownerAnswers(async function* (signal) {
      yield batch('{}');
      await aborted(signal);
    });
    const result = await split.storage.query(SENSORS, STATEMENT);
    await split.server.withdraw(DATABASE);
    await expect(texts(result)).rejects.toMatchObject({ status: 503 });
    expect(result.summary).toBeUndefined();
  });

  it('ends with 503 when a message of it is lost after the first row', async () => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    ownerAnswers(async function* () {
      yield batch('{"n":1}');
      await released;
      yield batch('{"n":2}');
      yield batch('{"n":3}');
    });
    const rows = (await split.storage.query(SENSORS, STATEMENT))[Symbol.asyncIterator]();
    await rows.next();
    let lost = 0;
    proxy.drop = ({ subject, bytes }) => subject.startsWith('_INBOX.') && bytes > 40 && lost++ === 0;
    release();
    await expect(
      (async () => {
        while (!(await rows.next()).done);
      })(),
    ).rejects.toMatchObject(unavailable);
  });
});
