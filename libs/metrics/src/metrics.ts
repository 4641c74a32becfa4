import { AuthenticationMetrics } from './authentication-metrics.js';
import { FeedMetrics } from './feed-metrics.js';
import { HttpMetrics } from './http-metrics.js';
import { MetricsRegistry } from './metrics-registry.js';
import { registerProcessMetrics } from './process-metrics.js';
import { QueryMetrics } from './query-metrics.js';
import { StorageMetrics } from './storage-metrics.js';
import { SyncMetrics } from './sync-metrics.js';
import { ReplicationMetrics } from './replication-metrics.js';

/** The counts of this process. Counting costs some nanoseconds; the text is made when somebody reads it. */
export class Metrics {
  readonly registry = new MetricsRegistry();
  readonly http = new HttpMetrics(this.registry);
  readonly authentication = new AuthenticationMetrics(this.registry);
  readonly feeds = new FeedMetrics(this.registry);
  readonly queries = new QueryMetrics(this.registry);
  readonly sync = new SyncMetrics(this.registry);
  readonly replication = new ReplicationMetrics(this.registry);
  readonly storage = new StorageMetrics(this.registry);

  constructor() {
    registerProcessMetrics(this.registry);
  }

  /** @param compatible the release of the product whose interfaces are offered */
  showBuild(version: string, compatible: string): void {
    this.registry.collected(
      'edgesync_build_info',
      'Always 1; the labels name what runs.',
      'gauge',
      ['version', 'compatible', 'node'],
      () => [[1, version, compatible, process.version]],
    );
  }

  /** @param expiries when certificates cease to be valid, with what they are for */
  watchCertificates(expiries: () => Iterable<readonly [Date, certificate: string]>): void {
    this.registry.collected(
      'edgesync_tls_certificate_expiry_timestamp_seconds',
      'When the certificate in use expires.',
      'gauge',
      ['certificate'],
      () => Array.from(expiries(), ([date, certificate]) => [date.getTime() / 1_000, certificate] as const),
    );
  }

  /** Counts lines that the logs could not take. */
  watchLosses(losses: { readonly logLines: () => number; readonly auditEvents: () => number }): void {
    const watch = (name: string, help: string, value: () => number): void =>
      this.registry.collected(name, help, 'counter', [], () => [[value()]]);
    watch('edgesync_log_lines_dropped_total', 'Lines missing in the log files.', losses.logLines);
    watch('edgesync_audit_events_lost_total', 'Events missing in the audit log.', losses.auditEvents);
  }

  /** The text for Prometheus (exposition format 0.0.4). */
  render(): string {
    return this.registry.render();
  }
}
