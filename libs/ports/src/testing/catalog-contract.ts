import { expect, it } from 'vitest';
import { current, edit, rev, revision, store, storeAll } from './requests.js';
import { DATABASE, DEFAULT, SENSORS, START_SECONDS, type StorageUnderTest } from './storage-under-test.js';

export function describeCatalog(under: () => StorageUnderTest): void {
  it('names the databases and describes them', async () => {
    const { storage } = under();
    expect(await storage.databases()).toEqual([DATABASE]);
    const info = await storage.describe(DATABASE);
    expect(info).toMatchObject({ name: DATABASE, path: expect.stringMatching(/\.cblite2$/) });
    expect(info.uuid).toMatch(/^[0-9a-f]{32}$/);
    expect(info.source).toBe(Buffer.from(info.uuid, 'hex').toString('base64').slice(0, 22));
    const named = info.collections.map(({ scope, collection }) => `${scope}.${collection}`);
    expect(named.sort()).toEqual(['_default._default', 'line1.sensors']);
  });

  it('refuses what is not served', async () => {
    const { storage } = under();
    const fault = { code: 'keyspace.unknown' };
    await expect(storage.describe('office')).rejects.toMatchObject(fault);
    await expect(storage.collection({ ...SENSORS, collection: 'secrets' })).rejects.toMatchObject(fault);
    await expect(storage.collection({ ...SENSORS, database: 'office' })).rejects.toMatchObject(fault);
  });

  it('counts live documents exactly through every kind of change', async () => {
    const { storage, advance, sweep } = under();
    const count = async (): Promise<[number, number]> => {
      const { documents, lastSequence } = await storage.collection(SENSORS);
      return [documents, lastSequence];
    };
    expect(await count()).toEqual([0, 0]);
    await storeAll(storage, ['a', 'b', 'c']);
    expect(await count()).toEqual([3, 3]);
    await store(storage, edit('a', { expect: (await current(storage, 'a'))!.rev, body: '{"n":2}' }));
    expect(await count()).toEqual([3, 4]);
    const gone = await store(storage, edit('a', { expect: (await current(storage, 'a'))!.rev, deleted: true }));
    expect(await count()).toEqual([2, 5]);
    await store(storage, edit('a'));
    expect(await count()).toEqual([3, 6]);
    await store(storage, revision('d', rev(1, 'a'), { deleted: true }));
    expect(await count()).toEqual([3, 7]);
    await store(storage, revision('b', rev(1, 'f'), { onConflict: 'branch' }));
    expect(await count()).toEqual([3, 8]);
    await store(storage, edit('e', { expiresAt: START_SECONDS + 5 }));
    expect(await count()).toEqual([4, 9]);
    advance(5);
    expect(await count()).toEqual([3, 9]);
    await sweep();
    expect(await count()).toEqual([3, 9]);
    expect(gone.sequence).toBe(5);
    expect(await storage.collection(DEFAULT)).toMatchObject({ documents: 0, lastSequence: 0 });
    const { collections } = await storage.describe(DATABASE);
    expect(collections.find(({ collection }) => collection === 'sensors')).toEqual(await storage.collection(SENSORS));
  });
}
