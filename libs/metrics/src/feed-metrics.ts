import type { Counter, Family, Gauge, MetricsRegistry } from './metrics-registry.js';

/** Changes feeds. Labels: mode (`normal`, `longpoll`, `continuous`, `sse`). */
export class FeedMetrics {
  readonly open: Family<Gauge>;
  readonly changes: Family<Counter>;

  constructor(registry: MetricsRegistry) {
    this.open = registry.gauges('edgesync_changes_feeds', 'Changes feeds being read.', ['mode']);
    this.changes = registry.counters('edgesync_changes_sent_total', 'Changes sent by feeds.', ['mode']);
  }
}
