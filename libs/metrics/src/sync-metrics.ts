import type { Collected, Counter, Family, Gauge, MetricsRegistry } from './metrics-registry.js';

/** Replication with apps. Directions are as this server sees them: `sent` and `received`. */
export class SyncMetrics {
  /** Labels: database. */
  readonly sessions: Family<Gauge>;
  /** Labels: database, protocol (the WebSocket sub-protocol that was agreed on). */
  readonly sessionsOpened: Family<Counter>;

  constructor(private readonly registry: MetricsRegistry) {
    this.sessions = registry.gauges('edgesync_sync_sessions', 'Open replication sessions of apps.', ['database']);
    this.sessionsOpened = registry.counters(
      'edgesync_sync_sessions_total',
      'Replication sessions of apps that were opened.',
      ['database', 'protocol'],
    );
  }

  /** Sessions count their own traffic; both functions return the totals since the process began, per database. */
  watchTraffic(traffic: {
    /** Values with database and direction. */
    readonly revisions: () => Collected;
    /** Values with database and direction. */
    readonly bytes: () => Collected;
  }): void {
    const labels = ['database', 'direction'];
    this.registry.collected(
      'edgesync_sync_revisions_total',
      'Revisions replicated.',
      'counter',
      labels,
      traffic.revisions,
    );
    this.registry.collected(
      'edgesync_sync_bytes_total',
      'Bytes on the connections of replication sessions.',
      'counter',
      labels,
      traffic.bytes,
    );
  }
}
