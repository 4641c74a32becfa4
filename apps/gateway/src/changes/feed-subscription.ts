import type { Subscriptions } from '@edgesync/change-feed';
import type { Keyspace } from '@edgesync/document';
import type { ChangeLog, ChangeRow } from '@edgesync/ports';
import { FEED_PAGE_ROWS } from '../tuning.js';
import type { FeedRequest } from './changes-parameters.js';

export interface SourcePage {
  /** May be shared with other feeds: not to be changed. */
  readonly rows: readonly ChangeRow[];
  /** Everything up to this sequence has been delivered with this page. */
  readonly scanned: number;
  /** Whether nothing more was there when the page was read. */
  readonly caughtUp: boolean;
}

/** Where a feed gets its changes from. */
export interface FeedSubscription {
  /** Most rows of the next page. */
  pageRows: number;
  /** The next page; waits for changes after the one that has caught up. Undefined once closed. */
  next(): Promise<SourcePage | undefined>;
  /** Everything up to this sequence was in pages that {@link next} returned, or is of no interest to the feed. */
  readonly position: number;
  /** Waits no longer: a pending {@link next}, or the next call, returns what there is, if only the end of the log. */
  finish(): void;
  /** Delivers once more what follows this sequence. */
  rewind(sequence: number): void;
  /** A pending {@link next} resolves with undefined. */
  close(): void;
}

export interface SourceOptions {
  readonly log: ChangeLog;
  readonly feeds: Subscriptions;
  readonly keyspace: Keyspace;
  /** Not beyond the end of the log. */
  readonly since: number;
  readonly request: FeedRequest;
}

export function openSource(options: SourceOptions): FeedSubscription {
  const { feeds, keyspace, since, request } = options;
  if (request.descending) return new DescendingSource(options);
  return feeds.subscribe(keyspace, subscribeOptions(since, request));
}

const subscribeOptions = (since: number, { ids, activeOnly, includeDocs, limit }: FeedRequest) => ({
  since,
  bodies: includeDocs,
  activeOnly,
  pageRows: Math.min(FEED_PAGE_ROWS, limit),
  ...(ids && { ids }),
});

/** The backlog, newest first; then new changes as they come. */
class DescendingSource implements FeedSubscription {
  pageRows: number;
  /** Rows before this one are to be delivered. */
  private before = Number.MAX_SAFE_INTEGER;
  /** The last sequence when the first page was read: what comes after it is live. */
  private end = 0;
  private hasBegun = false;
  private hasCaughtUp = false;
  private live: FeedSubscription | undefined;
  private isFinishing = false;
  private isClosed = false;

  constructor(private readonly options: SourceOptions) {
    this.pageRows = Math.min(FEED_PAGE_ROWS, options.request.limit);
  }

  async next(): Promise<SourcePage | undefined> {
    if (this.isClosed) return undefined;
    const { log, feeds, keyspace, since, request } = this.options;
    if (this.hasCaughtUp) {
      this.live ??= feeds.subscribe(keyspace, subscribeOptions(this.end, request));
      if (this.isFinishing) this.live.finish();
      return this.live.next();
    }
    const { ids, activeOnly, includeDocs } = request;
    const page = await log.changes(keyspace, {
      since: this.before,
      limit: this.pageRows,
      descending: true,
      body: includeDocs,
      activeOnly,
      ...(ids && { ids }),
    });
    if (this.isClosed) return undefined;
    if (!this.hasBegun) this.end = page.lastSequence;
    this.hasBegun = true;
    const rows = page.rows.filter(({ sequence }) => sequence > since);
    this.before = Math.min(this.before, page.scanned);
    this.hasCaughtUp = !page.more || this.before <= since + 1;
    return { rows, scanned: this.hasCaughtUp ? this.end : this.before, caughtUp: this.hasCaughtUp };
  }

  get position(): number {
    return this.live?.position ?? this.end;
  }

  finish(): void {
    this.isFinishing = true;
    this.live?.finish();
  }

  rewind(sequence: number): void {
    if (this.live) return this.live.rewind(sequence);
    this.before = sequence;
    this.hasCaughtUp = false;
  }

  close(): void {
    this.isClosed = true;
    this.live?.close();
  }
}
