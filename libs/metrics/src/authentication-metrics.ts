import type { Counter, Family, MetricsRegistry } from './metrics-registry.js';

/** Credentials that came with requests. */
export class AuthenticationMetrics {
  /** Recognised from an earlier request. */
  readonly cached: Counter;
  /** Accepted after a password check. */
  readonly verified: Counter;
  private readonly refusals: Family<Counter>;

  constructor(registry: MetricsRegistry) {
    const accepted = registry.counters(
      'edgesync_authentications_total',
      'Requests whose credentials were accepted, by whether they were recognised (hit) or had to be checked (miss).',
      ['cache'],
    );
    this.cached = accepted.with('hit');
    this.verified = accepted.with('miss');
    this.refusals = registry.counters(
      'edgesync_authentication_failures_total',
      'Requests refused for their credentials: 401 wrong or missing, 429 too many attempts.',
      ['status'],
    );
    this.refusals.with('401');
  }

  refused(status: number): Counter {
    return this.refusals.with(String(status));
  }
}
