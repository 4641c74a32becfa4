import { EdgeError, type ErrorCode } from '@edgesync/errors';

export interface SemaphoreLimits {
  /** Tasks that run at a time. */
  readonly running: number;
  /** Tasks that may wait: in all, of one party, and in bytes. */
  readonly waiting: number;
  readonly waitingPerParty?: number;
  readonly waitingBytes?: number;
  /** Error of a task for which there is no room. Default `server.overloaded`. */
  readonly refusal?: ErrorCode;
}

/** A task that may have to wait. */
export interface Claim {
  /** Memory that it holds meanwhile. */
  readonly bytes?: number;
  /** Whose task it is: parties that wait take turns, so that one with many tasks delays another by one. */
  readonly party?: string;
}

interface Waiting {
  readonly bytes: number;
  readonly start: () => void;
}

const NO_CLAIM: Claim = {};

/** Lets a bounded number of tasks run, a bounded number wait, and refuses the others. */
export class Semaphore {
  private running = 0;
  private waiting = 0;
  private waitingBytes = 0;
  /** Waiting tasks by party; the parties in the order of their turns. */
  private readonly queues = new Map<string, Waiting[]>();
  private readonly emptied: (() => void)[] = [];

  constructor(private readonly limits: SemaphoreLimits) {}

  /**
   * Runs a task now or in its turn.
   * @throws EdgeError {@link SemaphoreLimits.refusal}
   */
  async run<T>(task: () => Promise<T>, claim: Claim = NO_CLAIM): Promise<T> {
    if (this.running < this.limits.running) this.running++;
    else await this.wait(claim);
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

  private wait({ bytes = 0, party = '' }: Claim): Promise<void> {
    const { waiting, waitingPerParty = Infinity, waitingBytes = Infinity, refusal = 'server.overloaded' } = this.limits;
    const queue = this.queues.get(party) ?? [];
    if (this.waiting >= waiting || queue.length >= waitingPerParty || this.waitingBytes + bytes > waitingBytes)
      throw new EdgeError(refusal);
    this.waiting++;
    this.waitingBytes += bytes;
    return new Promise((start) => {
      queue.push({ bytes, start });
      this.queues.set(party, queue);
    });
  }

  private leave(): void {
    const next = this.takeNext();
    // The place goes straight to the next task, so that none slips in between.
    if (next) next.start();
    else if (--this.running === 0) for (const resolve of this.emptied.splice(0)) resolve();
  }

  /** The first task of the party whose turn it is; the party goes to the end of the line. */
  private takeNext(): Waiting | undefined {
    for (const [party, queue] of this.queues) {
      const next = queue.shift()!;
      if (queue.length === 0 || this.queues.size > 1) this.queues.delete(party);
      if (queue.length > 0) this.queues.set(party, queue);
      this.waiting--;
      this.waitingBytes -= next.bytes;
      return next;
    }
    return undefined;
  }
}
