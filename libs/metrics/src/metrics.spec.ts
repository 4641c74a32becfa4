import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.js';
import { MetricsRegistry } from './metrics-registry.js';

const lines = (text: string) => text.split('\n').filter((line) => !line.startsWith('#'));

describe('the text for Prometheus', () => {
  it('has help, type and value of every metric', () => {
    const registry = new MetricsRegistry();
    registry.counter('a_total', 'Things\nwith a \\.').inc(3);
    const gauge = registry.gauge('b', 'Now.');
    gauge.inc(5);
    gauge.dec(2);
    expect(registry.render()).toBe(
      '# HELP a_total Things\\nwith a \\\\.\n# TYPE a_total counter\na_total 3\n# HELP b Now.\n# TYPE b gauge\nb 3\n',
    );
  });

  it('has a series for each combination of labels, escaped', () => {
    const registry = new MetricsRegistry();
    const family = registry.counters('a_total', 'A.', ['x', 'y']);
    family.with('1', 'a"b\\c\nd').inc();
    family.with('1', 'a"b\\c\nd').inc();
    family.with('2', '').inc();
    expect(lines(registry.render())).toEqual(['a_total{x="1",y="a\\"b\\\\c\\nd"} 2', 'a_total{x="2",y=""} 1', '']);
  });

  it('has cumulative buckets, whose limits belong to them', () => {
    const registry = new MetricsRegistry();
    const seconds = registry.histogram('s', 'S.', [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 7]) seconds.observe(value);
    expect(lines(registry.render())).toEqual([
      's_bucket{le="0.1"} 2',
      's_bucket{le="1"} 3',
      's_bucket{le="+Inf"} 4',
      's_sum 7.65',
      's_count 4',
      '',
    ]);
  });

  it('asks for collected values when it is made', () => {
    const registry = new MetricsRegistry();
    let value = 1;
    registry.collected('q', 'Q.', 'gauge', ['db'], () => [[value, 'a']]);
    value = 2;
    expect(lines(registry.render())).toEqual(['q{db="a"} 2', '']);
  });

  it('has no name twice and no illegal one', () => {
    const registry = new MetricsRegistry();
    registry.counter('a_total', 'A.');
    expect(() => registry.gauge('a_total', 'A.')).toThrow('two metrics');
    expect(() => registry.gauge('A-b', 'A.')).toThrow('no name');
  });
});

describe('the metrics of a process', () => {
  it('follow the conventions: names, units, counters that end in _total', () => {
    const text = new Metrics().render();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!] as const);
    expect(types.length).toBeGreaterThan(15);
    for (const [name, type] of types) {
      expect(name).toMatch(/^(edgesync|process)_[a-z_]+$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
    }
    for (const [line] of text.matchAll(/^[^#\n].*$/gm))
      expect(line).toMatch(/^[a-z_]+(\{([a-z]+="[^"\n]*",?)+\})? -?[0-9.e+-]+$/);
  });

  it('show event loop delays from the second reading on', () => {
    const metrics = new Metrics();
    expect(metrics.render()).not.toContain('edgesync_event_loop_delay_seconds{');
    expect(metrics.render()).toMatch(/edgesync_event_loop_delay_seconds\{quantile="0.99"\} \d/);
  });

  it('count a finished request under its route', () => {
    const metrics = new Metrics();
    metrics.http.finished('GET', '/:keyspace/:docid', 200, 0.0007, 300);
    metrics.http.finished('GET', '/:keyspace/:docid', 200, 0.0007, 200);
    const text = metrics.render();
    const labels = 'method="GET",route="/:keyspace/:docid",status="200"';
    expect(text).toContain(`edgesync_http_request_duration_seconds_bucket{${labels},le="0.001"} 2`);
    expect(text).toContain(`edgesync_http_response_bytes_total{${labels}} 500`);
  });
});
