import { Inject, Injectable } from '@nestjs/common';
import { formatCollection, isDefaultCollection, type Keyspace } from '@edgesync/document';
import {
  AUDIT_LOG,
  LOGGERS,
  METRICS,
  type AuditLog,
  type Logger,
  type Loggers,
  type Metrics,
} from '@edgesync/platform';
import type { Failure } from './failure.js';
import { failureLabel } from './failure-label.js';
import type { Upstream, UpstreamObserver } from './upstream.js';
import type { UpstreamPlan } from './upstream-plan.js';

/** Watches one replication from its start to its end. */
export interface ObservedUpstream extends UpstreamObserver {
  /** Counts what it carries. */
  watch(upstream: Upstream): void;
  ended(failure: Failure | undefined): void;
}

interface Sums {
  documentsSent: number;
  documentsReceived: number;
  bytesSent: number;
  bytesReceived: number;
}

/** Enters replications with other servers in the audit log, the operational log and the metrics. */
@Injectable()
export class UpstreamObservers {
  private readonly log: Logger;
  private readonly running = new Set<Upstream>();
  /** What those carried that have ended, by database. */
  private readonly ended = new Map<string, Sums>();

  constructor(
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(LOGGERS) loggers: Loggers,
  ) {
    this.log = loggers.domain('Sync');
    metrics.upstream.watch({
      replications: () => this.replications(),
      documents: () => this.carried((sums) => [sums.documentsSent, sums.documentsReceived]),
      bytes: () => this.carried((sums) => [sums.bytesSent, sums.bytesReceived]),
      pending: () => this.pending(),
      lastSuccess: () => this.earliest(({ lastSuccess }) => lastSuccess),
      nextRetry: () => this.earliest(({ nextRetry }) => nextRetry),
    });
  }

  begin(id: number, plan: UpstreamPlan): ObservedUpstream {
    const { audit, log, metrics, running } = this;
    const { database } = plan;
    const what = { id, source: plan.source, target: plan.target };
    const name = `{repl#${id}} ${plan.source} ${plan.push && plan.pull ? '<->' : '->'} ${plan.target}`;
    let observed: Upstream | undefined;
    log.info(`${name} started${plan.continuous ? ', continuous' : ''}`);
    audit.replicationStarted(database, { ...what, continuous: plan.continuous, bidirectional: plan.push && plan.pull });
    return {
      watch: (upstream) => running.add((observed = upstream)),
      log: (message) => log.info(`${name} ${message}`),
      warn: (message) => log.warning(`${name} ${message}`),
      connected: () => {
        metrics.upstream.connections.with(database).inc();
        log.info(`${name} connected`);
      },
      failed: (failure) =>
        metrics.upstream.failures.with(database, String(failure.domain), failureLabel(failure)).inc(),
      conflict: (keyspace, docId, winner) => {
        metrics.upstream.conflicts.with(database).inc();
        audit.replicationConflict(keyspace, { ...what, docId, winner });
      },
      documentFailed: (direction, keyspace, docId, failure) => {
        metrics.upstream.failedDocuments.with(database, direction).inc();
        log.warning(`${name} could not ${direction} "${docId}" of ${nameOf(keyspace)}: ${failure.message}`);
      },
      ended: (failure) => {
        if (observed) this.settle(observed);
        audit.replicationStopped(database, {
          ...what,
          ...(failure && { error: failure.message, domain: failure.domain, code: failure.code }),
        });
        if (failure) log.error(`${name} stopped: ${failure.message} (${failure.domain}/${failure.code})`);
        else log.info(`${name} stopped`);
      },
    };
  }

  private settle(upstream: Upstream): void {
    this.running.delete(upstream);
    add(this.ended, upstream);
  }

  private *replications(): Iterable<readonly [number, string, string]> {
    const counts = new Map<string, number>();
    for (const { plan, activity } of this.running) {
      const key = `${plan.database}\0${activity}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const [key, count] of counts) {
      const [database = '', activity = ''] = key.split('\0');
      yield [count, database, activity.toLowerCase()];
    }
  }

  private *carried(
    read: (sums: Sums) => [sent: number, received: number],
  ): Iterable<readonly [number, string, string]> {
    const sums = new Map(Array.from(this.ended, ([database, one]) => [database, { ...one }]));
    for (const upstream of this.running) add(sums, upstream);
    for (const [database, one] of sums) {
      const [sent, received] = read(one);
      yield [sent, database, 'sent'];
      yield [received, database, 'received'];
    }
  }

  /** The earliest of times in milliseconds, in seconds, for each database of which a replication has one. */
  private *earliest(timeOf: (upstream: Upstream) => number | undefined): Iterable<readonly [number, string]> {
    const times = new Map<string, number>();
    for (const upstream of this.running) {
      const time = timeOf(upstream);
      const { database } = upstream.plan;
      if (time !== undefined) times.set(database, Math.min(time, times.get(database) ?? Infinity));
    }
    for (const [database, time] of times) yield [time / 1_000, database];
  }

  private *pending(): Iterable<readonly [number, string]> {
    const sums = new Map<string, number>();
    for (const { plan, pending } of this.running) sums.set(plan.database, (sums.get(plan.database) ?? 0) + pending);
    for (const [database, count] of sums) yield [count, database];
  }
}

function add(sums: Map<string, Sums>, { plan, traffic }: Upstream): void {
  const before = sums.get(plan.database) ?? { documentsSent: 0, documentsReceived: 0, bytesSent: 0, bytesReceived: 0 };
  sums.set(plan.database, {
    documentsSent: before.documentsSent + traffic.documents.sent,
    documentsReceived: before.documentsReceived + traffic.documents.received,
    bytesSent: before.bytesSent + traffic.bytes.sent,
    bytesReceived: before.bytesReceived + traffic.bytes.received,
  });
}

const nameOf = (keyspace: Keyspace): string =>
  isDefaultCollection(keyspace) ? keyspace.database : `${keyspace.database}.${formatCollection(keyspace)}`;
