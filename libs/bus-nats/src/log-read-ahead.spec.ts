import fc from 'fast-check';
import type { ChangePage, ChangeRow, ChangesOptions } from '@edgesync/ports';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogReadAhead } from './log-read-ahead.js';
import { READ_AHEAD_BYTES, READ_AHEAD_FACTOR, READ_AHEAD_MS, READ_AHEAD_TOTAL_BYTES } from './tuning.js';

const LINE = { database: 'plant', scope: '_default', collection: 'line' };
const row = (sequence: number, bodySize = 100): ChangeRow => ({
  id: `d${sequence}`,
  sequence,
  rev: '',
  vector: '',
  tree: '',
  deleted: sequence % 3 === 0,
  body: '',
  bodySize,
});

/** A log with a row per sequence; it also writes down what was asked of it. */
function logOf(count: number, bodySize?: number) {
  const rows = Array.from({ length: count }, (_, index) => row(index + 1, bodySize));
  const asked: [since: number, limit: number][] = [];
  const read = async (_: unknown, { since, limit, activeOnly }: ChangesOptions): Promise<ChangePage> => {
    asked.push([since, limit]);
    const taken = rows
      .filter(({ sequence, deleted }) => sequence > since && !(activeOnly && deleted))
      .slice(0, limit + 1);
    const more = taken.length > limit;
    const page = taken.slice(0, limit);
    const scanned = more ? (page.at(-1)?.sequence ?? since) : rows.length;
    return { rows: page, scanned, more, lastSequence: rows.length };
  };
  return { rows, asked, log: new LogReadAhead(read) };
}

const ONE = {};
const OTHER = {};

/** Reads page after page until the end, or so many of them. */
async function readOn(log: LogReadAhead, options: Partial<ChangesOptions> = {}, pages = Infinity) {
  const read: ChangePage[] = [];
  let since = options.since ?? 0;
  while (read.length < pages) {
    const page = await log.changes(LINE, { limit: 10, reader: ONE, ...options, since });
    read.push(page);
    since = page.scanned;
    if (!page.more) break;
  }
  return read;
}

const sequences = (pages: readonly ChangePage[]): number[][] =>
  pages.map(({ rows }) => rows.map(({ sequence }) => sequence));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('reading the log ahead', () => {
  it('gives the pages that were asked for, whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.integer({ min: 0, max: 200 }),
          limit: fc.integer({ min: 1, max: 30 }),
          activeOnly: fc.boolean(),
          bodySize: fc.constantFrom(0, 100, READ_AHEAD_BYTES / 25),
        }),
        async ({ count, limit, activeOnly, bodySize }) => {
          const { log, rows } = logOf(count, bodySize);
          const pages = await readOn(log, { limit, activeOnly });
          const expected = rows.filter(({ deleted }) => !(activeOnly && deleted)).map(({ sequence }) => sequence);
          expect(sequences(pages).flat()).toEqual(expected);
          for (const page of pages.slice(0, -1)) {
            const end = page.rows.at(-1)!.sequence;
            // Whatever follows the last row does not count.
            expect(page).toMatchObject({ more: true, scanned: end === expected.at(-1) ? count : end });
          }
          expect(pages.at(-1)).toMatchObject({ more: false, scanned: count, lastSequence: count });
          expect(pages.every((page) => page.rows.length <= limit)).toBe(true);
        },
      ),
    );
  });

  it('takes a reader at its word first, and then reads more and more at once for it', async () => {
    const { log, asked } = logOf(1_000);
    await readOn(log, {}, 15);
    expect(READ_AHEAD_FACTOR).toBe(4);
    expect(asked).toEqual([
      [0, 10],
      [10, 20],
      [30, 40],
      [70, 40],
      [110, 40],
    ]);
  });

  it('reads no more at once than fits into a message', async () => {
    const { log, asked } = logOf(1_000, READ_AHEAD_BYTES / 25);
    await readOn(log, {}, 10);
    expect(asked.slice(0, 4).map(([, limit]) => limit)).toEqual([10, 20, 24, 24]);
  });

  it('never reads less than was asked for', async () => {
    const { log, asked } = logOf(100, READ_AHEAD_BYTES);
    await readOn(log, {}, 4);
    expect(asked.map(([, limit]) => limit)).toEqual([10, 10, 10, 10]);
  });

  it('keeps nothing for a reader that comes back late, and asks storage for what it wants', async () => {
    const { log, asked } = logOf(1_000);
    await readOn(log, {}, 2);
    expect(asked.at(-1)).toEqual([10, 20]);
    vi.advanceTimersByTime(2 * READ_AHEAD_MS);
    expect(vi.getTimerCount()).toBe(0);
    const [page] = await readOn(log, { since: 20 }, 1);
    expect(asked.at(-1)).toEqual([20, 10]);
    expect(sequences([page!])[0]![0]).toBe(21);
  });

  it('gives what it has read to its reader alone, and to that once', async () => {
    const { log, asked } = logOf(1_000);
    await readOn(log, {}, 2);
    const [other] = await readOn(log, { since: 20, reader: OTHER }, 1);
    const [first] = await readOn(log, { since: 20 }, 1);
    const [again] = await readOn(log, { since: 20 }, 1);
    expect([other!.rows, again!.rows]).toEqual([first!.rows, first!.rows]);
    expect(asked.slice(2)).toEqual([
      [20, 10],
      [20, 10],
    ]);
  });

  it('ends where the log ends when it is asked, not where it ended when it was read', async () => {
    const { log, rows } = logOf(25);
    await readOn(log, {}, 2);
    rows.push(row(26));
    expect(sequences(await readOn(log, { since: 20 })).flat()).toEqual([21, 22, 23, 24, 25, 26]);
  });

  it('gives no row to a reader that wants none', async () => {
    const { log } = logOf(1_000);
    await readOn(log, {}, 2);
    const none = await log.changes(LINE, { since: 20, limit: 0, reader: ONE });
    expect(none).toMatchObject({ rows: [], scanned: 20, more: true });
    expect(sequences(await readOn(log, { since: 20 }, 1))[0]![0]).toBe(21);
  });

  it.each<[string, Partial<ChangesOptions>]>([
    ['goes elsewhere', { since: 500 }],
    ['wants no bodies any more', { since: 20, body: false }],
    ['wants them in UTF-8', { since: 20, utf8: true }],
    ['wants no tombstones', { since: 20, activeOnly: true }],
  ])('begins again for a reader that %s', async (_, options) => {
    const { log, asked } = logOf(1_000);
    await readOn(log, {}, 2);
    await readOn(log, options, 1);
    expect(asked.slice(2)).toEqual([[options.since, 10]]);
  });

  it('begins again for a reader in another collection', async () => {
    const { log, asked } = logOf(1_000);
    await readOn(log, {}, 2);
    await log.changes({ ...LINE, collection: 'other' }, { since: 20, limit: 10, reader: ONE });
    expect(asked.slice(2)).toEqual([[20, 10]]);
  });

  it('passes reads of certain documents, from the end on, and of nobody in particular on as they are', async () => {
    const { log, asked } = logOf(1_000);
    await readOn(log, { ids: ['d1'] }, 3);
    await readOn(log, { descending: true }, 3);
    await readOn(log, { reader: undefined }, 3);
    expect(new Set(asked.map(([, limit]) => limit))).toEqual(new Set([10]));
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps a bounded amount for all readers together', async () => {
    const bodySize = READ_AHEAD_BYTES / 50;
    const { log, asked } = logOf(1_000, bodySize);
    // Each has 10 rows to come once it has read 20.
    const readers = Array.from({ length: Math.ceil(READ_AHEAD_TOTAL_BYTES / (10 * bodySize)) + 20 }, () => ({}));
    for (const reader of readers) await readOn(log, { reader }, 2);
    const before = asked.length;
    for (const reader of readers) await readOn(log, { since: 20, reader }, 1);
    const read = asked.length - before;
    expect(read).toBeGreaterThanOrEqual(20);
    expect(read).toBeLessThan(readers.length);
  });

  it('counts what it keeps as large as the message that it is part of', async () => {
    const bodySize = READ_AHEAD_BYTES / 50;
    const { log, asked } = logOf(1_000, bodySize);
    const readers = Array.from({ length: Math.ceil(READ_AHEAD_TOTAL_BYTES / (10 * bodySize)) }, () => ({}));
    // Each has taken 30 of the 40 rows of a message.
    for (const reader of readers) await readOn(log, { reader }, 6);
    const before = asked.length;
    for (const reader of readers) await readOn(log, { since: 60, reader }, 1);
    const kept = readers.length - (asked.length - before);
    expect(kept).toBeGreaterThan(0);
    expect(kept * 40 * bodySize).toBeLessThanOrEqual(READ_AHEAD_TOTAL_BYTES);
  });

  it('passes a fault on and can go on after it', async () => {
    let fault: Error | undefined = new Error('disk on fire');
    const log = new LogReadAhead(async () => {
      if (fault) throw fault;
      return { rows: [row(1)], scanned: 1, more: false, lastSequence: 1 };
    });
    await expect(log.changes(LINE, { since: 0, limit: 10, reader: ONE })).rejects.toThrow('disk on fire');
    fault = undefined;
    expect((await log.changes(LINE, { since: 0, limit: 10, reader: ONE })).rows).toHaveLength(1);
  });
});
