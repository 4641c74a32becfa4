import type { Scheduler } from '@edgesync/blip';

/**
 * Notices a peer that is gone without a word. Every interval in which nothing was heard ends with a ping; when the next
 * one stays silent too, the peer is dead.
 */
export class KeepAlive {
  private heard = true;
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

  /** Something came from the peer, be it only a pong. */
  hear(): void {
    this.heard = true;
  }

  stop(): void {
    this.cancelTimer();
  }

  private readonly look = (): void => {
    if (this.isPinged && !this.heard) {
      this.onDead();
      return;
    }
    this.isPinged = !this.heard;
    if (this.isPinged) this.ping();
    this.heard = false;
    this.cancelTimer = this.scheduler.schedule(this.intervalMs, this.look);
  };
}
