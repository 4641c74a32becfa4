import { EdgeError } from '@edgesync/errors';

export interface GateLimits {
  /** Tasks at work at a time. */
  readonly running: number;
  /** Tasks that wait, in number and bytes. */
  readonly waiting: number;
  readonly waitingBytes?: number;
}

interface Waiting {
  readonly bytes: number;
  readonly start: () => void;
}

/** Lets a bounded number of tasks run, a bounded number wait, and turns the others away. */
export class Gate {
  private running = 0;
  private waitingBytes = 0;
  private readonly waiting: Waiting[] = [];
  private readonly emptied: (() => void)[] = [];

  constructor(private readonly limits: GateLimits) {}

  /**
   * Runs a task now or in its turn.
   * @param bytes what the waiting task holds in memory
   * @throws EdgeError `server.overloaded`
   */
  async run<T>(task: () => Promise<T>, bytes = 0): Promise<T> {
    if (this.running >= this.limits.running) await this.queue(bytes);
    else this.running++;
    try {
      return await task();
    } finally {
      this.leave();
    }
  }

  /** Resolves when nothing runs or waits. */
  idle(): Promise<void> {
    return this.running === 0 ? Promise.resolve() : new Promise((resolve) => this.emptied.push(resolve));
  }

  private queue(bytes: number): Promise<void> {
    const { waiting, waitingBytes = Infinity } = this.limits;
    if (this.waiting.length >= waiting || this.waitingBytes + bytes > waitingBytes)
      throw new EdgeError('server.overloaded');
    this.waitingBytes += bytes;
    return new Promise((start) => this.waiting.push({ bytes, start }));
  }

  private leave(): void {
    // The place goes straight to the next one, so that nobody slips in between.
    const next = this.waiting.shift();
    if (next) {
      this.waitingBytes -= next.bytes;
      next.start();
    } else if (--this.running === 0) for (const resolve of this.emptied.splice(0)) resolve();
  }
}
