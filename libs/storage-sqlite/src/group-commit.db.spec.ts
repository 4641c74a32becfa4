import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EditRequest, WriteResult } from '@edgesync/ports';
import { bundlePaths } from './bundle.js';
import { openParts, type DatabaseParts } from './open-database.js';
import { temporaryDirectory } from './testing/test-storage.js';
import { BUSY_RETRIES, BUSY_RETRY_MS, GROUP_WEIGHT, QUEUE_WEIGHT } from './tuning.js';

const KEYSPACE = { database: 'plant', scope: '_default', collection: '_default' };
const edit = (id: string, body = '{}'): EditRequest => ({ type: 'edit', keyspace: KEYSPACE, id, deleted: false, body });

describe('group commit', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let path: string;
  let parts: DatabaseParts;
  beforeEach(async () => {
    directory = temporaryDirectory();
    path = join(directory.path, 'plant.cblite2');
    parts = await openParts({ name: 'plant', path, create: true });
  });
  afterEach(async () => {
    vi.useRealTimers();
    parts.upkeep.stop();
    await parts.commit.close();
    await parts.connection.dataSource.destroy();
    parts.lock.release();
    directory.remove();
  });

  const collection = () => parts.collections.get(KEYSPACE);
  const write = (...requests: EditRequest[]): Promise<WriteResult[]> =>
    parts.commit.run(requests.length, () => requests.map((request) => parts.writePath.apply(collection(), request)));
  /** The sequences up to which each transaction went. */
  function transactions(): number[] {
    const sequences: number[] = [];
    collection().watch(({ sequence }) => sequences.push(sequence));
    return sequences;
  }
  const ids = () => parts.reader.list(collection(), { limit: 1_000 }).rows.map(({ id }) => id);

  it('commits what arrives together in one transaction, and answers after it', async () => {
    const committed = transactions();
    const results = await Promise.all(
      Array.from({ length: 100 }, async (_, n) => {
        const [result] = await write(edit(`d${n}`));
        return [result!.status, committed.length];
      }),
    );
    expect(results).toEqual(Array.from({ length: 100 }, () => ['stored', 1]));
    expect(committed).toEqual([100]);
  });

  it('splits what is too heavy for one transaction, in order', async () => {
    const committed = transactions();
    const half = GROUP_WEIGHT / 2;
    await Promise.all(
      Array.from({ length: 5 }, (_, job) => write(...Array.from({ length: half }, (__, n) => edit(`d${job}-${n}`)))),
    );
    expect(committed).toEqual([2 * half, 4 * half, 5 * half]);
  });

  it('commits the others without a job that fails, and takes back what it did', async () => {
    const fault = new Error('no luck');
    const outcomes = await Promise.allSettled([
      write(edit('a')),
      parts.commit.run(1, () => {
        parts.writePath.apply(collection(), edit('half done'));
        throw fault;
      }),
      write(edit('b')),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'storage.failed', cause: fault } });
    expect(ids()).toEqual(['a', 'b']);
    expect(collection()).toMatchObject({ lastSequence: 2, live: 2 });
    await write(edit('c'));
    expect(parts.reader.read(collection(), ['c'], false)[0]!.sequence).toBe(3);
  });

  it('refuses more than the queue holds, and takes more when it has drained', async () => {
    const full = Array.from({ length: 2 }, () => parts.commit.run(QUEUE_WEIGHT, () => 'done'));
    await expect(write(edit('a'))).rejects.toMatchObject({ code: 'server.overloaded' });
    expect(await Promise.all(full)).toEqual(['done', 'done']);
    expect(await write(edit('a'))).toMatchObject([{ status: 'stored' }]);
  });

  it('on a full disk refuses what does not fit, keeps what does, and goes on when there is room', async () => {
    const { handle } = parts.connection;
    const pages = handle.pragma('page_count', { simple: true }) as number;
    handle.pragma(`max_page_count = ${pages + 4}`);
    const outcomes = await Promise.allSettled([
      write(edit('small')),
      write(edit('large', `{"s":"${'x'.repeat(200_000)}"}`)),
      write(edit('small too')),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'storage.full' } },
      { status: 'fulfilled' },
    ]);
    expect(ids()).toEqual(['small', 'small too']);
    handle.pragma('max_page_count = 1000000');
    await write(edit('large', `{"s":"${'x'.repeat(200_000)}"}`));
    expect(collection()).toMatchObject({ lastSequence: 3, live: 3 });
  });

  it('on a read-only file refuses writes, still reads, and goes on when it can be written', async () => {
    const { handle } = parts.connection;
    await write(edit('a'));
    handle.pragma('query_only = ON');
    await expect(write(edit('b'))).rejects.toMatchObject({ code: 'storage.read-only' });
    expect(ids()).toEqual(['a']);
    handle.pragma('query_only = OFF');
    await write(edit('b'));
    expect(ids()).toEqual(['a', 'b']);
  });

  describe('while another process holds the write lock', () => {
    let other: Database.Database;
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      other = new Database(bundlePaths(path).database);
      other.exec('BEGIN IMMEDIATE');
    });
    afterEach(() => other.close());
    const turn = () => new Promise(setImmediate);

    it('waits for it, with all that arrives meanwhile, and keeps the order', async () => {
      const committed = transactions();
      // Too heavy for the other two to be in its transaction.
      const first = parts.commit.run(GROUP_WEIGHT, () => [parts.writePath.apply(collection(), edit('a'))]);
      const second = write(edit('b'));
      await turn();
      const third = write(edit('c'));
      await vi.advanceTimersByTimeAsync(BUSY_RETRY_MS * 5);
      expect(committed).toEqual([]);
      other.exec('ROLLBACK');
      await vi.advanceTimersByTimeAsync(BUSY_RETRY_MS);
      const results = (await Promise.all([first, second, third])).flat();
      expect(results).toMatchObject([
        { id: 'a', sequence: 1 },
        { id: 'b', sequence: 2 },
        { id: 'c', sequence: 3 },
      ]);
      expect(committed).toEqual([1, 3]);
    });

    it('gives up after two seconds, reads all the time, and recovers', async () => {
      const refusal = expect(write(edit('a'))).rejects.toMatchObject({ code: 'storage.busy', status: 503 });
      await turn();
      expect(ids()).toEqual([]);
      await vi.advanceTimersByTimeAsync(BUSY_RETRY_MS * BUSY_RETRIES);
      await refusal;
      const waiting = write(edit('b'));
      await turn();
      other.exec('ROLLBACK');
      await vi.advanceTimersByTimeAsync(BUSY_RETRY_MS);
      expect(await waiting).toMatchObject([{ status: 'stored', sequence: 1 }]);
    });

    it('can be closed, which waits as long', async () => {
      const refusal = expect(write(edit('a'))).rejects.toMatchObject({ code: 'storage.busy' });
      const closed = parts.commit.close();
      await turn();
      await vi.advanceTimersByTimeAsync(BUSY_RETRY_MS * BUSY_RETRIES);
      await refusal;
      await closed;
    });
  });

  it('finishes what is queued before it closes, and takes no more', async () => {
    const queued = write(edit('a'));
    const closed = parts.commit.close();
    await expect(write(edit('b'))).rejects.toMatchObject({ code: 'storage.closed' });
    await closed;
    expect(await queued).toMatchObject([{ status: 'stored' }]);
    expect(ids()).toEqual(['a']);
  });
});
