import type { CollectionName, Keyspace } from '@edgesync/document';

/** How a statement is run. */
export interface QueryOptions {
  /** JSON object with a member for each parameter, without the `$`. Absent: no parameters. */
  readonly parameters?: string;
  /** Stops the statement, wherever it is, within 100 ms. */
  readonly signal?: AbortSignal;
  /** Milliseconds until it is stopped with `query.timeout`; at most, and by default, the limit of the database. */
  readonly timeLimit?: number;
}

/** Some rows of a result, in their order. Never empty. */
export interface QueryBatch {
  readonly rows: number;
  /** The rows as compact JSON objects, joined by commas: `[` + all batches joined by commas + `]` is the result. */
  readonly json: string;
}

/** The cost of a statement. */
export interface QuerySummary {
  readonly rows: number;
  /** Documents or index entries that were looked at. */
  readonly rowsRead: number;
  /** From the call until the last row was computed. Waiting for a slow reader counts too. */
  readonly seconds: number;
  /** How documents were found, a sentence per step. */
  readonly plan: readonly string[];
  /** Ways to make it faster, such as an index; a sentence each. */
  readonly hints: readonly string[];
}

/**
 * The rows of a statement that is running. The first batch is certain already. A reader that stops early calls `return()` of the
 * iterator, which leaving a `for await` does; one that never starts calls {@link cancel}. Rows are computed only as fast
 * as they are taken.
 *
 * The iterator throws EdgeError `query.runtime`, `query.limit`, `query.timeout`, `storage.*`, or the reason of the signal.
 */
export interface QueryResult extends AsyncIterable<QueryBatch> {
  /** Set when the iterator has ended by itself. */
  readonly summary: QuerySummary | undefined;
  /** Ends the statement. Does nothing if it has ended. */
  cancel(): void;
}

/** How a statement would be run. */
export type QueryPlan = Pick<QuerySummary, 'plan' | 'hints'>;

export type IndexType = 'value' | 'array' | 'fulltext';

/** One index of the configuration. */
export interface IndexStatus {
  readonly name: string;
  readonly collection: CollectionName;
  readonly type: IndexType;
  /** `building`: no statement uses it yet. `failed`: it cannot be built, and no statement uses it. */
  readonly state: 'building' | 'ready' | 'failed';
  /** Documents the build has passed, out of `total`, which grows with the collection. Both 0 when it does not build. */
  readonly done: number;
  readonly total: number;
  /** Why it failed. */
  readonly reason?: string;
}

/** Statements of SQL++ over the shared collections of a database. */
export interface QueryRunner {
  /**
   * Runs a statement on one committed state of the database. Expired documents are left out, and deleted ones unless the
   * statement asks for them. Resolves when the first batch, or the end of an empty result, is certain.
   * @param keyspace what `FROM _` means; the statement may name every shared collection of the database
   * @throws EdgeError `keyspace.unknown`, `query.*` (`query.overloaded` if too many statements wait), `storage.*`, or
   * the reason of the signal
   */
  query(keyspace: Keyspace, statement: string, options?: QueryOptions): Promise<QueryResult>;
  /**
   * How the statement would be run now.
   * @throws as {@link query}
   */
  explain(keyspace: Keyspace, statement: string, options?: QueryOptions): Promise<QueryPlan>;
  /**
   * The indexes of the configuration, by name.
   * @throws EdgeError `keyspace.unknown`
   */
  indexes(database: string): Promise<readonly IndexStatus[]>;
}
