import { AuthenticationMetrics } from './authentication-metrics.js';
import { FeedMetrics } from './feed-metrics.js';
import { HttpMetrics } from './http-metrics.js';
import { MetricsRegistry } from './metrics-registry.js';
import { registerProcessMetrics } from './process-metrics.js';
import { StorageMetrics } from './storage-metrics.js';
import { SyncMetrics } from './sync-metrics.js';

/** What this process counts. Counting costs some nanoseconds; the text is made when somebody reads it. */
export class Metrics {
  readonly registry = new MetricsRegistry();
  readonly http = new HttpMetrics(this.registry);
  readonly authentication = new AuthenticationMetrics(this.registry);
  readonly feeds = new FeedMetrics(this.registry);
  readonly sync = new SyncMetrics(this.registry);
  readonly storage = new StorageMetrics(this.registry);

  constructor() {
    registerProcessMetrics(this.registry);
  }

  /** The text for Prometheus (exposition format 0.0.4). */
  render(): string {
    return this.registry.render();
  }
}
