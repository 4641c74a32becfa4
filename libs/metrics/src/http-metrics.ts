import type { Counter, Family, Gauge, Histogram, MetricsRegistry } from './metrics-registry.js';

/** Seconds: from a document in memory to a long listing. */
const LATENCIES = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counts for every kind of request. */
interface RequestSeries {
  readonly seconds: Histogram;
  readonly bytes: Counter;
}

/** Requests by method, route and status. A route is a pattern such as `/:keyspace/:docid`, never a path. */
export class HttpMetrics {
  /** Requests that are being answered. */
  readonly inFlight: Gauge;
  /** Open connections, those of sync included. */
  readonly connections: Gauge;
  /** Requests that are not HTTP or stopped half way. */
  readonly broken: Counter;
  private readonly seconds: Family<Histogram>;
  private readonly bytes: Family<Counter>;
  private readonly series = new Map<string, RequestSeries>();

  constructor(registry: MetricsRegistry) {
    const labels = ['method', 'route', 'status'];
    this.seconds = registry.histograms(
      'edgesync_http_request_duration_seconds',
      'Time from the head of a request to the end of its reply.',
      labels,
      LATENCIES,
    );
    this.bytes = registry.counters('edgesync_http_response_bytes_total', 'Bytes of replies, headers included.', labels);
    this.inFlight = registry.gauge('edgesync_http_requests_in_flight', 'Requests being answered, feeds included.');
    this.connections = registry.gauge('edgesync_http_connections', 'Open connections, those of sync included.');
    this.broken = registry.counter('edgesync_http_broken_requests_total', 'Requests that could not be read as HTTP.');
  }

  /**
   * Counts a finished request.
   * @param method must be one of few: a method that clients invent is counted as `other` by the caller
   */
  finished(method: string, route: string, status: number, seconds: number, bytes: number): void {
    const key = `${method} ${status} ${route}`;
    let series = this.series.get(key);
    if (!series) {
      const values = [method, route, String(status)];
      series = { seconds: this.seconds.with(...values), bytes: this.bytes.with(...values) };
      this.series.set(key, series);
    }
    series.seconds.observe(seconds);
    series.bytes.inc(bytes);
  }
}
