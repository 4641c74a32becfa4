import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { EdgeError } from '@edgesync/errors';
import type { QueryBatch, QueryPlan } from '@edgesync/ports';
import { errorCode } from '../storage-error.js';
import { CONTROL, type AttachedDatabase, type FromThread, type StatementJob, type ThreadSummary } from './messages.js';
import { STOP_GRACE_MS, THREAD_HEAP_MB } from './tuning.js';

/** Learns what becomes of a statement. After `end`, `plan` or `fault` nothing follows. */
export interface StatementListener {
  rows(batch: QueryBatch): void;
  end(summary: ThreadSummary): void;
  plan(plan: QueryPlan): void;
  /** @param internal what went wrong inside, for the log */
  fault(error: EdgeError, internal?: unknown): void;
}

interface Running {
  readonly job: StatementJob;
  readonly listener: StatementListener;
}

/** A thread that runs one statement at a time, as its owner sees it. */
export class QueryThread {
  private readonly worker: Worker;
  private readonly control = new Int32Array(new SharedArrayBuffer(CONTROL.cells * Int32Array.BYTES_PER_ELEMENT));
  private readonly attached = new Set<number>();
  private readonly detaching = new Map<number, () => void>();
  private running: Running | undefined;
  private stopTimer: NodeJS.Timeout | undefined;
  private crash: Error | undefined;

  /**
   * @param free it can take a statement again
   * @param gone it has ended, by itself or not
   */
  constructor(
    private readonly free: (thread: QueryThread) => void,
    gone: (thread: QueryThread) => void,
  ) {
    this.worker = startWorker(this.control);
    this.worker.unref();
    this.worker.on('message', (message: FromThread) => this.receive(message));
    this.worker.on('error', (error) => (this.crash = error as Error));
    this.worker.on('exit', () => {
      clearTimeout(this.stopTimer);
      gone(this);
      this.finish()?.listener.fault(faultOf(this.crash), this.crash ?? new Error('a query thread ended'));
      for (const resolve of this.detaching.values()) resolve();
    });
  }

  run(database: AttachedDatabase, job: StatementJob, listener: StatementListener): void {
    if (!this.attached.has(database.key)) {
      this.attached.add(database.key);
      this.worker.postMessage({ type: 'attach', database });
    }
    this.running = { job, listener };
    this.control[CONTROL.taken] = 0;
    this.worker.ref();
    this.worker.postMessage(job);
  }

  /** The reader has taken a batch. */
  taken(id: number): void {
    if (this.running?.job.id !== id) return;
    Atomics.add(this.control, CONTROL.taken, 1);
    Atomics.notify(this.control, CONTROL.taken);
  }

  /** Has the thread stop a statement; it ends if it does not. */
  stop(id: number): void {
    if (this.running?.job.id !== id || this.stopTimer) return;
    Atomics.store(this.control, CONTROL.cancelled, id);
    Atomics.notify(this.control, CONTROL.taken);
    this.stopTimer = setTimeout(() => this.end(), STOP_GRACE_MS);
  }

  /** Resolves when the thread has closed the files of a database. It must not run a statement on it. */
  async detach(database: number): Promise<void> {
    if (!this.attached.delete(database)) return;
    this.worker.ref();
    await new Promise<void>((resolve) => {
      this.detaching.set(database, resolve);
      this.worker.postMessage({ type: 'detach', database });
      Atomics.store(this.control, CONTROL.mail, 1);
      Atomics.notify(this.control, CONTROL.taken);
    });
    if (!this.running) this.worker.unref();
  }

  end(): void {
    void this.worker.terminate();
  }

  private receive(message: FromThread): void {
    if (message.type === 'detached') {
      this.detaching.get(message.database)?.();
      this.detaching.delete(message.database);
      return;
    }
    const { running } = this;
    if (running?.job.id !== message.id) return;
    const { listener } = running;
    switch (message.type) {
      case 'rows':
        return listener.rows({ rows: message.rows, json: message.json });
      case 'end':
        this.release();
        if (message.rows > 0) listener.rows({ rows: message.rows, json: message.json });
        return listener.end(message.summary);
      case 'plan':
        this.release();
        return listener.plan(message.plan);
      case 'fault':
        this.release();
        return listener.fault(new EdgeError(message.code, message.reason), message.internal);
    }
  }

  private release(): void {
    this.finish();
    this.free(this);
  }

  private finish(): Running | undefined {
    clearTimeout(this.stopTimer);
    this.stopTimer = undefined;
    const { running } = this;
    this.running = undefined;
    this.worker.unref();
    return running;
  }
}

function faultOf(crash: Error | undefined): EdgeError {
  return errorCode(crash) === 'ERR_WORKER_OUT_OF_MEMORY'
    ? new EdgeError('query.limit', `the statement needs more than ${THREAD_HEAP_MB} MB of memory`)
    : new EdgeError('storage.failed');
}

function startWorker(control: Int32Array): Worker {
  const options = { workerData: control, resourceLimits: { maxOldGenerationSizeMb: THREAD_HEAP_MB } };
  const compiled = new URL('query-worker.js', import.meta.url);
  if (existsSync(fileURLToPath(compiled))) return new Worker(compiled, { ...options, execArgv: [] });
  // Nothing is compiled: tests run the sources, and the thread loads them as they do.
  const hooks = new URL('../testing/worker-hooks.mjs', import.meta.url);
  const execArgv = ['--conditions=@edgesync/source', '--disable-warning=ExperimentalWarning', '--import', hooks.href];
  return new Worker(new URL('query-worker.ts', import.meta.url), { ...options, execArgv });
}
