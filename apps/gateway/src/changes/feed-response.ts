import { FEED_PAGE_ROWS, SLOW_AFTER_MS, SLOW_FEED_PAGE_ROWS } from '../tuning.js';
import type { FeedSubscription, SourcePage } from './feed-subscription.js';
import { piecesOf, ROW_SEPARATOR } from './change-text.js';
import type { FeedRequest } from './changes-parameters.js';
import type { FeedOutput } from './feed-output.js';

const OPENING = '{"results":[';

/**
 * The step after the delivery of a page: the feed is at its end; or goes on; or goes on when a slow client has taken what
 * was sent, and until then keeps its place alone.
 */
type Delivered = 'end' | 'more' | 'slow';

/** One client's feed while it lasts. */
export class FeedResponse {
  /** Changes sent. */
  sent = 0;
  private readonly isEnvelope: boolean;
  /** All changes up to this one have been sent: what the client gives as `since` next time. */
  private place: number;
  /** An asynchronous function keeps its arguments until it returns, and a feed may last for days: this one is let go. */
  private first: SourcePage | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;
  private isTimedOut = false;

  /** @param since where the source begins */
  constructor(
    private readonly source: FeedSubscription,
    private readonly output: FeedOutput,
    private readonly request: FeedRequest,
    since: number,
  ) {
    this.place = since;
    this.isEnvelope = request.mode === 'normal' || request.mode === 'longpoll';
    output.onClose = () => this.stop();
  }

  /**
   * Sends changes until the feed is at its end, is stopped, or the client leaves.
   * @param first page of the source: whatever can go wrong at the start has not
   * @returns what is left to send, with which the caller completes the reply
   * @throws as `ChangeLog.changes`
   */
  run(first: SourcePage): Promise<string> {
    this.first = first;
    return this.runOn();
  }

  private async runOn(): Promise<string> {
    try {
      this.begin();
      for (let delivered = await this.deliverFirst(); delivered !== 'end'; delivered = await this.goOn(delivered));
      return this.isEnvelope ? `],"last_seq":${this.place}}` : '';
    } finally {
      clearTimeout(this.timer);
      this.source.close();
    }
  }

  /** Ends the feed with what it has sent; the client can go on from there. */
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
    this.source.close();
  }

  private begin(): void {
    if (this.isEnvelope) this.output.write(OPENING);
    else this.output.open();
    // A client that begins now and is cut off before the first change goes on here, not at a later `now`.
    if (this.request.mode === 'sse' && this.request.since === 'now') this.output.write(`id: ${this.place}\n\n`);
  }

  private deliverFirst(): Promise<Delivered> {
    const page = this.first!;
    this.first = undefined;
    return this.deliver(page);
  }

  private async goOn(before: Delivered): Promise<Delivered> {
    this.output.open();
    if (before === 'slow' && !(await this.output.drainOrAbort())) return 'end';
    this.arm();
    const page = await this.nextPage();
    if (page) return this.deliver(page);
    // Everything that the source gave has been delivered, and what it passed over is not for this client.
    this.place = Math.max(this.place, this.source.position);
    return 'end';
  }

  private async nextPage(): Promise<SourcePage | undefined> {
    try {
      return await this.source.next();
    } catch (error) {
      // The time is over anyway: what was sent so far is a proper end.
      if (this.isTimedOut) return undefined;
      throw error;
    }
  }

  private async deliver(page: SourcePage): Promise<Delivered> {
    const { mode, limit, activeOnly } = this.request;
    const wanted = activeOnly && page.rows.some(({ deleted }) => deleted) ? page.rows.filter(isLive) : page.rows;
    const left = limit - this.sent;
    const isCut = wanted.length > left || (wanted.length === left && !page.caughtUp);
    const rows = wanted.length > left ? wanted.slice(0, left) : wanted;
    const pieces = piecesOf(rows, mode, this.request);
    for (const [index, piece] of pieces.entries()) {
      if (this.isStopped) return 'end';
      if (this.isEnvelope && this.sent > 0) this.output.write(ROW_SEPARATOR);
      this.output.write(piece.bytes);
      this.sent += piece.rows;
      this.place = piece.last;
      if (!this.output.full || (await this.output.drain(SLOW_AFTER_MS)) || index === pieces.length - 1) continue;
      this.source.rewind(piece.last);
      this.source.pageRows = SLOW_FEED_PAGE_ROWS;
      return 'slow';
    }
    if (rows.length > 0) this.timer?.refresh();
    if (isCut) return 'end';
    this.place = page.scanned;
    if (this.sent >= limit || (page.caughtUp && this.endsHere())) return 'end';
    this.source.pageRows = Math.min(this.source.pageRows * 2, FEED_PAGE_ROWS, limit - this.sent);
    return this.output.full ? 'slow' : 'more';
  }

  /** Whether the feed is complete when all changes that are there have been sent. */
  private endsHere(): boolean {
    const { mode } = this.request;
    return mode === 'normal' || this.isTimedOut || (mode === 'longpoll' && this.sent > 0);
  }

  private arm(): void {
    const { mode, heartbeatMs, timeoutMs } = this.request;
    if (this.timer || mode === 'normal' || this.isStopped) return;
    if (heartbeatMs !== undefined) this.timer = setTimeout(this.beat, heartbeatMs);
    else if (timeoutMs !== undefined) this.timer = setTimeout(this.timeOut, timeoutMs);
    this.timer?.unref();
  }

  /** The client goes on from `last_seq`: it is to be the end of the log, not that of the last change of interest. */
  private readonly timeOut = (): void => {
    this.isTimedOut = true;
    this.source.finish();
  };

  private readonly beat = (): void => {
    // For a client that does not take what there is, silence is not idleness.
    if (!this.output.busy) this.output.write(this.request.mode === 'sse' ? ':\n\n' : '\n');
    this.timer?.refresh();
  };
}

const isLive = ({ deleted }: { readonly deleted: boolean }): boolean => !deleted;
