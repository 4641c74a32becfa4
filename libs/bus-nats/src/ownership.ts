import { aborted, sleep } from '@edgesync/async';
import { Lease } from './lease.js';
import type { LeaseBucket } from './lease-bucket.js';
import { LEASE_RETRY_MS, LEASE_SHARING_MS } from './tuning.js';

/** Actions of a process on what it owns. */
export interface OwnershipHandlers {
  /** Begins to work, such as to serve a database. If it throws, the lease goes back and all is tried again. */
  acquired(lease: Lease): Promise<void>;
  /** Ends the work, quickly: the lease is over already unless this process releases it. */
  given(name: string): Promise<void>;
  /** The lease is over: others may have it. */
  released?(name: string): void;
  /** Receives errors; the work goes on. */
  report(name: string, error: unknown): void;
}

interface Pursuit {
  readonly stopping: AbortController;
  readonly done: Promise<void>;
}

/**
 * Keeps trying to own what names stand for, until they are given up or the process ends. Several processes may want the
 * same ones: each has one owner at a time, and a process that holds fewer is quicker to take what becomes free.
 */
export class Ownership {
  private readonly pursuits = new Map<string, Pursuit>();
  private readonly leases = new Map<string, Lease>();
  /** Ends the pauses between attempts. */
  private waking = new AbortController();
  private isOver = false;
  private trying = 0;

  /**
   * @param holder names the holder of a lease, for people
   * @param sharing milliseconds to wait for every name that this process is trying to get already: processes that
   * start at the same time then share what is free, and one that is alone takes a little longer to have it all
   */
  constructor(
    private readonly bucket: LeaseBucket,
    private readonly holder: string,
    private readonly handlers: OwnershipHandlers,
    private readonly sharing = 0,
  ) {}

  /** Names owned now. */
  get owned(): string[] {
    return [...this.leases.keys()].sort();
  }

  /** Names owned or wanted. */
  get pursued(): ReadonlySet<string> {
    return new Set(this.pursuits.keys());
  }

  /** Begins to try for a name, unless that is so already. */
  pursue(name: string): void {
    if (this.isOver || this.pursuits.has(name)) return;
    const stopping = new AbortController();
    const done = this.follow(name, stopping.signal).finally(() => this.pursuits.delete(name));
    this.pursuits.set(name, { stopping, done });
  }

  /** Gives a name back, or gives it up. It may be pursued again when this resolves. */
  async abandon(name: string): Promise<void> {
    const pursuit = this.pursuits.get(name);
    pursuit?.stopping.abort();
    await pursuit?.done;
  }

  /** Something may have become free: tries at once. */
  wake(): void {
    this.waking.abort();
    this.waking = new AbortController();
  }

  /** Gives everything back; others may take over at once. */
  async stop(): Promise<void> {
    this.isOver = true;
    await Promise.all([...this.pursuits.keys()].map((name) => this.abandon(name)));
  }

  private async follow(name: string, signal: AbortSignal): Promise<void> {
    let reported = '';
    while (!signal.aborted) {
      try {
        const lease = await this.acquire(name, signal);
        if (lease) await this.own(lease, signal);
        reported = '';
      } catch (error) {
        // The same again every half second is not worth a word.
        const { message } = error as Error;
        if (message !== reported && !signal.aborted) this.handlers.report(name, error);
        reported = message;
      }
      await sleep(LEASE_RETRY_MS, { signal: AbortSignal.any([signal, this.waking.signal]) });
    }
  }

  private async acquire(name: string, signal: AbortSignal): Promise<Lease | undefined> {
    const ahead = this.trying++;
    try {
      await sleep(this.leases.size * LEASE_SHARING_MS + ahead * this.sharing, { signal });
      if (signal.aborted) return undefined;
      return await Lease.tryAcquire(this.bucket, name, this.holder);
    } finally {
      this.trying--;
    }
  }

  private async own(lease: Lease, signal: AbortSignal): Promise<void> {
    const { name } = lease;
    this.leases.set(name, lease);
    try {
      await this.handlers.acquired(lease);
      await Promise.race([lease.ended, aborted(signal)]);
    } finally {
      this.leases.delete(name);
      try {
        await this.handlers.given(name);
      } finally {
        await lease.release();
        this.handlers.released?.(name);
      }
    }
  }
}
