/** Label values of one time series, in the order of the metric's label names. */
type LabelValues = readonly string[];

/** A number that only grows. */
export class Counter {
  value = 0;

  inc(amount = 1): void {
    this.value += amount;
  }
}

/** A number that goes up and down. */
export class Gauge {
  value = 0;

  inc(amount = 1): void {
    this.value += amount;
  }

  dec(amount = 1): void {
    this.value -= amount;
  }

  set(value: number): void {
    this.value = value;
  }
}

/** How many observed values lie below each of a few limits, and their sum. */
export class Histogram {
  /** Values per bucket; the last one holds those above every limit. */
  readonly counts: Float64Array;
  sum = 0;

  /** @param limits upper limits of the buckets, ascending */
  constructor(readonly limits: readonly number[]) {
    this.counts = new Float64Array(limits.length + 1);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.limits.length && value > this.limits[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += value;
  }
}

/** A metric with labels: one series for each combination of values. Keep the series where it is used often. */
export class Family<T> {
  private readonly series = new Map<string, { readonly values: LabelValues; readonly metric: T }>();

  constructor(private readonly create: () => T) {}

  /** The series with these values, in the order of the label names. */
  with(...values: LabelValues): T {
    const key = values.join('\0');
    let found = this.series.get(key);
    if (!found) this.series.set(key, (found = { values, metric: this.create() }));
    return found.metric;
  }

  [Symbol.iterator](): Iterator<{ readonly values: LabelValues; readonly metric: T }> {
    return this.series.values();
  }
}

/** Values that are asked for when metrics are read, with their label values. */
export type Collected = Iterable<readonly [value: number, ...labels: string[]]>;

const NAME = /^[a-z][a-z0-9_]*$/;

/** All metrics of a process, and their text for Prometheus (exposition format 0.0.4). */
export class MetricsRegistry {
  private readonly registered = new Map<string, () => string[]>();

  counter(name: string, help: string): Counter {
    const counter = new Counter();
    this.register(name, help, 'counter', () => [sample(name, [], [], counter.value)]);
    return counter;
  }

  counters(name: string, help: string, labels: readonly string[]): Family<Counter> {
    const family = new Family(() => new Counter());
    this.register(name, help, 'counter', () => samples(name, labels, family));
    return family;
  }

  gauge(name: string, help: string): Gauge {
    const gauge = new Gauge();
    this.register(name, help, 'gauge', () => [sample(name, [], [], gauge.value)]);
    return gauge;
  }

  gauges(name: string, help: string, labels: readonly string[]): Family<Gauge> {
    const family = new Family(() => new Gauge());
    this.register(name, help, 'gauge', () => samples(name, labels, family));
    return family;
  }

  histogram(name: string, help: string, limits: readonly number[]): Histogram {
    const histogram = new Histogram(limits);
    this.register(name, help, 'histogram', () => histogramLines(name, [], [], histogram));
    return histogram;
  }

  /** @param limits upper limits of the buckets, ascending */
  histograms(name: string, help: string, labels: readonly string[], limits: readonly number[]): Family<Histogram> {
    const family = new Family(() => new Histogram(limits));
    this.register(name, help, 'histogram', () =>
      toArray(family).flatMap(({ values, metric }) => histogramLines(name, labels, values, metric)),
    );
    return family;
  }

  /** A metric whose values are known elsewhere and looked up when metrics are read. */
  collected(
    name: string,
    help: string,
    type: 'counter' | 'gauge',
    labels: readonly string[],
    collect: () => Collected,
  ): void {
    this.register(name, help, type, () =>
      Array.from(collect(), ([value, ...values]) => sample(name, labels, values, value)),
    );
  }

  render(): string {
    return [...this.registered.values()].flatMap((lines) => lines()).join('\n') + '\n';
  }

  private register(name: string, help: string, type: string, lines: () => string[]): void {
    if (!NAME.test(name)) throw new TypeError(`${name} is no name of a metric`);
    if (this.registered.has(name)) throw new TypeError(`two metrics are called ${name}`);
    const head = [`# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`, `# TYPE ${name} ${type}`];
    this.registered.set(name, () => [...head, ...lines()]);
  }
}

const toArray = <T>(family: Family<T>): { readonly values: LabelValues; readonly metric: T }[] =>
  Array.from({ [Symbol.iterator]: () => family[Symbol.iterator]() });

function samples(name: string, labels: readonly string[], family: Family<{ readonly value: number }>): string[] {
  return toArray(family).map(({ values, metric }) => sample(name, labels, values, metric.value));
}

function histogramLines(name: string, labels: readonly string[], values: LabelValues, histogram: Histogram): string[] {
  const lines: string[] = [];
  let count = 0;
  histogram.counts.forEach((inBucket, index) => {
    count += inBucket;
    const limit = index < histogram.limits.length ? String(histogram.limits[index]) : '+Inf';
    lines.push(sample(`${name}_bucket`, [...labels, 'le'], [...values, limit], count));
  });
  lines.push(sample(`${name}_sum`, labels, values, histogram.sum), sample(`${name}_count`, labels, values, count));
  return lines;
}

function sample(name: string, labels: readonly string[], values: LabelValues, value: number): string {
  const pairs = labels.map((label, index) => `${label}="${escapeLabel(values[index] ?? '')}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

const escapeLabel = (value: string): string => value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
