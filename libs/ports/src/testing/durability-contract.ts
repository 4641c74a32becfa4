import { expect, it } from 'vitest';
import { compareVersionsByTime, currentVersionOf } from '@edgesync/revision';
import { collect, current, edit, rev, revision, store, storeAll } from './requests.js';
import { DATABASE, SENSORS, START_SECONDS, type StorageUnderTest } from './storage-under-test.js';

export function describeDurability(under: () => StorageUnderTest): void {
  it('everything acknowledged is there after the owner was started again', async () => {
    const { storage } = under();
    await storeAll(storage, ['a', 'b', 'c']);
    const b = (await current(storage, 'b'))!;
    await store(storage, edit('b', { expect: b.rev, deleted: true }));
    await store(storage, revision('c', rev(1, 'f'), { onConflict: 'branch' }));
    const content = Buffer.from('blob');
    const { digest } = await storage.putBlob(DATABASE, content);
    await store(
      storage,
      edit('d', { body: `{"b":{"@type":"blob","digest":"${digest}"}}`, expiresAt: START_SECONDS + 9 }),
    );
    await storage.saveCheckpoint(SENSORS, 'client', '', '{"n":1}');
    const before = {
      info: await storage.describe(DATABASE),
      rows: await storage.changes(SENSORS, { since: 0, limit: 100 }),
      branch: await storage.readRevision(SENSORS, 'c', rev(1, 'f')),
    };

    await under().reopen();
    const reopened = under().storage;
    expect(await reopened.describe(DATABASE)).toEqual(before.info);
    expect(await reopened.changes(SENSORS, { since: 0, limit: 100 })).toEqual(before.rows);
    expect(await reopened.readRevision(SENSORS, 'c', rev(1, 'f'))).toEqual(before.branch);
    expect(await reopened.loadCheckpoint(SENSORS, 'client')).toEqual({ rev: '0-1', body: '{"n":1}' });
    const blob = (await reopened.openBlob(DATABASE, digest))!;
    expect(Buffer.compare(await collect(blob.read()), content)).toBe(0);
  });

  it('goes on with the next sequence and a later version, even if the clock was set back', async () => {
    const first = await store(under().storage, edit('a', { expiresAt: START_SECONDS + 5 }));
    under().advance(5);
    await under().sweep();
    under().advance(-3_600);
    await under().reopen();
    const second = await store(under().storage, edit('b'));
    expect(second.sequence).toBe(2);
    const [earlier, later] = [first.vector, second.vector].map(currentVersionOf);
    expect(compareVersionsByTime(later!, earlier!)).toBeGreaterThan(0);
  });
}
