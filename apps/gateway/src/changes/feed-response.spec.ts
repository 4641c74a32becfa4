import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChangeRow } from '@edgesync/ports';
import { FEED_PAGE_ROWS, SLOW_FEED_PAGE_ROWS } from '../tuning.js';
import type { FeedSubscription, SourcePage } from './feed-subscription.js';
import { FeedResponse } from './feed-response.js';
import { piecesOf } from './change-text.js';
import { ChangesParameters, readFeedRequest } from './changes-parameters.js';
import type { FeedOutput } from './feed-output.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const row = (sequence: number, size = 0): ChangeRow => ({
  id: `doc-${sequence}`,
  sequence,
  rev: `1-${'a'.repeat(size)}`,
  vector: '',
  tree: '1-a',
  deleted: false,
  body: '',
  bodySize: 0,
});

const page = (rows: ChangeRow[], caughtUp = true): SourcePage => ({
  rows,
  scanned: rows.at(-1)?.sequence ?? 0,
  caughtUp,
});

class Source implements FeedSubscription {
  pageRows = FEED_PAGE_ROWS;
  readonly rewound: number[] = [];
  position = 0;
  /** The log at its last read. */
  last: SourcePage | Error | undefined;
  closed = false;
  private give: (page: SourcePage | undefined | Promise<never>) => void = () => {};

  next(): Promise<SourcePage | undefined> {
    return this.closed ? Promise.resolve(undefined) : new Promise((resolve) => (this.give = resolve));
  }

  async deliver(next: SourcePage): Promise<void> {
    this.give(next);
    await vi.advanceTimersByTimeAsync(0);
  }

  finish(): void {
    this.give(this.last instanceof Error ? Promise.reject(this.last) : (this.last ?? page([])));
  }

  rewind(sequence: number): void {
    this.rewound.push(sequence);
  }

  close(): void {
    this.closed = true;
    this.give(undefined);
  }
}

/** A connection whose other side reads or does not. */
class Output {
  text = '';
  isOpen = false;
  ended = false;
  full = false;
  busy = false;
  onClose = (): void => {};
  takeAll: () => void = () => {};
  open = (): void => void (this.isOpen = true);
  write = (content: Buffer | string): void => void (this.text += content.toString());
  end = (content = ''): void => {
    this.write(content);
    this.ended = true;
  };
  drain = (): Promise<boolean> => Promise.resolve(!this.full);
  drainOrAbort = (): Promise<boolean> =>
    new Promise((resolve) => {
      this.takeAll = () => {
        this.full = false;
        resolve(true);
      };
    });
}

async function start(parameters: Partial<ChangesParameters>, first = page([])) {
  const source = new Source();
  const output = new Output();
  const request = readFeedRequest(Object.assign(new ChangesParameters(), parameters));
  const feed = new FeedResponse(source, output as unknown as FeedOutput, request, 0);
  const done = feed.run(first).then(output.end);
  await vi.advanceTimersByTimeAsync(0);
  return { source, output, feed, done };
}

// docs/protocol/rest.md#heartbeats
describe('heartbeats', () => {
  it.each([
    [600, 5_000],
    [5_000, 5_000],
    [7_500, 7_500],
    ['true', 60_000],
    [3_000_000_000, 2 ** 31 - 1],
  ] as const)('asked for every %s ms come after every %i ms of silence', async (heartbeat, milliseconds) => {
    const { output, source } = await start({ feed: 'continuous', heartbeat });
    await vi.advanceTimersByTimeAsync(milliseconds - 1);
    expect(output.text).toBe('');
    await vi.advanceTimersByTimeAsync(1);
    expect(output.text).toBe('\n');
    await vi.advanceTimersByTimeAsync(milliseconds * 2);
    expect(output.text).toBe('\n\n\n');
    await vi.advanceTimersByTimeAsync(milliseconds - 1);
    output.text = '';
    await source.deliver(page([row(1)]));
    await vi.advanceTimersByTimeAsync(milliseconds - 1);
    expect(output.text).toMatch(/^\{.*\}\n$/);
    await vi.advanceTimersByTimeAsync(1);
    expect(output.text).toMatch(/^\{.*\}\n\n$/);
  });

  it('keep the feed beyond its timeout', async () => {
    const { output } = await start({ feed: 'continuous', heartbeat: 5_000, timeout: 10 });
    await vi.advanceTimersByTimeAsync(10_000_000);
    expect(output.ended).toBe(false);
  });

  it.each([0, -1, 'false'] as const)('are not sent for %s', async (heartbeat) => {
    const { output } = await start({ feed: 'continuous', heartbeat, timeout: 0 });
    await vi.advanceTimersByTimeAsync(10_000_000);
    expect([output.text, output.ended]).toEqual(['', false]);
  });

  it('do not pile up before a client that does not read', async () => {
    const { output } = await start({ feed: 'continuous', heartbeat: 5_000 });
    output.busy = true;
    await vi.advanceTimersByTimeAsync(100_000);
    expect(output.text).toBe('');
  });
});

// docs/protocol/rest.md#time-outs
describe('the timeout', () => {
  it.each([
    [undefined, 300_000],
    [1_000, 1_000],
    [5_000_000, 900_000],
  ])('of %s ends the feed after %i ms without activity', async (timeout, milliseconds) => {
    const { output, source } = await start({ feed: 'continuous', ...(timeout !== undefined && { timeout }) });
    await vi.advanceTimersByTimeAsync(milliseconds - 1);
    await source.deliver(page([row(1)]));
    await vi.advanceTimersByTimeAsync(milliseconds - 1);
    expect(output.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect([output.ended, source.closed]).toEqual([true, true]);
  });

  it.each([
    ['an empty list and the end of the log', { rows: [], scanned: 12, caughtUp: true }, { results: [], last_seq: 12 }],
    [
      'what was about to come',
      { rows: [row(12)], scanned: 12, caughtUp: true },
      { results: [{ seq: 12, id: 'doc-12', changes: [{ rev: '1-' }] }], last_seq: 12 },
    ],
    ['its place if the log cannot be read', new Error('away'), { results: [], last_seq: 9 }],
  ])('gives a longpoll %s', async (_what, last, expected) => {
    const { output, source, done } = await start({ feed: 'longpoll' }, { rows: [], scanned: 9, caughtUp: true });
    source.last = last;
    await vi.advanceTimersByTimeAsync(300_000);
    await done;
    expect(JSON.parse(output.text)).toEqual(expected);
  });

  it('does not send a stopped longpoll back over changes that do not concern it', async () => {
    const { output, source, feed, done } = await start({ feed: 'longpoll' });
    source.position = 7;
    feed.stop();
    await done;
    expect(JSON.parse(output.text)).toEqual({ results: [], last_seq: 7 });
  });
});

describe('a slow client', () => {
  const rows = Array.from({ length: 100 }, (_, index) => row(index + 1, 1_000));

  it('keeps its place and lets the page go; what is left is read again, in small pages, when it has taken what was sent', async () => {
    const { output, source } = await start({ feed: 'continuous' });
    output.full = true;
    await source.deliver(page(rows));
    const sent = output.text.trim().split('\n').length;
    expect(sent).toBeLessThan(25);
    expect([source.rewound, source.pageRows]).toEqual([[sent], SLOW_FEED_PAGE_ROWS]);
    output.takeAll();
    await vi.advanceTimersByTimeAsync(0);
    await source.deliver(page(rows.slice(sent, sent + 10), false));
    expect(source.pageRows).toBe(2 * SLOW_FEED_PAGE_ROWS);
    await source.deliver(page(rows.slice(sent + 10)));
    expect(
      output.text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { seq: number }).seq),
    ).toEqual(rows.map(({ sequence }) => sequence));
  });

  it('gets its place when the feed is stopped', async () => {
    const { output, feed, done } = await start({ feed: 'longpoll' });
    output.full = true;
    feed.stop();
    output.takeAll();
    await done;
    expect(JSON.parse(output.text)).toEqual({ results: [], last_seq: 0 });
  });
});

describe('what is sent', () => {
  it('is made once for all feeds of a kind that get the same page', () => {
    const rows = [row(1), row(2)];
    const plain = { includeDocs: false, showCv: false, allLeaves: false };
    expect(piecesOf(rows, 'continuous', plain)).toBe(piecesOf(rows, 'continuous', { ...plain }));
    expect(piecesOf(rows, 'normal', plain)).toBe(piecesOf(rows, 'longpoll', plain));
    expect(piecesOf(rows, 'sse', plain)).not.toBe(piecesOf(rows, 'continuous', plain));
  });

  it('cannot break out of its line or event, whatever the ID', () => {
    const id = 'a\n\ndata: {"seq":1}\r\u2028"\\';
    const [piece] = piecesOf([{ ...row(3), id }], 'sse', { includeDocs: false, showCv: false, allLeaves: false });
    const [first, second, ...rest] = piece!.bytes.toString().split(/\r\n|\n|\r/);
    expect([first, ...rest]).toEqual(['id: 3', '', '']);
    expect(JSON.parse(second!.slice(6))).toMatchObject({ id });
  });
});
