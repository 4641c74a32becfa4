import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Collected, MetricsRegistry } from './metrics-registry.js';

const QUANTILES = [50, 90, 99, 100];
const NANOSECONDS = 1e9;

/** Memory, processor time, open files and event loop of this process. Nothing is measured before somebody reads. */
export function registerProcessMetrics(registry: MetricsRegistry): void {
  const one = (name: string, help: string, type: 'counter' | 'gauge', value: () => number | undefined): void =>
    registry.collected(name, help, type, [], () => {
      const known = value();
      return known === undefined ? [] : [[known]];
    });
  one(
    'process_start_time_seconds',
    'When the process began, in Unix seconds.',
    'gauge',
    () => Math.round(performance.timeOrigin) / 1000,
  );
  one('process_cpu_seconds_total', 'Processor time used, in user and system mode.', 'counter', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  one('process_resident_memory_bytes', 'Resident memory.', 'gauge', () => process.memoryUsage.rss());
  one('process_open_fds', 'Open file descriptors.', 'gauge', countDescriptors);
  registry.collected('edgesync_heap_bytes', 'Memory of the JavaScript heap and beside it.', 'gauge', ['kind'], () => {
    const { heapUsed, heapTotal, external } = process.memoryUsage();
    return [
      [heapUsed, 'used'],
      [heapTotal, 'total'],
      [external, 'external'],
    ];
  });
  const delays = new EventLoopDelays();
  registry.collected(
    'edgesync_event_loop_delay_seconds',
    'How late timers fired since metrics were last read.',
    'gauge',
    ['quantile'],
    () => delays.read(),
  );
  one(
    'edgesync_event_loop_utilization',
    'Share of the time that the event loop was busy, since the start.',
    'gauge',
    () => performance.eventLoopUtilization().utilization,
  );
}

function countDescriptors(): number | undefined {
  try {
    // One of them is that of the listing itself.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

/** Begins with the first reading: the measuring timer would wake an idle device for nothing. */
class EventLoopDelays {
  private monitor: ReturnType<typeof monitorEventLoopDelay> | undefined;

  read(): Collected {
    if (!this.monitor) {
      this.monitor = monitorEventLoopDelay({ resolution: 20 });
      this.monitor.enable();
      return [];
    }
    const monitor = this.monitor;
    const values = QUANTILES.map((quantile): readonly [number, string] => [
      monitor.percentile(quantile) / NANOSECONDS,
      String(quantile / 100),
    ]);
    monitor.reset();
    return values;
  }
}
