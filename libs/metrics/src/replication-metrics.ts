import type { Collected, Counter, Family, MetricsRegistry } from './metrics-registry.js';

/** Replications with other servers. Directions are as this server sees them. */
export class ReplicationMetrics {
  /** Labels: database. */
  readonly connections: Family<Counter>;
  readonly conflicts: Family<Counter>;
  /** Labels: database, direction (`push` or `pull`). */
  readonly failedDocuments: Family<Counter>;
  /** Labels: database, domain, code (of Couchbase Lite; `other` for codes without a meaning, so that they are few). */
  readonly failures: Family<Counter>;

  constructor(private readonly registry: MetricsRegistry) {
    this.connections = registry.counters('edgesync_upstream_connections_total', 'Connections made to other servers.', [
      'database',
    ]);
    this.conflicts = registry.counters(
      'edgesync_upstream_conflicts_total',
      'Conflicts met by replications with other servers and resolved.',
      ['database'],
    );
    this.failedDocuments = registry.counters(
      'edgesync_upstream_failed_documents_total',
      'Documents that one side of a replication with another server refused for good.',
      ['database', 'direction'],
    );
    this.failures = registry.counters(
      'edgesync_upstream_failures_total',
      'Connections to other servers that failed or were lost, and what ended replications for good.',
      ['database', 'domain', 'code'],
    );
  }

  /** Replications count by themselves; the functions return their states, and what they carried since the process began. */
  watch(state: {
    /** How many there are, with database and status in lower case. */
    readonly replications: () => Collected;
    /** Those whose latest attempt failed, or that failed for good, with database, domain, code and the error in words. */
    readonly failing: () => Collected;
    /** Values with database and direction (`sent` or `received`). */
    readonly documents: () => Collected;
    readonly bytes: () => Collected;
    /** Values with database. */
    readonly pending: () => Collected;
    /** Unix seconds with database: of the replication that was done longest ago, and of the next attempt. */
    readonly lastSuccess: () => Collected;
    readonly nextRetry: () => Collected;
  }): void {
    const directed = ['database', 'direction'];
    const { registry } = this;
    registry.collected(
      'edgesync_upstream_replications',
      'Replications with other servers.',
      'gauge',
      ['database', 'status'],
      state.replications,
    );
    registry.collected(
      'edgesync_upstream_failing_replications',
      'Replications with other servers whose latest attempt failed, or that failed for good.',
      'gauge',
      ['database', 'domain', 'code', 'error'],
      state.failing,
    );
    registry.collected(
      'edgesync_upstream_documents_total',
      'Documents replicated with other servers.',
      'counter',
      directed,
      state.documents,
    );
    registry.collected(
      'edgesync_upstream_bytes_total',
      'Bytes on connections to other servers.',
      'counter',
      directed,
      state.bytes,
    );
    registry.collected(
      'edgesync_upstream_pending_documents',
      'Documents known to wait for replication with other servers.',
      'gauge',
      ['database'],
      state.pending,
    );
    registry.collected(
      'edgesync_upstream_last_success_timestamp_seconds',
      'When both sides were equal last; of several replications the one for which that is longest ago.',
      'gauge',
      ['database'],
      state.lastSuccess,
    );
    registry.collected(
      'edgesync_upstream_next_retry_timestamp_seconds',
      'When the next attempt to reach another server is made; absent if none waits.',
      'gauge',
      ['database'],
      state.nextRetry,
    );
  }
}
