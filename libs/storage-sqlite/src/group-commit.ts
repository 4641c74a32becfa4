import type Database from 'better-sqlite3';
import { EdgeError } from '@edgesync/errors';
import { errorCode, toStorageError } from './storage-error.js';
import { BUSY_RETRY_MS, BUSY_RETRIES, GROUP_WEIGHT, QUEUE_WEIGHT } from './tuning.js';

/** One piece of writing that becomes durable as a whole or not at all. */
interface Job {
  /** Its cost, in documents or comparable units. */
  readonly weight: number;
  /** Does the writing; synchronous, inside a transaction. May run again if the transaction had to be rolled back. */
  readonly apply: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Receives the outcome of transactions. */
export interface CommitObserver {
  /** @param jobs how many pieces of writing became durable together; @param seconds from the beginning to the disk's answer */
  committed(jobs: number, seconds: number): void;
  rolledBack(): void;
}

/** Steps around a transaction. */
export interface CommitHooks {
  /** In the transaction, after the last job. */
  beforeCommit(): void;
  /** The transaction is durable. Runs before the caller of any job is notified. */
  committed(): void;
  /** Nothing of the transaction happened. */
  rolledBack(): void;
  /** A piece of writing failed for good. */
  failed?(error: EdgeError): void;
  readonly observer?: CommitObserver | undefined;
}

/**
 * The only place that starts write transactions. Jobs that arrive while the event loop is busy with other things are
 * committed together, with one wait for the disk, and their promises resolve after it.
 */
export class GroupCommit {
  private readonly queue: Job[] = [];
  private queuedWeight = 0;
  private scheduled = false;
  private busyRetries = 0;
  private closed = false;
  private idle: (() => void)[] = [];

  private readonly begin: Database.Statement<[]>;
  private readonly commit: Database.Statement<[]>;

  constructor(
    private readonly handle: Database.Database,
    private readonly hooks: CommitHooks,
  ) {
    this.begin = handle.prepare('BEGIN IMMEDIATE');
    this.commit = handle.prepare('COMMIT');
  }

  /** Pieces of writing that wait for a transaction. */
  get length(): number {
    return this.queue.length;
  }

  /**
   * Runs `apply` in the next transaction.
   * @throws EdgeError `storage.closed`, `server.overloaded` (the queue is full), or the fault that stopped the commit
   */
  run<T>(weight: number, apply: () => T): Promise<T> {
    if (this.closed) return Promise.reject(new EdgeError('storage.closed'));
    if (this.queuedWeight > QUEUE_WEIGHT) return Promise.reject(new EdgeError('server.overloaded'));
    return new Promise<T>((resolve, reject) => {
      this.queue.push({ weight, apply, resolve, reject });
      this.queuedWeight += weight;
      this.schedule();
    });
  }

  /** Lets the queued jobs finish and takes no more. */
  close(): Promise<void> {
    this.closed = true;
    return this.queue.length === 0 ? Promise.resolve() : new Promise((resolve) => this.idle.push(resolve));
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.commitNext();
    });
  }

  private commitNext(): void {
    const jobs = this.takeGroup();
    if (jobs.length > 0) {
      const outcome = this.tryCommit(jobs);
      if (outcome === 'busy') return this.waitForLock(jobs);
      this.busyRetries = 0;
    }
    if (this.queue.length > 0) return this.schedule();
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private takeGroup(): Job[] {
    let weight = 0;
    let count = 0;
    while (count < this.queue.length && (count === 0 || weight < GROUP_WEIGHT)) weight += this.queue[count++]!.weight;
    this.queuedWeight -= weight;
    return this.queue.splice(0, count);
  }

  private tryCommit(jobs: readonly Job[]): 'done' | 'busy' {
    const results: unknown[] = [];
    const began = performance.now();
    try {
      this.begin.run();
      for (const job of jobs) results.push(job.apply());
      this.hooks.beforeCommit();
      this.commit.run();
    } catch (error) {
      this.rollBack();
      if (errorCode(error).startsWith('SQLITE_BUSY')) return 'busy';
      // A faulty job fails alone: the others are tried without it.
      if (jobs.length > 1) for (const job of jobs) this.commitAlone(job);
      else this.fail(jobs[0]!, toStorageError(error));
      return 'done';
    }
    this.hooks.observer?.committed(jobs.length, (performance.now() - began) / 1_000);
    this.hooks.committed();
    jobs.forEach((job, index) => job.resolve(results[index] as never));
    return 'done';
  }

  private fail(job: Job, error: EdgeError): void {
    this.hooks.failed?.(error);
    job.reject(error);
  }

  private commitAlone(job: Job): void {
    if (this.tryCommit([job]) === 'busy') job.reject(new EdgeError('storage.busy'));
  }

  private rollBack(): void {
    // SQLite has rolled back by itself after some faults, such as a full disk.
    try {
      if (this.handle.inTransaction) this.handle.exec('ROLLBACK');
    } finally {
      this.hooks.rolledBack();
      this.hooks.observer?.rolledBack();
    }
  }

  /** Another process holds SQLite's write lock, such as a backup or a shell. */
  private waitForLock(jobs: Job[]): void {
    if (this.busyRetries++ < BUSY_RETRIES) {
      this.queue.unshift(...jobs);
      for (const job of jobs) this.queuedWeight += job.weight;
      this.scheduled = true;
      setTimeout(() => {
        this.scheduled = false;
        this.commitNext();
      }, BUSY_RETRY_MS);
      return;
    }
    this.busyRetries = 0;
    for (const job of jobs) job.reject(new EdgeError('storage.busy'));
    if (this.queue.length > 0) this.schedule();
    else for (const resolve of this.idle.splice(0)) resolve();
  }
}
