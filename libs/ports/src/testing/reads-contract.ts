import { expect, it } from 'vitest';
import { current, edit, rev, revision, store, storeAll, withoutBody } from './requests.js';
import { SENSORS, type StorageUnderTest } from './storage-under-test.js';

/** Superseded bodies are kept if they are long enough to be worth a delta. */
const longBody = (n: number): string => `{"n":${n},"text":"${'x'.repeat(300)}"}`;

export function describeReads(under: () => StorageUnderTest): void {
  it('answers in the order of the IDs asked for, with gaps for what is not there', async () => {
    const { storage } = under();
    await storeAll(storage, ['a', 'b']);
    const found = await storage.read(SENSORS, ['b', 'missing', 'a', 'b']);
    expect(found.map((document) => document?.id)).toEqual(['b', undefined, 'a', 'b']);
    expect(await storage.read(SENSORS, [])).toEqual([]);
  });

  it('leaves the body out if it is not wanted', async () => {
    const { storage } = under();
    const stored = await store(storage, edit('a'));
    const [document] = await storage.read(SENSORS, ['a'], { body: false });
    expect(document).toStrictEqual(withoutBody((await current(storage, 'a'))!));
    expect(document).toMatchObject({ rev: stored.rev, vector: stored.vector });
  });

  it('refuses keyspaces that are not served', async () => {
    const { storage } = under();
    const keyspace = { ...SENSORS, collection: 'secrets' };
    const fault = { code: 'keyspace.unknown' };
    await expect(storage.read(keyspace, ['a'])).rejects.toMatchObject(fault);
    await expect(storage.readRevision(keyspace, 'a', rev(1, 'a'))).rejects.toMatchObject(fault);
    await expect(storage.list(keyspace, { limit: 1 })).rejects.toMatchObject(fault);
    await expect(storage.changes(keyspace, { since: 0, limit: 1 })).rejects.toMatchObject(fault);
    await expect(storage.read({ ...SENSORS, database: 'office' }, ['a'])).rejects.toMatchObject(fault);
  });

  it('finds the current revision by either kind of ID', async () => {
    const { storage } = under();
    const stored = await store(storage, edit('a'));
    const document = await current(storage, 'a');
    expect(await storage.readRevision(SENSORS, 'a', stored.rev)).toEqual(document);
    expect(await storage.readRevision(SENSORS, 'a', stored.vector)).toEqual(document);
  });

  it('finds a superseded body by either kind of ID while it is kept', async () => {
    const { storage } = under();
    const first = await store(storage, edit('a', { body: longBody(1) }));
    const second = await store(storage, edit('a', { expect: first.rev, body: longBody(2) }));
    for (const id of [first.rev, first.vector])
      expect(await storage.readRevision(SENSORS, 'a', id)).toMatchObject({
        rev: first.rev,
        body: longBody(1),
        deleted: false,
        sequence: second.sequence,
        vector: second.vector,
      });
  });

  it('keeps superseded bodies of the newest revisions only, and for a day', async () => {
    const { storage, advance, sweep } = under();
    const revs: string[] = [];
    for (let n = 0; n < 6; n++) {
      const last = revs.at(-1);
      revs.push((await store(storage, edit('a', { ...(last && { expect: last }), body: longBody(n) }))).rev);
    }
    const kept = async () =>
      (await Promise.all(revs.map((id) => storage.readRevision(SENSORS, 'a', id)))).map((found) => found !== undefined);
    expect(await kept()).toEqual([false, false, false, true, true, true]);
    advance(24 * 3_600 - 1);
    await sweep();
    expect(await kept()).toEqual([false, false, false, true, true, true]);
    advance(1);
    await sweep();
    expect(await kept()).toEqual([false, false, false, false, false, true]);
  });

  it('finds nothing under IDs that are unknown, empty or of another document', async () => {
    const { storage } = under();
    await store(storage, revision('a', rev(1, 'b')));
    await store(storage, revision('a', rev(1, 'a'), { onConflict: 'branch' }));
    await store(storage, revision('b', rev(1, 'c')));
    for (const id of [rev(1, 'c'), rev(9, '9'), 'nonsense', ''])
      expect(await storage.readRevision(SENSORS, 'a', id)).toBeUndefined();
    expect(await storage.readRevision(SENSORS, 'missing', rev(1, 'a'))).toBeUndefined();
  });
}
