import type { CollectionName, Keyspace } from '@edgesync/document';
import type { ErrorCode } from '@edgesync/errors';
import type { QueryPlan, QuerySummary } from '@edgesync/ports';

/** A database that a thread may read. */
export interface AttachedDatabase {
  /** Names it in later messages; never used for another one. */
  readonly key: number;
  readonly name: string;
  readonly file: string;
  /** Collections that statements may name. */
  readonly collections: readonly (CollectionName & { readonly id: number })[];
}

export interface StatementJob {
  readonly type: 'run' | 'explain';
  /** Of the statement; goes up. */
  readonly id: number;
  readonly database: number;
  readonly keyspace: Keyspace;
  readonly statement: string;
  /** JSON object; undefined without parameters. */
  readonly parameters: string | undefined;
  /** Most rows held for sorting, grouping and hashing, and their bytes. */
  readonly heldRows: number;
  readonly heldBytes: number;
  readonly nowSeconds: number;
}

export type ToThread =
  | { readonly type: 'attach'; readonly database: AttachedDatabase }
  /** Answered by `detached` when the files of the database are closed. */
  | { readonly type: 'detach'; readonly database: number }
  | StatementJob;

/** Seconds are counted by the one who called. */
export type ThreadSummary = Omit<QuerySummary, 'seconds'>;

export type FromThread =
  | { readonly type: 'detached'; readonly database: number }
  | { readonly type: 'rows'; readonly id: number; readonly rows: number; readonly json: string }
  /** The statement is over; the last rows come along. */
  | {
      readonly type: 'end';
      readonly id: number;
      readonly rows: number;
      readonly json: string;
      readonly summary: ThreadSummary;
    }
  | { readonly type: 'plan'; readonly id: number; readonly plan: QueryPlan }
  /** `internal`: not the caller's fault; for the log. */
  | {
      readonly type: 'fault';
      readonly id: number;
      readonly code: ErrorCode;
      readonly reason: string;
      readonly internal?: string;
    };

/**
 * Memory shared by a thread and its owner: the thread looks at it while it runs a statement, when it reads no messages.
 * Cells of an `Int32Array`.
 */
export const CONTROL = {
  /** ID of the statement that is to stop. */
  cancelled: 0,
  /** Batches of the current statement that were taken. */
  taken: 1,
  /** Not 0: there are messages that do not wait for the end of the statement. */
  mail: 2,
  cells: 3,
} as const;
