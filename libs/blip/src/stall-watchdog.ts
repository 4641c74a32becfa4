import type { Scheduler } from '@edgesync/async';

/** Progress that the watchdog looks at. */
export interface Watched {
  readonly isIdle: boolean;
  /** Whether it is the peer's turn. */
  readonly isWaitingForPeer: boolean;
  /** Changes whenever something moves. */
  readonly progress: number;
}

/** Notices that a peer takes nothing for a while. Its timer runs only while there is something to send. */
export class StallWatchdog {
  private cancelTimer: (() => void) | undefined;
  private progressBefore = 0;

  constructor(
    private readonly watched: Watched,
    private readonly scheduler: Scheduler,
    private readonly stallMs: number,
    private readonly onStall: () => void,
  ) {}

  /** To be called when there may be something to send. */
  watch(): void {
    if (this.cancelTimer || this.watched.isIdle) return;
    this.progressBefore = this.watched.progress;
    this.cancelTimer = this.scheduler.schedule(this.stallMs, () => this.look());
  }

  stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
  }

  private look(): void {
    this.cancelTimer = undefined;
    if (this.watched.isWaitingForPeer && this.watched.progress === this.progressBefore) this.onStall();
    else this.watch();
  }
}
