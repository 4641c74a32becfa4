import type { Counter, Family, Gauge, MetricsRegistry } from './metrics-registry.js';

/**
 * Replication with apps and other servers. Directions are as this server sees them: `sent` and `received`. Keep the
 * series that is counted often: `const sent = metrics.sync.revisions.with('travel', 'sent')`.
 */
export class SyncMetrics {
  /** Labels: database. */
  readonly sessions: Family<Gauge>;
  /** Labels: database, protocol (the WebSocket sub-protocol that was agreed on). */
  readonly sessionsOpened: Family<Counter>;
  /** Labels: database, direction (`sent`, `received`). */
  readonly revisions: Family<Counter>;
  /** Pushed revisions that were refused. Labels: database, status (the code of the error reply, such as 409). */
  readonly refusedRevisions: Family<Counter>;
  /** Labels: direction (`sent`, `received`). Bytes of WebSocket messages, as compressed. */
  readonly bytes: Family<Counter>;

  constructor(registry: MetricsRegistry) {
    this.sessions = registry.gauges('edgesync_sync_sessions', 'Open replication sessions of apps.', ['database']);
    this.sessionsOpened = registry.counters(
      'edgesync_sync_sessions_total',
      'Replication sessions of apps that were opened.',
      ['database', 'protocol'],
    );
    this.revisions = registry.counters('edgesync_sync_revisions_total', 'Revisions replicated.', [
      'database',
      'direction',
    ]);
    this.refusedRevisions = registry.counters(
      'edgesync_sync_refused_revisions_total',
      'Pushed revisions that were refused, such as conflicts (409).',
      ['database', 'status'],
    );
    this.bytes = registry.counters('edgesync_sync_bytes_total', 'Bytes of replication messages, as compressed.', [
      'direction',
    ]);
  }
}
