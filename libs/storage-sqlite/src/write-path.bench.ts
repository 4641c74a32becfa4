import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, test } from 'vitest';
import type { RevisionRequest, WriteRequest } from '@edgesync/ports';
import { benchBody, benchEdit, benchId, BENCH_KEYSPACE, openBenchDatabase } from './testing/bench-data.js';
import { temporaryDirectory } from './testing/test-storage.js';

/** Documents that are there before: `BENCH_DOCUMENTS=1000000` shows what size costs. */
const EXISTING = Number(process.env['BENCH_DOCUMENTS'] ?? 10_000);
const BATCH = 100;
const bodies = Array.from({ length: 1_000 }, (_, n) => benchBody(n));

const { parts, close } = await openBenchDatabase(EXISTING);
afterAll(close);
const collection = parts.collections.get(BENCH_KEYSPACE);
let next = EXISTING;
/** Writes in one job of the queue. */
const write = (count: number, request: () => WriteRequest): Promise<void> =>
  parts.commit.run(count, () => {
    for (let n = 0; n < count; n++) parts.writePath.apply(collection, request());
  });
const nextEdit = () => benchEdit(next, bodies[next++ % bodies.length]!);

test(`inserts of 0.9 kB in batches of ${BATCH}, one commit each`, async ({ bench }) => {
  const directory = temporaryDirectory();
  const yardstick = new Database(join(directory.path, 'yardstick.sqlite3'));
  yardstick.pragma('journal_mode = WAL');
  yardstick.pragma('synchronous = FULL');
  yardstick.exec('CREATE TABLE documents (id TEXT PRIMARY KEY, body TEXT)');
  const insert = yardstick.prepare('INSERT INTO documents VALUES (?, ?)');
  let row = 0;
  const insertBatch = yardstick.transaction(() => {
    for (let n = 0; n < BATCH; n++) insert.run(benchId(row), bodies[row++ % bodies.length]);
  });
  const received = (): RevisionRequest => {
    const { id, body } = nextEdit();
    const [rev, history] = [`2-${'a'.repeat(40)}`, `1-${'b'.repeat(40)}`];
    const keyspace = BENCH_KEYSPACE;
    return { type: 'revision', keyspace, id, rev, history, deleted: false, body, onConflict: 'refuse' };
  };
  await bench.compare(
    bench('SQLite alone: one table of IDs and bodies', () => insertBatch()),
    bench('edits through the write path', () => write(BATCH, nextEdit)),
    bench('replicated revisions through the write path', () => write(BATCH, received)),
  );
  yardstick.close();
  directory.remove();
});

test('one document per commit', async ({ bench }) => {
  await bench.compare(
    bench('insert', () => write(1, nextEdit)),
    bench('update of a random document', () => {
      const n = Math.floor(Math.random() * EXISTING);
      const [document] = parts.reader.read(collection, [benchId(n)], false);
      return write(1, () => benchEdit(n, bodies[next++ % bodies.length]!, document!.rev));
    }),
  );
});

test('64 callers at once with one document each', async ({ bench }) => {
  await bench('insert', async () => {
    await Promise.all(Array.from({ length: 64 }, () => write(1, nextEdit)));
  }).run();
});
