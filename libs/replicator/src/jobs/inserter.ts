import { backOffMs, retry } from '@edgesync/async';
import type { WriteRequest, WriteResult } from '@edgesync/ports';
import type { PeerLink } from './peer-link.js';
import { passesSoon } from './errors.js';

/** Receives the outcome of one revision, once it is durable. */
export type InsertCallback = (result: WriteResult | undefined, error: unknown) => void;

interface Insertion {
  readonly request: WriteRequest;
  readonly done: InsertCallback;
}

/**
 * Writes revisions in batches, for every write waits for the disk once. A batch gathers as long as every turn of the
 * event loop brings more, so batches grow with the load, and a lone revision waits for nothing. Order of arrival is
 * order of writing.
 */
export class Inserter {
  private queue: Insertion[] = [];
  private writes = 0;
  private isGathering = false;
  private idle: (() => void)[] = [];

  constructor(private readonly link: PeerLink) {}

  add(request: WriteRequest, done: InsertCallback): void {
    this.queue.push({ request, done });
    if (this.queue.length >= this.link.context.tuning.insertBatch) this.flush();
    else if (!this.isGathering) this.gather(0);
  }

  /** Resolves when nothing waits to be written. */
  whenIdle(): Promise<void> {
    if (this.queue.length === 0 && this.writes === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  private gather(before: number): void {
    this.isGathering = true;
    this.link.context.nextTurn(() => {
      this.isGathering = false;
      if (this.queue.length > before) this.gather(this.queue.length);
      else this.flush();
    });
  }

  private flush(): void {
    const { insertBatch, concurrentWrites } = this.link.context.tuning;
    while (this.queue.length > 0 && this.writes < concurrentWrites) {
      const batch = this.queue.length <= insertBatch ? this.queue : this.queue.slice(0, insertBatch);
      this.queue = batch === this.queue ? [] : this.queue.slice(insertBatch);
      this.writes++;
      void this.write(batch).finally(() => {
        this.writes--;
        this.flush();
        if (this.queue.length === 0 && this.writes === 0) for (const resolve of this.idle.splice(0)) resolve();
      });
    }
  }

  private async write(batch: readonly Insertion[]): Promise<void> {
    let results: readonly WriteResult[];
    try {
      results = await this.writeWithPatience(batch.map(({ request }) => request));
    } catch (error) {
      for (const { done } of batch) done(undefined, error);
      this.link.failIfTemporary(error);
      return;
    }
    for (const [index, { done }] of batch.entries()) done(results[index], undefined);
  }

  private writeWithPatience(requests: readonly WriteRequest[]): Promise<readonly WriteResult[]> {
    const { storage, scheduler, tuning } = this.link.context;
    return retry(() => storage.write(this.link.database, requests), {
      isWorthwhile: (error, failures) =>
        passesSoon(error) && failures <= tuning.writeRetries && this.link.connection.isOpen,
      pauseMs: (failures) => backOffMs(failures, { firstMs: tuning.writeRetryMs, longestMs: Infinity }),
      scheduler,
    });
  }
}
