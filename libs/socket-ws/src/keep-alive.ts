import type { Scheduler } from '@edgesync/blip';

/**
 * Notices a peer that is gone without a close frame. Every interval in which nothing was received ends with a ping; when
 * the next one stays silent, too, the peer is dead.
 */
export class KeepAlive {
  private received = true;
  private isPinged = false;
  private cancelTimer: () => void;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly intervalMs: number,
    private readonly ping: () => void,
    private readonly onDead: () => void,
  ) {
    this.cancelTimer = scheduler.schedule(intervalMs, this.look);
  }

  /** Something came from the peer, if only a pong. */
  noteTraffic(): void {
    this.received = true;
  }

  stop(): void {
    this.cancelTimer();
  }

  private readonly look = (): void => {
    if (this.isPinged && !this.received) {
      this.onDead();
      return;
    }
    this.isPinged = !this.received;
    if (this.isPinged) this.ping();
    this.received = false;
    this.cancelTimer = this.scheduler.schedule(this.intervalMs, this.look);
  };
}
