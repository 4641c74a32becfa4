import type { Keyspace } from '@edgesync/document';
import type {
  IndexStatus,
  QueryBatch,
  QueryOptions,
  QueryPlan,
  QueryResult,
  QueryRunner,
  QuerySummary,
  Storage,
} from '@edgesync/ports';

/** A statement as storage gets it. */
export interface RunStatement {
  readonly keyspace: Keyspace;
  readonly statement: string;
  readonly options: QueryOptions;
}

/** Answers statements in place of storage: with the JSON of batches, or by throwing. */
export type Script = (run: RunStatement) => AsyncIterable<string> | Iterable<string>;

export const SUMMARY: QuerySummary = {
  rows: 0,
  rowsRead: 1_000,
  seconds: 0,
  plan: ['scan of people'],
  hints: ['an index on city would help'],
};

/** A storage whose statements are answered by a script. The first batch is made before `query` resolves, as by storage. */
export function scriptQueries(
  storage: Storage,
  script: Script,
  {
    summary = () => SUMMARY,
    indexes = () => [],
  }: { summary?: () => QuerySummary; indexes?: () => readonly IndexStatus[] } = {},
): Storage {
  const runner: QueryRunner = {
    async query(keyspace, statement, options = {}) {
      const batches = iterate(script({ keyspace, statement, options }));
      const first = await batches.next();
      return new ScriptedResult(first, batches, summary());
    },
    async explain(keyspace, statement, options = {}): Promise<QueryPlan> {
      await iterate(script({ keyspace, statement, options })).next();
      return { plan: SUMMARY.plan, hints: SUMMARY.hints };
    },
    indexes: async () => indexes(),
  };
  return new Proxy(storage, {
    get(target, key) {
      if (key in runner) return runner[key as keyof QueryRunner];
      const value = Reflect.get(target, key) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

async function* iterate(batches: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string, void, undefined> {
  yield* batches;
}

class ScriptedResult implements QueryResult {
  summary: QuerySummary | undefined;

  constructor(
    private readonly first: IteratorResult<string, void>,
    private readonly rest: AsyncGenerator<string, void, undefined>,
    private readonly atEnd: QuerySummary,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<QueryBatch, void, undefined> {
    const batch = (json: string): QueryBatch => ({ rows: (JSON.parse(`[${json}]`) as unknown[]).length, json });
    let rows = 0;
    try {
      for (let next = this.first; !next.done; next = await this.rest.next()) {
        const made = batch(next.value);
        rows += made.rows;
        yield made;
      }
      this.summary = { ...this.atEnd, rows };
    } finally {
      await this.rest.return();
    }
  }

  cancel(): void {
    void this.rest.return();
  }
}
