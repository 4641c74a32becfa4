import { EdgeError } from '@edgesync/errors';
import type { QueryLimitsConfig } from '@edgesync/config';
import type { Keyspace } from '@edgesync/document';
import type { QueryOptions, QueryPlan, QueryResult } from '@edgesync/ports';
import type { Collections } from '../collections.js';
import type { StatementJob } from './messages.js';
import type { StatementListener } from './query-thread.js';
import { processThreads, type QueriedDatabase, type QueryThreads, type TaskHandle } from './query-threads.js';
import { StatementResult } from './result.js';

/** Limits of the statements of a database. */
export type QueryLimits = Pick<QueryLimitsConfig, 'timeout' | 'running' | 'waiting' | 'heldRows' | 'heldBytes'>;

export interface QueriesOptions {
  readonly name: string;
  readonly file: string;
  readonly collections: Collections;
  readonly limits: QueryLimits;
  readonly nowSeconds: () => number;
  /** Notified of faults that are not the caller's. */
  readonly report: (error: unknown) => void;
}

let lastKey = 0;
let lastStatement = 0;

/** Fits a cell that the threads share; 0 is no statement. */
function nextStatement(): number {
  lastStatement = lastStatement === 0x7fff_ffff ? 1 : lastStatement + 1;
  return lastStatement;
}

/** Statements over one open database. */
export class DatabaseQueries {
  private readonly database: QueriedDatabase;
  private readonly stops = new Set<(reason: unknown) => void>();
  private closed = false;

  constructor(
    private readonly options: QueriesOptions,
    private readonly threads: QueryThreads = processThreads,
  ) {
    const { name, file, collections, limits } = options;
    this.database = {
      key: ++lastKey,
      name,
      file,
      collections: collections.all().map(({ id, keyspace: { scope, collection } }) => ({ id, scope, collection })),
      running: limits.running,
      waiting: limits.waiting,
    };
  }

  get load(): { readonly running: number; readonly waiting: number } {
    return this.threads.load(this.database.key);
  }

  query(keyspace: Keyspace, statement: string, options: QueryOptions = {}): Promise<QueryResult> {
    const began = performance.now();
    return this.submit<QueryResult>('run', keyspace, statement, options, (task, resolve) => {
      const result = new StatementResult(
        () => task().taken(),
        () => task().stop(),
      );
      return {
        rows: (batch) => {
          result.push(batch);
          resolve(result);
        },
        end: (summary) => {
          result.end({ ...summary, seconds: (performance.now() - began) / 1_000 });
          resolve(result);
        },
        fail: (error) => result.fail(error),
      };
    });
  }

  explain(keyspace: Keyspace, statement: string, options: QueryOptions = {}): Promise<QueryPlan> {
    return this.submit<QueryPlan>('explain', keyspace, statement, options, (_, resolve) => ({ plan: resolve }));
  }

  /** Stops what runs, and lets go of the files. From now on everything throws `storage.closed`. */
  async close(): Promise<void> {
    this.closed = true;
    for (const stop of [...this.stops]) stop(new EdgeError('storage.closed'));
    await this.threads.detach(this.database.key);
  }

  private submit<T>(
    type: StatementJob['type'],
    keyspace: Keyspace,
    statement: string,
    { parameters, signal, timeLimit }: QueryOptions,
    listen: (
      task: () => TaskHandle,
      resolve: (value: T) => void,
    ) => Partial<StatementListener> & { readonly fail?: (error: unknown) => void },
  ): Promise<T> {
    const { collections, limits, nowSeconds, report } = this.options;
    return new Promise<T>((resolve, reject) => {
      if (this.closed) throw new EdgeError('storage.closed');
      signal?.throwIfAborted();
      collections.get(keyspace);
      const time = Math.min(timeLimit ?? Infinity, limits.timeout);
      const listener = listen(() => task, resolve);
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.stops.delete(stop);
      };
      const stop = (reason: unknown): void => {
        finish();
        task.stop();
        listener.fail?.(reason);
        reject(reason as Error);
      };
      const abort = (): void => stop(signal!.reason);
      const job: StatementJob = {
        type,
        id: nextStatement(),
        database: this.database.key,
        keyspace,
        statement,
        parameters,
        heldRows: limits.heldRows,
        heldBytes: limits.heldBytes,
        nowSeconds: nowSeconds(),
      };
      const task = this.threads.submit(this.database, job, {
        rows: (batch) => listener.rows?.(batch),
        end: (summary) => {
          finish();
          listener.end?.(summary);
        },
        plan: (plan) => {
          finish();
          listener.plan?.(plan);
        },
        fault: (error, internal) => {
          finish();
          if (internal !== undefined) report(internal);
          listener.fail?.(error);
          reject(error);
        },
      });
      const timer = setTimeout(() => stop(new EdgeError('query.timeout', timeoutReason(time))), time);
      this.stops.add(stop);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

const timeoutReason = (milliseconds: number): string => `the statement took longer than ${milliseconds / 1_000} s`;
