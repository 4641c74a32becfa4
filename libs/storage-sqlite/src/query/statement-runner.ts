import QuickLRU from 'quick-lru';
import { bindParameters, compile, prepare, type CompiledStatement, type QueryContext } from '@edgesync/query';
import type { QueryPlan } from '@edgesync/ports';
import type { AttachedDatabase, StatementJob, ThreadSummary } from './messages.js';
import type { Outlet } from './outlet.js';
import { ReadyIndexes } from './plan/index-source.js';
import { collectionId, planAccess, type Places } from './plan/planned-access.js';
import { Snapshot } from './snapshot.js';
import { StatementRun } from './statement-run.js';
import { COMPILED_STATEMENTS } from './tuning.js';

/** Runs statements over one database, one after the other, each on one committed state. */
export class StatementRunner {
  private readonly snapshot: Snapshot;
  private readonly compiled = new QuickLRU<string, CompiledStatement>({ maxSize: COMPILED_STATEMENTS });
  private readonly places: Places;

  constructor(private readonly database: AttachedDatabase) {
    this.snapshot = new Snapshot(database.file);
    this.places = { collections: database.collections, indexes: new ReadyIndexes() };
  }

  run(job: StatementJob, outlet: Outlet): ThreadSummary {
    return this.within(() => {
      const statement = this.compile(job);
      const parameters = bindParameters(statement.statement, job.parameters);
      const check = (): void => outlet.check();
      const run = new StatementRun(this.snapshot, parameters, job.nowSeconds, check);
      const access = planAccess(statement, run, this.places);
      const { heldRows, heldBytes } = job;
      const options = { maxHeldRows: heldRows, maxHeldBytes: heldBytes, check };
      for (const row of statement.run(access, parameters, options)) outlet.row(row);
      return { rows: outlet.rowsSent, rowsRead: run.rowsRead, ...access.describe() };
    });
  }

  explain(job: StatementJob): QueryPlan {
    return this.within(() => {
      const statement = this.compile(job);
      const parameters = bindParameters(statement.statement, job.parameters);
      const run = new StatementRun(this.snapshot, parameters, job.nowSeconds, () => undefined);
      return planAccess(statement, run, this.places).describe();
    });
  }

  close(): void {
    this.snapshot.close();
  }

  private within<T>(action: () => T): T {
    this.snapshot.begin();
    try {
      if (this.places.indexes.refresh(this.snapshot)) this.compiled.clear();
      return action();
    } finally {
      this.snapshot.end();
    }
  }

  private compile({ keyspace, statement }: StatementJob): CompiledStatement {
    const { scope, collection } = keyspace;
    const key = `${scope}.${collection} ${statement}`;
    let compiled = this.compiled.get(key);
    if (compiled) return compiled;
    const { name, collections } = this.database;
    const context: QueryContext = {
      database: name,
      keyspace: { scope, collection },
      collections,
      fullTextIndexes: (place) => this.places.indexes.textNames(collectionId(this.places, place)),
    };
    compiled = compile(prepare(statement, context));
    this.compiled.set(key, compiled);
    return compiled;
  }
}
