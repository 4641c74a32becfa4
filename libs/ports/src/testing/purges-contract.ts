import { expect, it } from 'vitest';
import { current, edit, rev, revision, store, writeOne } from './requests.js';
import { DATABASE, SENSORS, type StorageUnderTest } from './storage-under-test.js';

export function describePurges(under: () => StorageUnderTest): void {
  it('removes a document without a tombstone and without a sequence', async () => {
    const { storage } = under();
    await store(storage, edit('pump'));
    await store(storage, edit('valve'));
    const purge = { type: 'purge', keyspace: SENSORS, id: 'pump' } as const;
    expect(await writeOne(storage, purge)).toEqual({ status: 'purged', id: 'pump' });
    expect(await current(storage, 'pump')).toBeUndefined();
    const page = await storage.changes(SENSORS, { since: 0, limit: 10 });
    expect(page.rows.map(({ id, sequence }) => [id, sequence])).toEqual([['valve', 2]]);
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 1, lastSequence: 2 });
    expect(await writeOne(storage, purge)).toEqual({ status: 'missing', id: 'pump', deleted: false });
  });

  it('takes a purged document back under the revision it had', async () => {
    const { storage } = under();
    await store(storage, revision('pump', rev(2, 'b'), { history: rev(1, 'a') }));
    await storage.write(DATABASE, [{ type: 'purge', keyspace: SENSORS, id: 'pump' }]);
    await store(storage, revision('pump', rev(2, 'b'), { history: rev(1, 'a') }));
    expect(await current(storage, 'pump')).toMatchObject({ rev: rev(2, 'b'), sequence: 2 });
  });
}
