import { DatabaseLease } from './database-lease.js';
import type { LeaseBucket } from './lease-bucket.js';
import { LEASE_RETRY_MS, LEASE_SHARING_MS } from './tuning.js';

/** What a storage process does with the databases it owns. */
export interface OwnershipHandlers {
  /** Opens a database and starts serving it. If it throws, the lease goes back and all is tried again. */
  acquired(lease: DatabaseLease): Promise<void>;
  /** Stops serving a database and closes its files, quickly: the lease is over already unless this process releases it. */
  given(database: string): Promise<void>;
  /** Told of what went wrong; the work goes on. */
  report(database: string, error: unknown): void;
}

/**
 * Keeps trying to own databases, for as long as the process lives. Several storage processes may want the same ones:
 * each database has one owner at a time, and one that holds fewer is quicker to take what becomes free.
 */
export class DatabaseOwnership {
  private readonly stopping = new AbortController();
  private readonly loops: Promise<void>[];
  private readonly leases = new Map<string, DatabaseLease>();

  /** @param name tells people who holds a lease */
  constructor(
    private readonly bucket: LeaseBucket,
    databases: readonly string[],
    private readonly name: string,
    private readonly handlers: OwnershipHandlers,
  ) {
    this.loops = databases.map((database) => this.pursue(database));
  }

  /** Databases owned now. */
  get owned(): string[] {
    return [...this.leases.keys()].sort();
  }

  /** Gives everything back; others may take over at once. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.loops);
  }

  private async pursue(database: string): Promise<void> {
    const { signal } = this.stopping;
    let reported = '';
    while (!signal.aborted) {
      try {
        const lease = await this.acquire(database);
        if (lease) await this.own(lease);
        reported = '';
      } catch (error) {
        // The same again every half second is not worth a word.
        const { message } = error as Error;
        if (message !== reported && !signal.aborted) this.handlers.report(database, error);
        reported = message;
      }
      await pause(LEASE_RETRY_MS, signal);
    }
  }

  private async acquire(database: string): Promise<DatabaseLease | undefined> {
    await pause(this.leases.size * LEASE_SHARING_MS, this.stopping.signal);
    if (this.stopping.signal.aborted) return undefined;
    return DatabaseLease.tryAcquire(this.bucket, database, this.name);
  }

  private async own(lease: DatabaseLease): Promise<void> {
    const { database } = lease;
    const { signal } = this.stopping;
    this.leases.set(database, lease);
    try {
      await this.handlers.acquired(lease);
      await Promise.race([lease.ended, aborted(signal)]);
    } finally {
      this.leases.delete(database);
      try {
        await this.handlers.given(database);
      } finally {
        await lease.release();
      }
    }
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || milliseconds === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
