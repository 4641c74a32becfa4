import { expect, it } from 'vitest';
import { current, edit, rev, revision, store, writeOne } from './requests.js';
import { SENSORS, START_SECONDS, type StorageUnderTest } from './storage-under-test.js';

/** Ref 6.12: from its second on, an expired document is not there, swept or not. */
export function describeExpiry(under: () => StorageUnderTest): void {
  const DEADLINE = START_SECONDS + 60;
  const isVisible = async (): Promise<boolean[]> => {
    const { storage } = under();
    const { rev: known } = (await storage.read(SENSORS, ['other']))[0]!;
    expect(known).toBeDefined();
    const [read] = await storage.read(SENSORS, ['pump']);
    const listed = await storage.list(SENSORS, { limit: 10 });
    const scanned = await storage.changes(SENSORS, { since: 0, limit: 10 });
    const chosen = await storage.changes(SENSORS, { since: 0, limit: 10, ids: ['pump'] });
    const { documents } = await storage.collection(SENSORS);
    return [
      read !== undefined,
      listed.rows.some(({ id }) => id === 'pump'),
      scanned.rows.some(({ id }) => id === 'pump'),
      chosen.rows.length === 1,
      documents === 2,
    ];
  };

  it('is exact to the second on every read, and sweeping changes nothing that can be seen', async () => {
    const { storage, advance, sweep } = under();
    await store(storage, edit('other'));
    const { rev: pumpRev } = await store(storage, edit('pump', { expiresAt: DEADLINE }));
    advance(59);
    await sweep();
    expect(await isVisible()).toEqual([true, true, true, true, true]);
    expect(await current(storage, 'pump')).toMatchObject({ expiresAt: DEADLINE });
    advance(1);
    expect(await isVisible()).toEqual([false, false, false, false, false]);
    expect(await storage.readRevision(SENSORS, 'pump', pumpRev)).toBeUndefined();
    await sweep();
    expect(await isVisible()).toEqual([false, false, false, false, false]);
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 1, lastSequence: 2 });
  });

  it('leaves no tombstone, no sequence and no history', async () => {
    const { storage, advance } = under();
    const first = await store(storage, edit('pump', { expiresAt: DEADLINE }));
    advance(60);
    expect(await writeOne(storage, edit('pump', { expect: first.rev }))).toEqual({
      status: 'missing',
      id: 'pump',
      deleted: false,
    });
    const again = await store(storage, edit('pump', { body: '{"n":2}' }));
    expect(again.sequence).toBe(2);
    expect(await current(storage, 'pump')).toMatchObject({ tree: again.rev, body: '{"n":2}' });
    expect((await current(storage, 'pump'))!.expiresAt).toBeUndefined();
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 1 });
  });

  it('does not hold up an update that finds the expired document still unswept', async () => {
    const { storage, advance } = under();
    await store(storage, edit('pump', { expiresAt: DEADLINE }));
    advance(60);
    const deletion = await writeOne(storage, edit('pump', { deleted: true }));
    expect(deletion).toEqual({ status: 'missing', id: 'pump', deleted: false });
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 0, lastSequence: 1 });
  });

  it('keeps the deadline through updates that bring none, and takes a new one', async () => {
    const { storage } = under();
    const first = await store(storage, edit('pump', { expiresAt: DEADLINE }));
    const second = await store(storage, edit('pump', { expect: first.rev, body: '{"n":2}' }));
    expect(await current(storage, 'pump')).toMatchObject({ expiresAt: DEADLINE });
    await store(storage, revision('pump', rev(3, 'f'), { history: second.rev }));
    expect(await current(storage, 'pump')).toMatchObject({ expiresAt: DEADLINE });
    await store(storage, edit('pump', { expect: rev(3, 'f'), expiresAt: DEADLINE + 5 }));
    expect(await current(storage, 'pump')).toMatchObject({ expiresAt: DEADLINE + 5 });
  });

  it('purges a tombstone that has a deadline', async () => {
    const { storage, advance, sweep } = under();
    const first = await store(storage, edit('pump'));
    await store(storage, edit('pump', { expect: first.rev, deleted: true, expiresAt: DEADLINE }));
    expect(await current(storage, 'pump')).toMatchObject({ deleted: true });
    advance(60);
    expect(await current(storage, 'pump')).toBeUndefined();
    await sweep();
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 0, lastSequence: 2 });
    const again = await store(storage, edit('pump'));
    expect(again.rev).toMatch(/^1-/);
  });

  it('takes a revision of an expired document as that of a new one', async () => {
    const { storage, advance } = under();
    const first = await store(storage, edit('pump', { expiresAt: DEADLINE }));
    advance(60);
    await store(storage, revision('pump', rev(2, 'a'), { history: first.rev }));
    const document = (await current(storage, 'pump'))!;
    expect(document.rev).toBe(rev(2, 'a'));
    expect(document.expiresAt).toBeUndefined();
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 1 });
  });

  it('stores a document that has expired already without ever showing it', async () => {
    const { storage } = under();
    await store(storage, edit('pump', { expiresAt: START_SECONDS }));
    expect(await current(storage, 'pump')).toBeUndefined();
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 0, lastSequence: 1 });
  });
}
