import { sleep } from '@edgesync/async';
import { EdgeError } from '@edgesync/errors';
import type { LeaseBucket, LeaseRecord } from './lease-bucket.js';
import { LEASE_MARGIN } from './tuning.js';

/** Two clocks, in milliseconds: one that is never set, and the time of day. */
export interface Clocks {
  readonly steady: () => number;
  readonly wall: () => number;
}

const CLOCKS: Clocks = { steady: () => performance.now(), wall: () => Date.now() };

/**
 * The right to what a name stands for, such as a database, renewed until it is released or lost.
 *
 * It is valid for a bounded time from *before* its last renewal was sent, less a margin, by both clocks: the steady
 * clock sees a process that was stopped (SIGSTOP) and a time of day that was set back, the time of day sees a machine
 * that was suspended, whose steady clock stood still. NATS counts the same life from when the renewal arrived, which is
 * later; so the entry is taken over only after the former holder's validity has ended.
 */
export class Lease {
  /** Resolves when the lease is no longer held: lost or released. */
  readonly ended: Promise<'lost' | 'released'>;
  private end!: (why: 'lost' | 'released') => void;
  private timer: NodeJS.Timeout | undefined;
  private renewing: Promise<void> = Promise.resolve();
  private over = false;

  private constructor(
    private readonly bucket: LeaseBucket,
    readonly name: string,
    private readonly record: LeaseRecord,
    private revision: number,
    private confirmed: { steady: number; wall: number },
    private readonly clocks: Clocks,
  ) {
    this.ended = new Promise((resolve) => (this.end = resolve));
    this.schedule();
  }

  /**
   * Takes the lease if nobody has it.
   * @param holder names the holder, for people
   * @throws if NATS does not answer
   */
  static async tryAcquire(
    bucket: LeaseBucket,
    name: string,
    holder: string,
    clocks: Clocks = CLOCKS,
  ): Promise<Lease | undefined> {
    const sent = { steady: clocks.steady(), wall: clocks.wall() };
    const taken = await bucket.create(name, holder);
    if (!taken) return undefined;
    return new Lease(bucket, name, taken.record, taken.revision, sent, clocks);
  }

  /** Whether it is certain, at this moment, that nobody else has what it is for. */
  get held(): boolean {
    return !this.over && this.left() > 0;
  }

  /** @throws EdgeError `storage.unavailable` if it is not certain that nobody else has what it is for */
  assertHeld(): void {
    if (!this.held)
      throw new EdgeError('storage.unavailable', `this process does not own ${this.name} any more; try again shortly`);
  }

  /** Gives it free. To be called after the work that it allows is over. */
  async release(): Promise<void> {
    if (this.over) return;
    this.finish('released');
    // The entry is removed by its revision, which a renewal under way changes.
    await this.renewing;
    // If NATS is away the entry runs out by itself.
    await this.bucket.remove(this.name, this.revision).catch(() => undefined);
  }

  /** Milliseconds of validity left. */
  private left(): number {
    const elapsed = Math.max(
      this.clocks.steady() - this.confirmed.steady,
      // A time of day that was set back says nothing; the steady clock still does.
      this.clocks.wall() - this.confirmed.wall,
    );
    return this.bucket.life * (1 - LEASE_MARGIN) - elapsed;
  }

  private schedule(): void {
    if (this.over) return;
    const left = this.left();
    if (left <= 0) return this.finish('lost');
    const renew = (): void => {
      this.renewing = this.renew();
    };
    this.timer = setTimeout(renew, Math.min(left, this.bucket.renewalInterval));
  }

  /** Renews, again and again until it is done or too late. */
  private async renew(): Promise<void> {
    // Validity ends on time, whatever an answer that does not come is waiting for.
    this.timer = setTimeout(() => this.finish('lost'), Math.max(1, this.left()));
    let renewed = false;
    while (!renewed && !this.over && this.left() > 0) renewed = await this.renewOnce();
    clearTimeout(this.timer);
    this.schedule();
  }

  private async renewOnce(): Promise<boolean> {
    const sent = { steady: this.clocks.steady(), wall: this.clocks.wall() };
    const timeout = this.bucket.renewalInterval;
    try {
      const revision = await this.bucket.renew(this.name, this.record, this.revision, timeout);
      if (revision !== undefined) {
        this.revision = revision;
        this.confirmed = sent;
        return true;
      }
      if (!(await this.adopt())) this.finish('lost');
    } catch {
      // NATS does not answer.
      if (!this.over) await sleep(timeout / 2);
    }
    return false;
  }

  /** An earlier renewal may have arrived although its answer did not: then the entry is ours under a later revision. */
  private async adopt(): Promise<boolean> {
    const entry = await this.bucket.look(this.name);
    if (entry?.record.holder !== this.record.holder) return false;
    this.revision = entry.revision;
    return true;
  }

  private finish(why: 'lost' | 'released'): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.end(why);
  }
}
