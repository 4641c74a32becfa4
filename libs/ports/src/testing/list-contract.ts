import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ListOptions } from '../index.js';
import { current, edit, rev, revision, store, storeAll, withoutBody } from './requests.js';
import { DATABASE, DEFAULT, SENSORS, type StorageUnderTest } from './storage-under-test.js';

export function describeList(under: () => StorageUnderTest): void {
  const ids = async (options: Partial<ListOptions> = {}): Promise<string[]> =>
    (await under().storage.list(SENSORS, { limit: 100, ...options })).rows.map(({ id }) => id);

  it('orders by the bytes of the IDs, not by language', async () => {
    const names = ['b', 'B', 'a', 'ä', 'aa', '~', '10', '9', '\u{1F600}', '\uFFFD'];
    await storeAll(under().storage, names);
    const sorted = [...names].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    expect(await ids()).toEqual(sorted);
    expect(await ids({ descending: true })).toEqual(sorted.reverse());
  });

  it.each<[string, Partial<ListOptions>, string]>([
    ['no bounds', {}, 'abcdef'],
    ['a start', { startKey: 'c' }, 'cdef'],
    ['an end', { endKey: 'c' }, 'abc'],
    ['both', { startKey: 'b', endKey: 'd' }, 'bcd'],
    ['bounds that are not IDs', { startKey: 'bb', endKey: 'dd' }, 'cd'],
    ['bounds the wrong way round', { startKey: 'd', endKey: 'b' }, ''],
    ['descending bounds', { descending: true, startKey: 'd', endKey: 'b' }, 'dcb'],
    ['a limit', { limit: 2 }, 'ab'],
    ['no rows at all', { limit: 0 }, ''],
    ['more than there are', { limit: 1_000_000 }, 'abcdef'],
    ['no limit', { limit: Infinity }, 'abcdef'],
    ['skip', { skip: 2, limit: 2 }, 'cd'],
    ['skip beyond the end', { skip: 10 }, ''],
    ['after', { after: 'c' }, 'def'],
    ['after, descending', { after: 'c', descending: true }, 'ba'],
    ['after below the start', { after: 'a', startKey: 'c' }, 'cdef'],
    ['after, with an end', { after: 'b', endKey: 'd' }, 'cd'],
    ['skip from a start', { startKey: 'b', skip: 1, limit: 1 }, 'c'],
    ['skip from after', { after: 'b', skip: 1, limit: 1 }, 'd'],
  ])('lists what is asked for: %s', async (_, options, expected) => {
    await storeAll(under().storage, [...'fbdace']);
    expect((await ids(options)).join('')).toBe(expected);
  });

  it('says exactly whether more rows follow', async () => {
    const { storage } = under();
    await storeAll(storage, ['a', 'b', 'c']);
    const more = async (options: Partial<ListOptions>) =>
      (await storage.list(SENSORS, { limit: 100, ...options })).more;
    expect(await more({ limit: 2 })).toBe(true);
    expect(await more({ limit: 3 })).toBe(false);
    expect(await more({ limit: 2, after: 'a' })).toBe(false);
    expect(await more({ limit: 1, endKey: 'a' })).toBe(false);
    expect(await more({ skip: 3 })).toBe(false);
  });

  it('leaves tombstones and losing branches out', async () => {
    const { storage } = under();
    await storeAll(storage, ['a', 'b']);
    await store(storage, edit('a', { expect: (await current(storage, 'a'))!.rev, deleted: true }));
    await store(storage, revision('c', rev(1, 'a')));
    await store(storage, revision('c', rev(1, 'b'), { onConflict: 'branch' }));
    const page = await storage.list(SENSORS, { limit: 10 });
    expect(page.rows.map(({ id, rev: shown }) => [id, shown.slice(0, 3)])).toEqual([
      ['b', expect.stringMatching(/^1-/)],
      ['c', '1-b'],
    ]);
  });

  it('gives rows as reads give them, and leaves bodies out if they are not wanted', async () => {
    const { storage } = under();
    await storeAll(storage, ['a', 'b']);
    const page = await storage.list(SENSORS, { limit: 10 });
    expect(page.rows).toEqual(await storage.read(SENSORS, ['a', 'b']));
    const bare = await storage.list(SENSORS, { limit: 10, body: false });
    expect(bare.rows).toStrictEqual(page.rows.map(withoutBody));
  });

  it('keeps collections apart', async () => {
    const { storage } = under();
    await storeAll(storage, ['a']);
    await storeAll(storage, ['b'], DEFAULT);
    expect(await ids()).toEqual(['a']);
  });

  it('cuts pages of long bodies short; walking on with `after` meets every document once', async () => {
    const { storage } = under();
    const names = Array.from({ length: 12 }, (_, n) => `doc${String(n).padStart(2, '0')}`);
    for (const id of names) await store(storage, edit(id, { body: `{"s":"${'x'.repeat(400_000)}"}` }));
    for (const descending of [false, true]) {
      const met: string[] = [];
      let pages = 0;
      for (let more = true; more; pages++) {
        const after = met.at(-1);
        const page = await storage.list(SENSORS, { limit: 100, descending, ...(after !== undefined && { after }) });
        expect(page.rows.length).toBeLessThanOrEqual(4);
        met.push(...page.rows.map(({ id }) => id));
        more = page.more;
      }
      expect(met).toEqual(descending ? names.toReversed() : names);
      expect(pages).toBeGreaterThan(2);
    }
  });

  it('agrees with filtering and sorting in memory, for any bounds and pages', async () => {
    const { storage } = under();
    const alphabet = [...'abcdefghij'];
    await storage.write(
      DATABASE,
      alphabet.map((id) => edit(id)),
    );
    const key = fc.option(fc.constantFrom(...alphabet, 'aa', 'ee', '0', 'z'), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          startKey: key,
          endKey: key,
          after: key,
          descending: fc.boolean(),
          skip: fc.nat(4),
          limit: fc.nat(6),
        }),
        async ({ startKey, endKey, after, descending, skip, limit }) => {
          const order = descending ? alphabet.toReversed() : alphabet;
          const isPast = (id: string, bound: string): boolean => (descending ? id < bound : id > bound);
          const matching = order
            .filter((id) => startKey === undefined || id === startKey || isPast(id, startKey))
            .filter((id) => endKey === undefined || !isPast(id, endKey))
            .filter((id) => after === undefined || isPast(id, after))
            .slice(skip);
          const page = await storage.list(SENSORS, {
            descending,
            skip,
            limit,
            ...(startKey !== undefined && { startKey }),
            ...(endKey !== undefined && { endKey }),
            ...(after !== undefined && { after }),
          });
          expect(page.rows.map(({ id }) => id)).toEqual(matching.slice(0, limit));
          expect(page.more).toBe(matching.length > limit);
        },
      ),
      { numRuns: 200 },
    );
  });
}
