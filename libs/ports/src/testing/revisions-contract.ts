import { expect, it } from 'vitest';
import { currentVersionOf } from '@edgesync/revision';
import { current, edit, rev, revision, store, storeBeside, version, writeOne } from './requests.js';
import { DATABASE, SENSORS, type StorageUnderTest } from './storage-under-test.js';

export function describeRevisions(under: () => StorageUnderTest): void {
  /**
   *   1-a ── 2-b   current, of rev-tree kind
   */
  async function twoRevisions(): Promise<void> {
    await store(under().storage, revision('pump', rev(2, 'b'), { history: rev(1, 'a') }));
  }

  it('stores a rev-tree revision under its ID with its history, and gives it a version of ours', async () => {
    const { storage } = under();
    const { source } = await storage.describe(DATABASE);
    await twoRevisions();
    const document = (await current(storage, 'pump'))!;
    expect(document).toMatchObject({ rev: rev(2, 'b'), tree: `${rev(2, 'b')},${rev(1, 'a')}`, sequence: 1 });
    expect(document.vector.endsWith(`@${source}`)).toBe(true);
  });

  it('stores a version under its ID with its vector, and gives it a rev-tree ID of ours', async () => {
    const { storage } = under();
    await store(storage, revision('pump', version(2), { history: version(1, 'cloud') }));
    const document = (await current(storage, 'pump'))!;
    expect(document.rev).toMatch(/^1-[0-9a-f]{40}$/);
    expect(currentVersionOf(document.vector)).toBe(version(2));
    expect(document.vector).toContain(version(1, 'cloud'));
  });

  it.each([
    ['the current rev-tree ID', () => rev(2, 'b'), true],
    ['an older rev-tree ID', () => rev(1, 'a'), false],
    ['the current version', async () => (await current(under().storage, 'pump'))!.vector, true],
  ] as const)('knows a revision it has by %s, and names it', async (_, idOf, isCurrent) => {
    const { storage } = under();
    await twoRevisions();
    const before = (await current(storage, 'pump'))!;
    const id = await idOf();
    const named = isCurrent ? { rev: before.rev, vector: before.vector } : { rev: id };
    expect(await writeOne(storage, revision('pump', id))).toEqual({
      status: 'known',
      id: 'pump',
      sequence: 1,
      ...named,
    });
    expect(await current(storage, 'pump')).toEqual(before);
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 1, lastSequence: 1 });
  });

  it('takes a child of the current revision of either kind', async () => {
    const { storage } = under();
    await twoRevisions();
    const { vector } = (await current(storage, 'pump'))!;
    await store(storage, revision('pump', rev(3, 'c'), { history: `${rev(2, 'b')},${rev(1, 'a')}` }));
    const second = (await current(storage, 'pump'))!;
    expect(second).toMatchObject({ rev: rev(3, 'c'), sequence: 2 });
    expect(second.vector).not.toBe(vector);
    await store(storage, revision('pump', version(1), { history: second.vector }));
    const third = (await current(storage, 'pump'))!;
    expect(third.rev).toMatch(/^4-/);
    expect(third.tree.split(',').slice(1)).toEqual([rev(3, 'c'), rev(2, 'b'), rev(1, 'a')]);
    expect(currentVersionOf(third.vector)).toBe(version(1));
  });

  it.each([
    ['rev-tree', rev(2, 'c'), rev(1, 'a')],
    ['versioned', version(1), ''],
  ])('refuses a %s revision that does not build on the current one, and names that', async (_, id, history) => {
    const { storage } = under();
    await twoRevisions();
    const before = (await current(storage, 'pump'))!;
    const result = await writeOne(storage, revision('pump', id, { history }));
    expect(result).toEqual({
      status: 'conflict',
      id: 'pump',
      rev: before.rev,
      vector: before.vector,
      deleted: false,
    });
    expect(await current(storage, 'pump')).toEqual(before);
  });

  it('lets an unrelated live revision replace a tombstone', async () => {
    const { storage } = under();
    await store(storage, revision('pump', rev(2, 'b'), { history: rev(1, 'a'), deleted: true }));
    await store(storage, revision('pump', rev(1, 'c')));
    expect(await current(storage, 'pump')).toMatchObject({ rev: rev(1, 'c'), deleted: false });
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 1 });
  });

  it.each([
    ['rev-tree ID', 'nonsense', ''],
    ['history that does not go back', rev(3, 'c'), rev(3, 'a')],
    ['history', rev(2, 'b'), 'nonsense'],
    ['version', '0@x', ''],
    ['vector', version(2), 'nonsense@'],
  ])('refuses a malformed %s', async (_, id, history) => {
    const { storage } = under();
    const result = await writeOne(storage, revision('pump', id, { history }));
    expect(result).toMatchObject({
      status: 'refused',
      id: 'pump',
      code: expect.stringMatching(/^(rev|version)\.invalid$/),
    });
    expect(await current(storage, 'pump')).toBeUndefined();
  });

  it('stores a conflicting branch beside the current revision; the winner does not depend on the order', async () => {
    const { storage } = under();
    const [low, high] = [rev(2, 'b'), rev(2, 'c')];
    const branch = { history: rev(1, 'a'), onConflict: 'branch' } as const;
    for (const [id, order] of [
      ['up', [low, high]],
      ['down', [high, low]],
    ] as const) {
      for (const each of order) {
        const result = await writeOne(storage, revision(id, each, { ...branch, body: `{"is":"${each}"}` }));
        expect(result).toMatchObject({ status: 'stored', rev: each });
      }
      expect(await current(storage, id)).toMatchObject({
        rev: high,
        body: `{"is":"${high}"}`,
        sequence: expect.any(Number),
      });
      expect(await storage.readRevision(SENSORS, id, low)).toMatchObject({ rev: low, body: `{"is":"${low}"}` });
    }
    expect((await current(storage, 'up'))!.tree).toBe((await current(storage, 'down'))!.tree);
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 2, lastSequence: 4 });
  });

  it('brings a losing branch up when the winning one is deleted, and buries it again', async () => {
    const { storage } = under();
    const branch = { history: rev(1, 'a'), onConflict: 'branch' } as const;
    await store(storage, revision('pump', rev(2, 'c'), { ...branch, body: '{"is":"c"}' }));
    await storeBeside(storage, revision('pump', rev(2, 'b'), { ...branch, body: '{"is":"b"}' }));
    const result = await storeBeside(storage, edit('pump', { expect: rev(2, 'c'), deleted: true }));
    expect(result).toMatchObject({ rev: expect.stringMatching(/^3-[0-9a-f]{40}$/), sequence: 3 });
    expect(await current(storage, 'pump')).toMatchObject({ rev: rev(2, 'b'), body: '{"is":"b"}', deleted: false });
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 1 });
    await store(storage, edit('pump', { expect: rev(2, 'b'), deleted: true }));
    expect(await current(storage, 'pump')).toMatchObject({ deleted: true });
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 0 });
  });

  it('lets a branch that goes on overtake the current revision', async () => {
    const { storage } = under();
    const branch = { history: rev(1, 'a'), onConflict: 'branch' } as const;
    await store(storage, revision('pump', rev(2, 'c'), { ...branch, body: '{"is":"2-c"}' }));
    await storeBeside(storage, revision('pump', rev(2, 'b'), { ...branch, body: '{"is":"2-b"}' }));
    await store(
      storage,
      revision('pump', rev(3, 'b'), { history: rev(2, 'b'), onConflict: 'branch', body: '{"is":"3-b"}' }),
    );
    expect(await current(storage, 'pump')).toMatchObject({ rev: rev(3, 'b'), body: '{"is":"3-b"}' });
    expect(await storage.readRevision(SENSORS, 'pump', rev(2, 'c'))).toMatchObject({ body: '{"is":"2-c"}' });
    expect(await storage.readRevision(SENSORS, 'pump', rev(2, 'b'))).toBeUndefined();
  });

  it('resolves a rev-tree conflict for the remote side', async () => {
    const { storage } = under();
    await twoRevisions();
    const result = await store(
      storage,
      revision('pump', rev(2, 'f'), { history: rev(1, 'a'), onConflict: 'resolve', body: '{"is":"remote"}' }),
    );
    expect(result).toMatchObject({ resolved: 'remote', rev: rev(2, 'f') });
    expect(await current(storage, 'pump')).toMatchObject({ rev: rev(2, 'f'), body: '{"is":"remote"}' });
  });

  it('resolves a rev-tree conflict for the local side, whose content goes on as a child of the remote revision', async () => {
    const { storage } = under();
    await store(storage, revision('pump', rev(2, 'f'), { history: rev(1, 'a'), body: '{"is":"local"}' }));
    const before = (await current(storage, 'pump'))!;
    const result = await storeBeside(
      storage,
      revision('pump', rev(2, 'b'), { history: rev(1, 'a'), onConflict: 'resolve', body: '{"is":"remote"}' }),
    );
    const after = (await current(storage, 'pump'))!;
    expect(result).toMatchObject({ resolved: 'local', rev: rev(2, 'b') });
    expect(after).toMatchObject({ body: '{"is":"local"}', vector: before.vector, sequence: 2 });
    expect(after.tree).toContain(`${after.rev},${rev(2, 'b')}`);
    // What was pushed back by the loser's side is a plain child now.
    await store(storage, revision('pump', rev(4, 'a'), { history: `${after.rev},${rev(2, 'b')}` }));
    expect(await current(storage, 'pump')).toMatchObject({ rev: rev(4, 'a') });
  });

  it('lets a deletion win against a live revision', async () => {
    const { storage } = under();
    await store(storage, revision('pump', rev(2, 'f'), { history: rev(1, 'a') }));
    const result = await store(
      storage,
      revision('pump', rev(2, 'b'), { history: rev(1, 'a'), onConflict: 'resolve', deleted: true }),
    );
    expect(result.resolved).toBe('remote');
    expect(await current(storage, 'pump')).toMatchObject({ deleted: true, body: '{}' });
    expect(await storage.collection(SENSORS)).toMatchObject({ documents: 0 });
  });

  it.each([
    ['remote', 1, 2],
    ['local', 2, 1],
  ] as const)('resolves a conflict of versions for the later one: %s', async (winner, localTime, remoteTime) => {
    const { storage } = under();
    await store(storage, revision('pump', version(localTime), { body: '{"is":"local"}' }));
    const remote = version(remoteTime, 'cloud');
    const result = await writeOne(
      storage,
      revision('pump', remote, { body: '{"is":"remote"}', onConflict: 'resolve' }),
    );
    const after = (await current(storage, 'pump'))!;
    const written = winner === 'remote' ? { rev: after.rev, vector: after.vector } : { rev: remote };
    expect(result).toEqual({ status: 'stored', id: 'pump', sequence: 2, resolved: winner, ...written });
    expect(after.body).toBe(`{"is":"${winner}"}`);
    expect(after.vector).toContain(version(localTime));
    expect(after.vector).toContain(version(remoteTime, 'cloud'));
  });

  it('closes the branch that the sender closed', async () => {
    const { storage } = under();
    await twoRevisions();
    const closed = `${rev(3, 'd')},${rev(2, 'b')}`;
    await store(
      storage,
      revision('pump', rev(2, 'a'), { history: rev(1, 'a'), closedBranch: closed, body: '{"is":"theirs"}' }),
    );
    expect(await current(storage, 'pump')).toMatchObject({ rev: rev(2, 'a'), body: '{"is":"theirs"}', deleted: false });
    expect(await writeOne(storage, revision('pump', rev(3, 'd')))).toMatchObject({ status: 'known' });
  });

  it('remembers fifty generations and no more', async () => {
    const { storage } = under();
    const id = (generation: number): string => `${generation}-${String(generation).padStart(40, '0')}`;
    for (let generation = 1; generation <= 60; generation++)
      await store(storage, revision('pump', id(generation), generation > 1 ? { history: id(generation - 1) } : {}));
    const { tree } = (await current(storage, 'pump'))!;
    expect(tree.split(',')).toEqual(Array.from({ length: 50 }, (_, n) => id(60 - n)));
  });
}
