import type { ChangePage, ChangeRow } from '@edgesync/ports';
import type { SharedLog } from './shared-log.js';
import type { FeedTuning } from './tuning.js';

export interface SubscribeOptions {
  /** Rows strictly after this sequence. Beyond the end of the log it counts as 0: the log is not the one it was taken from. */
  readonly since: number;
  /** Most rows per page. */
  readonly pageRows?: number;
  /**
   * Leave out tombstones that were there when the subscription began. What is deleted later may have been delivered before:
   * that is a change like any other, also while there is a backlog.
   */
  readonly activeOnly?: boolean;
  /** Only these documents. */
  readonly ids?: readonly string[];
  /** Whether rows carry their bodies. Can be changed later. */
  readonly bodies?: boolean;
  /** Whether they may come in UTF-8. */
  readonly utf8?: boolean;
}

/** Changes in order of sequence, each document once per page at its newest. */
export interface FeedPage {
  /** Shared by all subscribers that got the same page: not to be changed. */
  readonly rows: readonly ChangeRow[];
  /** Everything up to this sequence has been delivered. */
  readonly scanned: number;
  /** Whether the log held nothing more when the page was read. */
  readonly caughtUp: boolean;
  /** The collection's last sequence at that time. */
  readonly lastSequence: number;
}

/**
 * One reader's way through the log: what is there, then what comes. It keeps a place in the log and nothing else, so a
 * slow reader costs no memory and skips what is superseded meanwhile.
 */
export class Subscription {
  bodies: boolean;
  /** Most rows of the next page. */
  pageRows: number;

  private cursor: number;
  private hasCaughtUp = false;
  /** The end of the log when the subscription began. */
  private backlogEnd: number | undefined;
  private isFresh = true;
  private isClosed = false;
  private isFinishing = false;
  /** When the subscription began: pages read before may lack what its reader knows of. */
  private readonly began: number;
  private readonly wanted: ReadonlySet<string> | undefined;
  private cancelWait: (() => void) | undefined;

  constructor(
    private readonly log: SharedLog,
    private readonly options: SubscribeOptions,
    private readonly tuning: FeedTuning,
  ) {
    this.cursor = options.since;
    this.bodies = options.bodies ?? false;
    this.pageRows = options.pageRows ?? tuning.pageRows;
    this.wanted = options.ids && new Set(options.ids);
    this.began = log.enter();
  }

  /** Everything up to this sequence has been delivered. */
  get position(): number {
    return this.cursor;
  }

  /**
   * The next page: with rows, or empty when the log is exhausted for the first time. After
   * that it waits for changes. Undefined once closed. One call at a time.
   * @throws as `ChangeLog.changes`
   */
  async next(): Promise<FeedPage | undefined> {
    while (!this.isClosed) {
      const isLast = this.isFinishing;
      if (!isLast && this.hasCaughtUp && this.cursor >= this.log.head) {
        const { woken, cancel } = this.log.wait();
        this.cancelWait = cancel;
        await woken;
        this.cancelWait = undefined;
        if (this.isClosed) break;
        if (this.isFinishing) continue;
      }
      const request = this.request();
      const page = await this.log.read(request, isLast ? this.log.mark() : this.began);
      if (this.isClosed) break;
      if (this.isFresh) {
        this.isFresh = false;
        if (page.lastSequence < this.cursor) {
          this.cursor = 0;
          continue;
        }
      }
      this.backlogEnd ??= page.lastSequence;
      const delivered = this.take(request.activeOnly ? upTo(this.backlogEnd, page) : page, isLast);
      if (delivered) return delivered;
    }
    return undefined;
  }

  /** Goes back to a place that was passed already: what follows it is delivered once more. */
  rewind(sequence: number): void {
    this.cursor = Math.min(this.cursor, sequence);
    this.hasCaughtUp = false;
  }

  /**
   * Waits for changes no longer: a {@link next} that is pending, or called later, returns what the log holds now. The last
   * page may be empty; its `scanned` is the end of the log.
   */
  finish(): void {
    this.isFinishing = true;
    this.cancelWait?.();
  }

  /** Ends the subscription; a pending {@link next} resolves with undefined. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancelWait?.();
    this.log.leave();
  }

  private request(): Parameters<SharedLog['read']>[0] {
    const { ids, activeOnly = false, utf8 = false } = this.options;
    const looksUp = ids !== undefined && !this.hasCaughtUp && ids.length <= this.tuning.lookedUpIds;
    return {
      since: this.cursor,
      limit: this.pageRows,
      body: this.bodies,
      utf8,
      reader: this,
      activeOnly: activeOnly && this.cursor < (this.backlogEnd ?? Infinity),
      ...(looksUp && { ids }),
    };
  }

  private take(page: ChangePage, isLast: boolean): FeedPage | undefined {
    const { wanted } = this;
    const rows = wanted ? page.rows.filter(({ id }) => wanted.has(id)) : page.rows;
    // The last sequences may have no row any more: what had them has expired.
    this.cursor = Math.max(this.cursor, page.scanned, page.more ? 0 : page.lastSequence);
    const caughtUp = !page.more;
    const isNews = rows.length > 0 || (caughtUp && (isLast || !this.hasCaughtUp));
    if (caughtUp) this.hasCaughtUp = true;
    return isNews ? { rows, scanned: this.cursor, caughtUp, lastSequence: page.lastSequence } : undefined;
  }
}

/** The part of a page that ends at a sequence: the rest is read again. */
function upTo(end: number, page: ChangePage): ChangePage {
  const reached = page.more ? page.scanned : Math.max(page.scanned, page.lastSequence);
  if (reached <= end) return page;
  return { ...page, rows: page.rows.filter(({ sequence }) => sequence <= end), scanned: end, more: true };
}
