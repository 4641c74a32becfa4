import type { Collected, Counter, Family, Gauge, Histogram, MetricsRegistry } from './metrics-registry.js';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** SQL++ queries. Labels: kind (`named`, `adhoc`, or `live` for each run of a live query). */
export class QueryMetrics {
  /** Until the last row was computed, or the query failed. */
  readonly seconds: Family<Histogram>;
  readonly rows: Family<Counter>;
  /** Labels: kind, status (of the reply). */
  readonly failures: Family<Counter>;
  /** Clients that follow a live query. */
  readonly live: Gauge;

  constructor(private readonly registry: MetricsRegistry) {
    const kind = ['kind'];
    this.seconds = registry.histograms(
      'edgesync_query_duration_seconds',
      'Time of a query until its last row, waiting for its turn and for slow readers included.',
      kind,
      SECONDS,
    );
    this.rows = registry.counters('edgesync_query_rows_total', 'Rows that queries returned.', kind);
    this.failures = registry.counters('edgesync_query_failures_total', 'Queries that failed, by status.', [
      'kind',
      'status',
    ]);
    this.live = registry.gauge('edgesync_live_queries', 'Clients that follow a live query.');
  }

  /** The functions return, for each database, how many queries run and wait for their turn. */
  watchLoad(load: { readonly running: () => Collected; readonly waiting: () => Collected }): void {
    const watch = (name: string, help: string, read: () => Collected): void =>
      this.registry.collected(name, help, 'gauge', ['database'], read);
    watch('edgesync_queries_running', 'Queries that run.', load.running);
    watch('edgesync_queries_waiting', 'Queries that wait for their turn.', load.waiting);
  }

  /**
   * The functions return how many indexes there are, with database and state (`ready`, `building`, `failed`), and how many
   * documents wait to be indexed, with database and index.
   */
  watchIndexes(indexes: { readonly states: () => Collected; readonly pending: () => Collected }): void {
    const { registry } = this;
    registry.collected('edgesync_indexes', 'Indexes by state.', 'gauge', ['database', 'state'], indexes.states);
    registry.collected(
      'edgesync_index_pending_documents',
      'Documents that an index which is being built has not passed yet, about.',
      'gauge',
      ['database', 'index'],
      indexes.pending,
    );
  }
}
