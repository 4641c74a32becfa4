import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ChangedEvent, ChangesOptions } from '../index.js';
import { current, edit, store, storeAll, writeOne, withoutBody } from './requests.js';
import { DATABASE, DEFAULT, SENSORS, type StorageUnderTest } from './storage-under-test.js';

export function describeChanges(under: () => StorageUnderTest): void {
  const page = (options: Partial<ChangesOptions> = {}) =>
    under().storage.changes(SENSORS, { since: 0, limit: 100, ...options });
  const rows = async (options: Partial<ChangesOptions> = {}) =>
    (await page(options)).rows.map(({ id, sequence }) => `${id}${sequence}`).join(' ');
  /** a and c are as written, b was updated, d deleted: sequences 1, 3, 5 and 6. */
  async function sixChanges(): Promise<void> {
    const { storage } = under();
    await storeAll(storage, ['a', 'b', 'c', 'd']);
    const [b, d] = await storage.read(SENSORS, ['b', 'd']);
    await store(storage, edit('b', { expect: b!.rev, body: '{"n":2}' }));
    await store(storage, edit('d', { expect: d!.rev, deleted: true }));
  }

  it.each<[string, Partial<ChangesOptions>, string]>([
    ['everything: each document once, at its latest sequence', {}, 'a1 c3 b5 d6'],
    ['after a sequence', { since: 1 }, 'c3 b5 d6'],
    ['after a sequence that has moved on', { since: 2 }, 'c3 b5 d6'],
    ['after the last', { since: 6 }, ''],
    ['after one that is yet to come', { since: 1_000 }, ''],
    ['a limit', { limit: 2 }, 'a1 c3'],
    ['no limit', { limit: Infinity }, 'a1 c3 b5 d6'],
    ['active documents', { activeOnly: true }, 'a1 c3 b5'],
    ['newest first', { descending: true, since: Infinity }, 'd6 b5 c3 a1'],
    ['newest first, before a sequence', { descending: true, since: 5 }, 'c3 a1'],
    ['newest first, active, with a limit', { descending: true, since: Infinity, activeOnly: true, limit: 2 }, 'b5 c3'],
    ['some documents', { ids: ['d', 'a', 'missing', 'a'] }, 'a1 d6'],
    ['some documents after a sequence', { ids: ['d', 'a'], since: 1 }, 'd6'],
    ['some active documents', { ids: ['d', 'a'], activeOnly: true }, 'a1'],
    ['some documents, newest first', { ids: ['d', 'a', 'b'], descending: true, since: 6 }, 'b5 a1'],
    ['some documents with a limit', { ids: ['d', 'a', 'b'], limit: 2 }, 'a1 b5'],
    ['no documents', { ids: [] }, ''],
  ])('reports %s', async (_, options, expected) => {
    await sixChanges();
    expect(await rows(options)).toBe(expected);
  });

  it('says how far it looked, whether rows follow and where the log ends', async () => {
    await sixChanges();
    expect(await page()).toMatchObject({ scanned: 6, more: false, lastSequence: 6 });
    expect(await page({ limit: 2 })).toMatchObject({ scanned: 3, more: true, lastSequence: 6 });
    expect(await page({ limit: 4 })).toMatchObject({ scanned: 6, more: false });
    expect(await page({ since: 6 })).toMatchObject({ rows: [], scanned: 6, more: false, lastSequence: 6 });
    expect(await page({ activeOnly: true })).toMatchObject({ scanned: 6, more: false });
    expect(await page({ ids: ['a'] })).toMatchObject({ scanned: 6, more: false });
    expect(await page({ ids: ['a', 'b', 'd'], limit: 1 })).toMatchObject({ scanned: 1, more: true });
    expect(await page({ ids: ['a', 'b', 'd'], limit: 1, descending: true, since: 7 })).toMatchObject({
      scanned: 6,
      more: true,
    });
    const empty = await under().storage.changes(DEFAULT, { since: 0, limit: 10 });
    expect(empty).toEqual({ rows: [], scanned: 0, more: false, lastSequence: 0 });
  });

  it('gives rows as reads give them, with the size of the body', async () => {
    await sixChanges();
    const { storage } = under();
    const [row] = (await page({ ids: ['b'] })).rows;
    expect(row).toEqual({ ...(await current(storage, 'b')), bodySize: 7, blobs: false });
    expect((await page({ ids: ['b'], body: false })).rows).toStrictEqual([withoutBody(row!)]);
    expect((await page({ since: 4, limit: 1, body: false })).rows).toStrictEqual([withoutBody(row!)]);
  });

  it('gives the same bodies in UTF-8, if it can do that', async () => {
    const { storage } = under();
    const bodies = ['{}', '{"t":"a"}', '{"t":"äß€😀\\u0000"}', `{"t":"${'語'.repeat(70_000)}"}`];
    await storeAll(storage, ['a', 'b', 'c', 'd']);
    for (const [index, id] of ['a', 'b', 'c', 'd'].entries())
      await store(storage, edit(id, { expect: (await current(storage, id))!.rev, body: bodies[index]! }));
    const { rows: texts } = await page();
    expect(texts.map(({ body }) => body)).toEqual(bodies);
    const { rows } = await page({ utf8: true });
    const decoded = rows.map(({ body, ...row }) => ({
      ...row,
      body: typeof body === 'string' ? body : new TextDecoder().decode(body),
    }));
    expect(decoded).toEqual(texts);
    const without = await page({ utf8: true, body: false });
    expect(without.rows).toStrictEqual(texts.map(withoutBody));
  });

  it('reports which documents may refer to blobs', async () => {
    const { storage } = under();
    const { digest, length } = await storage.putBlob(DATABASE, new TextEncoder().encode('ink'));
    const body = JSON.stringify({ pic: { '@type': 'blob', digest, length } });
    await storeAll(storage, ['with', 'without']);
    await store(storage, edit('with', { expect: (await current(storage, 'with'))!.rev, body }));
    expect((await page()).rows.map(({ id, blobs }) => [id, blobs])).toEqual([
      ['without', false],
      ['with', true],
    ]);
  });

  it('pages lose and repeat nothing, whatever is asked for', async () => {
    const { storage } = under();
    const names = Array.from({ length: 20 }, (_, n) => `d${n}`);
    await storeAll(storage, names);
    for (const id of ['d3', 'd11', 'd19']) {
      const { rev } = (await current(storage, id))!;
      await store(storage, edit(id, { expect: rev, deleted: true }));
    }
    const whole = (await page()).rows.map(({ id }) => id);
    expect(whole).toHaveLength(20);
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          limit: fc.integer({ min: 1, max: 7 }),
          descending: fc.boolean(),
          activeOnly: fc.boolean(),
          ids: fc.option(fc.subarray(names), { nil: undefined }),
        }),
        async ({ limit, descending, activeOnly, ids }) => {
          const met: string[] = [];
          let since = descending ? Infinity : 0;
          for (let more = true; more;) {
            const next = await page({ since, limit, descending, activeOnly, ...(ids && { ids }) });
            met.push(...next.rows.map(({ id }) => id));
            since = next.scanned;
            more = next.more;
          }
          const wanted = (descending ? whole.toReversed() : whole)
            .filter((id) => !ids || ids.includes(id))
            .filter((id) => !activeOnly || !['d3', 'd11', 'd19'].includes(id));
          expect(met).toEqual(wanted);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('cuts pages of long bodies short, also for chosen documents', async () => {
    const { storage } = under();
    const names = Array.from({ length: 8 }, (_, n) => `d${n}`);
    for (const id of names) await store(storage, edit(id, { body: `{"s":"${'x'.repeat(400_000)}"}` }));
    for (const ids of [undefined, names]) {
      const met: string[] = [];
      let since = 0;
      let more = true;
      while (more) {
        const next = await page({ since, ...(ids && { ids }) });
        expect(next.rows.length).toBeLessThanOrEqual(4);
        met.push(...next.rows.map(({ id }) => id));
        ({ scanned: since, more } = next);
      }
      expect(met).toEqual(names);
    }
  });

  it('never gives out a sequence twice, whatever is refused, deleted or purged', async () => {
    const { storage, advance, sweep } = under();
    const first = await store(storage, edit('a', { expiresAt: 1_800_000_010 }));
    await writeOne(storage, edit('a'));
    await writeOne(storage, edit('_bad'));
    advance(10);
    await sweep();
    expect(await page()).toMatchObject({ rows: [], more: false, lastSequence: 1 });
    const second = await store(storage, edit('a'));
    expect([first.sequence, second.sequence]).toEqual([1, 2]);
  });

  it('rings after every commit that touched the collection, when the log has the change', async () => {
    const { storage } = under();
    const received: ChangedEvent[] = [];
    const seen: Promise<number>[] = [];
    const stop = storage.watch(SENSORS, (event) => {
      received.push(event);
      seen.push(page({ since: event.sequence - 1 }).then((found) => found.rows.length));
    });
    await storeAll(storage, ['a']);
    await storeAll(storage, ['b'], DEFAULT);
    await writeOne(storage, edit('a'));
    await storeAll(storage, ['c', 'd']);
    await expect.poll(() => received.at(-1)).toEqual({ keyspace: SENSORS, sequence: 3 });
    expect(received.every(({ keyspace }) => keyspace.collection === SENSORS.collection)).toBe(true);
    expect(await Promise.all(seen)).not.toContain(0);

    stop();
    const count = received.length;
    await storeAll(storage, ['e']);
    const late: ChangedEvent[] = [];
    storage.watch(SENSORS, (event) => late.push(event));
    await storeAll(storage, ['f']);
    await expect.poll(() => late.length).toBeGreaterThan(0);
    expect(received).toHaveLength(count);
  });

  it('survives listeners that throw', async () => {
    const { storage } = under();
    storage.watch(SENSORS, () => {
      throw new Error('a listener failed');
    });
    const received: number[] = [];
    storage.watch(SENSORS, ({ sequence }) => received.push(sequence));
    await storeAll(storage, ['a']);
    await expect.poll(() => received).toEqual([1]);
    expect(await storage.write(DATABASE, [edit('b')])).toMatchObject([{ status: 'stored' }]);
  });
}
