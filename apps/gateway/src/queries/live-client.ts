import { errorReply } from '@edgesync/platform';
import type { FeedOutput } from '../changes/feed-output.js';
import { LIVE_HEARTBEAT_MS, SLOW_AFTER_MS } from '../tuning.js';
import type { LiveFollower, LiveResult } from './live-result.js';

/** A client that follows a live query by server-sent events. A slow one misses results that were superseded. */
export class LiveClient implements LiveFollower {
  private unfollow: (() => void) | undefined;
  private readonly heartbeat: NodeJS.Timeout;
  private isSending = false;
  private isEnded = false;

  /**
   * @param sent ID of the result that the client has from before
   * @param onEnd called once, when the client is gone or the feed over
   */
  constructor(
    private readonly result: LiveResult,
    private readonly output: FeedOutput,
    private sent: string | undefined,
    private readonly onEnd: () => void,
  ) {
    output.onClose = () => this.close();
    this.heartbeat = setTimeout(() => this.beat(), LIVE_HEARTBEAT_MS).unref();
  }

  /** Sends the result that is there, and those that come. */
  start(): void {
    if (this.output.closed) return this.close();
    this.output.open();
    this.unfollow = this.result.follow(this);
    this.changed();
  }

  get ready(): boolean {
    return !this.isSending;
  }

  changed(): void {
    if (!this.isSending) void this.send();
  }

  /** The statement fails from now on: an event of type `error` with the body that the request would get. */
  failed(error: unknown): void {
    this.end(`event: error\ndata: ${errorReply(error).body}\n\n`);
  }

  /** Ends the feed; the client goes on with `Last-Event-ID`. */
  end(last = ''): void {
    if (this.isEnded) return;
    this.close();
    this.output.end(last);
  }

  private close(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    clearTimeout(this.heartbeat);
    this.unfollow?.();
    this.onEnd();
  }

  private async send(): Promise<void> {
    this.isSending = true;
    while (!this.isEnded && this.result.latest!.id !== this.sent) {
      const { id, text } = this.result.latest!;
      this.sent = id;
      this.output.write(`id: ${id}\ndata: ${text}\n\n`);
      this.heartbeat.refresh();
      if (!(await this.output.drain(SLOW_AFTER_MS)) && !(await this.output.drainOrAbort())) break;
    }
    this.isSending = false;
    if (!this.isEnded) this.result.resume();
  }

  private beat(): void {
    // To a client that does not take what there is, silence is not idleness.
    if (!this.output.busy) this.output.write(':\n\n');
    this.heartbeat.refresh();
  }
}
