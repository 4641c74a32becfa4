export { Metrics } from './metrics.js';
export { Counter, Family, Gauge, Histogram, MetricsRegistry, type Collected } from './metrics-registry.js';
