import { EdgeError } from '@edgesync/errors';

export interface FairLimiterOptions {
  /** Tasks that run at once. */
  readonly concurrency: number;
  /** Tasks of one party that may wait. */
  readonly waitingPerParty: number;
  /** Tasks that may wait in all. */
  readonly waiting: number;
}

type Start = () => void;

/**
 * Runs few tasks at once and lets the parties that wait take turns, so that a party with many tasks delays another's
 * only task by one turn.
 */
export class FairLimiter {
  private running = 0;
  private waiting = 0;
  /** Waiting tasks by party; the parties in the order of their turns. */
  private readonly queues = new Map<string, Start[]>();

  constructor(private readonly options: FairLimiterOptions) {}

  /** @throws EdgeError `auth.throttled` if too many tasks wait */
  async run<T>(party: string, task: () => Promise<T>): Promise<T> {
    if (this.running < this.options.concurrency) this.running++;
    else await this.wait(party);
    try {
      return await task();
    } finally {
      this.startNext();
    }
  }

  private wait(party: string): Promise<void> {
    const queue = this.queues.get(party) ?? [];
    if (queue.length >= this.options.waitingPerParty || this.waiting >= this.options.waiting)
      throw new EdgeError('auth.throttled');
    this.waiting++;
    return new Promise((start) => {
      queue.push(start);
      this.queues.set(party, queue);
    });
  }

  /** Hands the free place to the party whose turn it is; that party goes to the end of the row. */
  private startNext(): void {
    for (const [party, queue] of this.queues) {
      this.queues.delete(party);
      const start = queue.shift()!;
      if (queue.length > 0) this.queues.set(party, queue);
      this.waiting--;
      return start();
    }
    this.running--;
  }
}
