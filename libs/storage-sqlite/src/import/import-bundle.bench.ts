import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { CouchbaseLiteWriter } from '../export/couchbase-lite-writer.js';
import { benchBody, benchId } from '../testing/bench-data.js';
import { temporaryDirectory } from '../testing/test-storage.js';
import { importCouchbaseLite } from './import-couchbase-lite.js';

const DOCUMENTS = Number(process.env['BENCH_DOCUMENTS'] ?? 100_000);
/** Imports; each is timed as a whole. */
const ROUNDS = 3;

const directory = temporaryDirectory();
afterAll(() => directory.remove());
const source = join(directory.path, 'source.cblite2');
mkdirSync(source);
const writer = new CouchbaseLiteWriter(source, 3);
for (let n = 0; n < DOCUMENTS; n++)
  writer.add(
    { scope: '_default', collection: '_default' },
    {
      id: benchId(n),
      deleted: false,
      body: benchBody(n),
      revisions: [`2-${'a'.repeat(40)}`, `1-${'b'.repeat(40)}`],
      vector: '',
    },
  );
writer.finish();

test(`import of ${DOCUMENTS} documents of 0.9 kB`, async ({ bench }) => {
  const target = join(directory.path, 'target.cblite2');
  await bench('one bundle', async () => {
    rmSync(target, { recursive: true, force: true });
    await importCouchbaseLite(source, target);
  }).run({ iterations: ROUNDS, time: 0, warmupIterations: 1, warmupTime: 0 });
});
