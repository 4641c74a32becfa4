import { describe, expect, it } from 'vitest';
import type { ChangedEvent, ChangeLog, ChangePage, ChangesOptions, ChangeRow } from '@edgesync/ports';
import { Subscriptions, type FeedPage, type Subscription } from './index.js';

const KEYSPACE = { database: 'db', scope: '_default', collection: '_default' };

/** A log in memory that counts what is asked of it. */
class Log implements ChangeLog {
  readonly reads: ChangesOptions[] = [];
  readonly listeners = new Set<(event: ChangedEvent) => void>();
  private rows = new Map<string, ChangeRow>();
  lastSequence = 0;
  fault: Error | undefined;

  write(id: string, options: { deleted?: boolean; silently?: boolean } = {}): void {
    const sequence = ++this.lastSequence;
    const rev = `1-${sequence}`;
    const { deleted = false, silently = false } = options;
    this.rows.set(id, { id, sequence, rev, vector: '', tree: rev, deleted, body: '{}', bodySize: 2 });
    if (!silently) this.ring();
  }

  ring(): void {
    for (const listener of this.listeners) listener({ keyspace: KEYSPACE, sequence: this.lastSequence });
  }

  changes(_keyspace: unknown, options: ChangesOptions): Promise<ChangePage> {
    this.reads.push(options);
    if (this.fault) return Promise.reject(this.fault);
    const after = [...this.rows.values()]
      .filter(({ sequence }) => sequence > options.since)
      .sort((a, b) => a.sequence - b.sequence);
    const taken = after.slice(0, options.limit);
    const more = after.length > taken.length;
    const scanned = more ? taken.at(-1)!.sequence : Math.max(options.since, this.lastSequence);
    const rows = taken
      .filter(({ deleted }) => !options.activeOnly || !deleted)
      .filter(({ id }) => !options.ids || options.ids.includes(id));
    return Promise.resolve({ rows, scanned, more, lastSequence: this.lastSequence });
  }

  watch(_keyspace: unknown, listener: (event: ChangedEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Timers that a test fires. */
class Timers {
  private pending: { delay: number; callback: () => void }[] = [];

  schedule(delay: number, callback: () => void): () => void {
    const timer = { delay, callback };
    this.pending.push(timer);
    return () => (this.pending = this.pending.filter((other) => other !== timer));
  }

  /** Fires what is due within a delay, and what follows from it. */
  async fire(within: number): Promise<void> {
    for (let turn = 0; turn < 20; turn++) {
      const due = this.pending.filter(({ delay }) => delay <= within);
      this.pending = this.pending.filter(({ delay }) => delay > within);
      for (const { callback } of due) callback();
      for (let tick = 0; tick < 20; tick++) await Promise.resolve();
    }
  }

  get count(): number {
    return this.pending.length;
  }
}

function setUp(): { log: Log; timers: Timers; feeds: Subscriptions } {
  const log = new Log();
  const timers = new Timers();
  return {
    log,
    timers,
    feeds: new Subscriptions(log, timers, { safetyMs: 1000, coolingMs: 10, longestCoolingMs: 10 }),
  };
}

const ids = (page: FeedPage | undefined): readonly string[] => page?.rows.map(({ id }) => id) ?? ['closed'];

describe('a feed', () => {
  it('delivers what is there in pages, says once that this was all, then waits', async () => {
    const { log, timers, feeds } = setUp();
    for (const id of ['a', 'b', 'c', 'd', 'e']) log.write(id);
    const feed = feeds.subscribe(KEYSPACE, { since: 1, pageRows: 2 });
    const pages = [await feed.next(), await feed.next()];
    expect(pages.map((page) => [ids(page), page!.caughtUp, page!.scanned])).toEqual([
      [['b', 'c'], false, 3],
      [['d', 'e'], true, 5],
    ]);
    const live = feed.next();
    log.write('f');
    await timers.fire(0);
    expect(ids(await live)).toEqual(['f']);
  });

  it('says of an empty log that it is exhausted', async () => {
    const { feeds } = setUp();
    const page = await feeds.subscribe(KEYSPACE, { since: 0 }).next();
    expect(page).toEqual({ rows: [], scanned: 0, caughtUp: true, lastSequence: 0 });
  });

  it('begins at the beginning if its place is one that the log never reached', async () => {
    const { log, feeds } = setUp();
    log.write('a');
    expect(ids(await feeds.subscribe(KEYSPACE, { since: 2 }).next())).toEqual(['a']);
    expect(ids(await feeds.subscribe(KEYSPACE, { since: 1 }).next())).toEqual([]);
  });

  it('misses nothing that is written while it is reading', async () => {
    const { log, feeds } = setUp();
    log.write('a');
    const feed = feeds.subscribe(KEYSPACE, { since: 0 });
    const first = feed.next();
    log.write('b');
    expect([...ids(await first), ...ids(await feed.next())]).toEqual(['a', 'b']);
  });

  it('misses nothing if the doorbell is lost', async () => {
    const { log, timers, feeds } = setUp();
    const feed = feeds.subscribe(KEYSPACE, { since: 0 });
    await feed.next();
    const live = feed.next();
    log.write('a', { silently: true });
    await timers.fire(1000);
    expect(ids(await live)).toEqual(['a']);
  });

  it('that waits no longer returns the end of the log, whatever it was waiting for', async () => {
    const { log, feeds } = setUp();
    const feed = feeds.subscribe(KEYSPACE, { since: 0, ids: ['a'] });
    await feed.next();
    const pending = feed.next();
    log.write('b', { silently: true });
    feed.finish();
    expect(await pending).toEqual({ rows: [], scanned: 1, caughtUp: true, lastSequence: 1 });
    expect(feed.position).toBe(1);
  });

  it('that waits no longer returns what is there and not yet delivered', async () => {
    const { log, feeds } = setUp();
    for (const id of ['a', 'b', 'a', 'c']) log.write(id);
    const feed = feeds.subscribe(KEYSPACE, { since: 0, pageRows: 1, ids: ['b', 'c'] });
    feed.finish();
    const pages = [await feed.next(), await feed.next()];
    expect(pages.map((page) => [ids(page), page!.caughtUp, page!.scanned])).toEqual([
      [['b'], false, 2],
      [['c'], true, 4],
    ]);
  });

  it('that waits no longer takes no page that was read before', async () => {
    const { log, feeds } = setUp();
    const [early, late] = [0, 1].map(() => feeds.subscribe(KEYSPACE, { since: 0 }));
    await Promise.all([early!.next(), late!.next()]);
    log.write('a', { silently: true });
    early!.finish();
    expect(ids(await early!.next())).toEqual(['a']);
  });

  it('delivers nothing twice if the doorbell rings twice', async () => {
    const { log, timers, feeds } = setUp();
    const feed = feeds.subscribe(KEYSPACE, { since: 0 });
    await feed.next();
    const first = feed.next();
    log.write('a');
    log.ring();
    await timers.fire(10);
    expect(ids(await first)).toEqual(['a']);
    let isSecond = false;
    void feed.next().then(() => (isSecond = true));
    log.ring();
    await timers.fire(1000);
    expect(isSecond).toBe(false);
  });

  it('leaves tombstones out of the backlog only, if asked to', async () => {
    const { log, timers, feeds } = setUp();
    log.write('dead', { deleted: true });
    log.write('alive');
    const feed = feeds.subscribe(KEYSPACE, { since: 0, activeOnly: true });
    expect(ids(await feed.next())).toEqual(['alive']);
    const live = feed.next();
    log.write('alive', { deleted: true });
    await timers.fire(0);
    expect(ids(await live)).toEqual(['alive']);
  });

  it('leaves no tombstone out that is newer than the feed, for its document may have been delivered before', async () => {
    const { log, timers, feeds } = setUp();
    log.write('dead', { deleted: true });
    for (const id of ['a', 'b', 'c', 'd', 'e']) log.write(id);
    const feed = feeds.subscribe(KEYSPACE, { since: 0, activeOnly: true, pageRows: 2 });
    expect(ids(await feed.next())).toEqual(['a']);
    log.write('a', { deleted: true });
    log.write('f');
    await timers.fire(10);
    const pages: (FeedPage | undefined)[] = [];
    do pages.push(await feed.next());
    while (!pages.at(-1)!.caughtUp);
    expect(pages.flatMap((page) => ids(page))).toEqual(['b', 'c', 'd', 'e', 'a', 'f']);
  });

  it.each([1, 500])('keeps to its documents, looking up at most %i of them', async (lookedUpIds) => {
    const { log, timers } = setUp();
    const feeds = new Subscriptions(log, timers, { lookedUpIds });
    for (const id of ['a', 'b', 'c']) log.write(id);
    const feed = feeds.subscribe(KEYSPACE, { since: 0, ids: ['c', 'a'] });
    expect(ids(await feed.next())).toEqual(['a', 'c']);
    const live = feed.next();
    log.write('b');
    log.write('c');
    await timers.fire(10);
    expect(ids(await live)).toEqual(['c']);
  });

  it('goes back on request, and delivers what follows once more', async () => {
    const { log, timers, feeds } = setUp();
    for (const id of ['a', 'b', 'c']) log.write(id);
    const feed = feeds.subscribe(KEYSPACE, { since: 0 });
    expect(ids(await feed.next())).toEqual(['a', 'b', 'c']);
    feed.rewind(1);
    feed.pageRows = 1;
    expect([ids(await feed.next()), ids(await feed.next())]).toEqual([['b'], ['c']]);
    const live = feed.next();
    log.write('d');
    await timers.fire(0);
    expect(ids(await live)).toEqual(['d']);
  });

  it('comes to rest where the last sequences have no row any more', async () => {
    const { log, timers, feeds } = setUp();
    const changes = log.changes.bind(log);
    // As storage does: what was looked at last is the last row that is there.
    log.changes = async (keyspace, options) => {
      const page = await changes(keyspace, options);
      return { ...page, scanned: page.rows.at(-1)?.sequence ?? options.since };
    };
    log.write('a');
    log.lastSequence = 7;
    const feed = feeds.subscribe(KEYSPACE, { since: 0 });
    expect(await feed.next()).toMatchObject({ scanned: 7, caughtUp: true });
    const live = feed.next();
    await timers.fire(0);
    const reads = log.reads.length;
    await timers.fire(10);
    expect(log.reads).toHaveLength(reads);
    log.write('b');
    await timers.fire(0);
    expect(ids(await live)).toEqual(['b']);
  });

  it('passes the fault of the log on, and can go on after it', async () => {
    const { log, feeds } = setUp();
    log.write('a');
    const feed = feeds.subscribe(KEYSPACE, { since: 0 });
    log.fault = new Error('disk on fire');
    await expect(feed.next()).rejects.toThrow('disk on fire');
    log.fault = undefined;
    expect(ids(await feed.next())).toEqual(['a']);
  });

  it('ends when it is closed, also while it waits, and leaves nothing behind', async () => {
    const { log, timers, feeds } = setUp();
    const feed = feeds.subscribe(KEYSPACE, { since: 0 });
    await feed.next();
    const live = feed.next();
    feed.close();
    feed.close();
    expect(await live).toBeUndefined();
    expect(await feed.next()).toBeUndefined();
    expect([log.listeners.size, timers.count, feeds.activeCollections]).toEqual([0, 0, 0]);
  });
});

describe('feeds of the same collection', () => {
  it('read a change once, however many wait for it, and get the same rows', async () => {
    const { log, timers, feeds } = setUp();
    const many: Subscription[] = Array.from({ length: 100 }, () => feeds.subscribe(KEYSPACE, { since: 0 }));
    await Promise.all(many.map((feed) => feed.next()));
    expect([log.reads.length, log.listeners.size]).toEqual([1, 1]);
    const live = many.map((feed) => feed.next());
    log.write('a');
    await timers.fire(0);
    const pages = await Promise.all(live);
    expect(log.reads).toHaveLength(2);
    expect(new Set(pages.map((page) => page!.rows)).size).toBe(1);
  });

  it('do not give one that comes later what was read before, when the doorbell is late', async () => {
    const { log, feeds } = setUp();
    const early = feeds.subscribe(KEYSPACE, { since: 0 });
    expect(ids(await early.next())).toEqual([]);
    log.write('acknowledged', { silently: true });
    expect(ids(await feeds.subscribe(KEYSPACE, { since: 0 }).next())).toEqual(['acknowledged']);
  });

  it('let a slow one skip what was superseded meanwhile', async () => {
    const { log, timers, feeds } = setUp();
    const slow = feeds.subscribe(KEYSPACE, { since: 0 });
    const fast = feeds.subscribe(KEYSPACE, { since: 0 });
    await Promise.all([slow.next(), fast.next()]);
    for (let n = 0; n < 5; n++) {
      const page = fast.next();
      log.write('doc');
      await timers.fire(10);
      expect(ids(await page)).toEqual(['doc']);
    }
    const page = await slow.next();
    expect(page!.rows.map(({ sequence }) => sequence)).toEqual([5]);
  });

  it('are woken at once after a pause and then not more often than they can bear', async () => {
    const { log, timers, feeds } = setUp();
    const feed = feeds.subscribe(KEYSPACE, { since: 0 });
    await feed.next();
    log.reads.length = 0;
    const pages: string[][] = [];
    void (async () => {
      for (let page = await feed.next(); page; page = await feed.next()) pages.push([...ids(page)]);
    })();
    log.write('a');
    await timers.fire(0);
    expect(pages).toEqual([['a']]);
    for (const id of ['b', 'c', 'd']) log.write(id);
    await timers.fire(0);
    expect(pages).toEqual([['a']]);
    await timers.fire(10);
    expect(pages).toEqual([['a'], ['b', 'c', 'd']]);
    expect(log.reads).toHaveLength(2);
  });
});
