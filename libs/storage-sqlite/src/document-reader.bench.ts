import { afterAll, test } from 'vitest';
import { benchId, BENCH_KEYSPACE, openBenchDatabase } from './testing/bench-data.js';

/** Documents there are: `BENCH_DOCUMENTS=1000000` shows what size costs. */
const DOCUMENTS = Number(process.env['BENCH_DOCUMENTS'] ?? 10_000);

const { parts, close } = await openBenchDatabase(DOCUMENTS);
afterAll(close);
const collection = parts.collections.get(BENCH_KEYSPACE);
const random = (): number => Math.floor(Math.random() * DOCUMENTS);
const { reader } = parts;

test(`reads from ${DOCUMENTS} documents of 0.9 kB`, async ({ bench }) => {
  await bench.compare(
    bench('one document by ID', () => {
      reader.read(collection, [benchId(random())], true);
    }),
    bench('100 documents by ID', () => {
      reader.read(
        collection,
        Array.from({ length: 100 }, () => benchId(random())),
        true,
      );
    }),
    bench('a page of 100 changes without bodies', () => {
      reader.changes(collection, { since: random(), limit: 100, body: false });
    }),
    bench('a page of 100 changes with bodies', () => {
      reader.changes(collection, { since: random(), limit: 100 });
    }),
    bench('a page of 100 listed documents', () => {
      reader.list(collection, { startKey: benchId(random()), limit: 100 });
    }),
    bench('a page of 100 listed IDs', () => {
      reader.list(collection, { startKey: benchId(random()), limit: 100, body: false });
    }),
    bench('the count of expired documents', () => {
      reader.countExpired(collection);
    }),
  );
});

// The cost of `skip` grows with what is skipped; walking on with `after` does not.
test('100 documents from the middle', async ({ bench }) => {
  await bench.compare(
    bench('by skip', () => {
      reader.list(collection, { skip: Math.floor(DOCUMENTS / 2), limit: 100, body: false });
    }),
    bench('by after', () => {
      reader.list(collection, { after: benchId(Math.floor(DOCUMENTS / 2)), limit: 100, body: false });
    }),
  );
});
