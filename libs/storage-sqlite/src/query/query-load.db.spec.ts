import { expect, test } from 'vitest';
import { DEFAULT_QUERY_LIMITS } from '@edgesync/config';
import type { Keyspace } from '@edgesync/document';
import type { WriteRequest } from '@edgesync/ports';
import { collectRows, openQueriedStorage } from '../testing/queried-storage.js';

test('statements that run and wait are counted for their database', async () => {
  const keyspace: Keyspace = { database: 'db', scope: '_default', collection: '_default' };
  const { storage, close } = await openQueriedStorage({
    name: 'db',
    queryLimits: { ...DEFAULT_QUERY_LIMITS, running: 1 },
  });
  const body = JSON.stringify({ text: 'x'.repeat(1_000) });
  const documents = Array.from({ length: 3_000 }, (_, index): WriteRequest => ({
    type: 'edit',
    keyspace,
    id: `doc${index}`,
    deleted: false,
    body,
  }));
  await storage.write('db', documents);
  const load = (): unknown => [storage.queryLoad('running'), storage.queryLoad('waiting')];
  expect(load()).toEqual([[[0, 'db']], [[0, 'db']]]);

  // Its rows are more than what is sent ahead of a reader that takes none.
  const held = await storage.query(keyspace, 'SELECT * FROM _');
  const waiting = storage.query(keyspace, 'SELECT COUNT(*) AS n FROM _');
  await expect.poll(load).toEqual([[[1, 'db']], [[1, 'db']]]);
  held.cancel();
  expect(await collectRows(await waiting)).toEqual(['{"n":3000}']);
  await expect.poll(load).toEqual([[[0, 'db']], [[0, 'db']]]);
  await close();
});
