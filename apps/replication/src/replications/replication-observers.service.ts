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
import type { ReplicationRow } from '@edgesync/ports';
import type { Failure } from './failure.js';
import { failureLabels } from './failure-words.js';
import type { Replication, ReplicationObserver } from './replication.js';
import { isRemote, type ReplicationPlan } from './replication-plan.js';

/** Watches one replication from its start to its end. */
export interface ObservedReplication extends ReplicationObserver {
  /** Counts what it carries. */
  watch(replication: Replication): void;
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
export class ReplicationObservers {
  private readonly log: Logger;
  private readonly running = new Set<Replication>();
  /** The sums of those that do not run any more, by database. */
  private readonly ended = new Map<string, Sums>();
  private stopped: () => readonly ReplicationRow[] = () => [];

  constructor(
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(LOGGERS) loggers: Loggers,
  ) {
    this.log = loggers.domain('Sync');
    metrics.replication.watch({
      replications: () => this.replications(),
      failing: () => this.failing(),
      documents: () => this.carried((sums) => [sums.documentsSent, sums.documentsReceived]),
      bytes: () => this.carried((sums) => [sums.bytesSent, sums.bytesReceived]),
      pending: () => this.pending(),
      lastSuccess: () => this.earliest(({ lastSuccess }) => lastSuccess),
      nextRetry: () => this.earliest(({ nextRetry }) => nextRetry),
    });
  }

  /** Counts also those that have ended and are still listed. */
  countEnded(stopped: () => readonly ReplicationRow[]): void {
    this.stopped = stopped;
  }

  begin(id: number, plan: ReplicationPlan): ObservedReplication {
    const { audit, log, metrics, running } = this;
    const { database } = plan;
    const what = { id, source: plan.source, target: plan.target };
    const name = `{repl#${id}} ${plan.source} ${plan.push && plan.pull ? '<->' : '->'} ${plan.target}`;
    let observed: Replication | undefined;
    log.info(`${name} started${plan.continuous ? ', continuous' : ''}`);
    audit.replicationStarted(database, { ...what, continuous: plan.continuous, bidirectional: plan.push && plan.pull });
    return {
      watch: (replication) => running.add((observed = replication)),
      log: (message) => log.info(`${name} ${message}`),
      warn: (message) => log.warning(`${name} ${message}`),
      connected: () => {
        metrics.replication.connections.with(database).inc();
        log.info(`${name} connected`);
      },
      failed: (failure) =>
        metrics.replication.failures.with(database, String(failure.domain), failureLabels(failure).code).inc(),
      conflict: (keyspace, docId, winner) => {
        metrics.replication.conflicts.with(database).inc();
        audit.replicationConflict(keyspace, { ...what, docId, winner });
      },
      documentFailed: (direction, keyspace, docId, failure) => {
        metrics.replication.failedDocuments.with(database, direction).inc();
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

  private settle(replication: Replication): void {
    this.running.delete(replication);
    add(this.ended, replication);
  }

  private *replications(): Iterable<readonly [number, ...string[]]> {
    yield* counted([
      ...Array.from(this.running, ({ plan, activity }) => [plan.database, activity.toLowerCase()]),
      ...this.stopped().map((row) => [databaseOf(row), 'stopped']),
    ]);
  }

  /** Those whose latest attempt failed, and those that failed for good. */
  private *failing(): Iterable<readonly [number, ...string[]]> {
    const failures: [database: string, failure: Pick<Failure, 'domain' | 'code'>][] = [];
    for (const { plan, failure } of this.running) if (failure) failures.push([plan.database, failure]);
    for (const row of this.stopped()) {
      const { error } = row.ended!.task;
      if (error)
        failures.push([databaseOf(row), { domain: error['x-litecore-domain'], code: error['x-litecore-code'] }]);
    }
    yield* counted(
      failures.map(([database, failure]) => {
        const { code, error } = failureLabels(failure);
        return [database, String(failure.domain), code, error];
      }),
    );
  }

  private *carried(
    read: (sums: Sums) => [sent: number, received: number],
  ): Iterable<readonly [number, string, string]> {
    const sums = new Map(Array.from(this.ended, ([database, one]) => [database, { ...one }]));
    for (const replication of this.running) add(sums, replication);
    for (const [database, one] of sums) {
      const [sent, received] = read(one);
      yield [sent, database, 'sent'];
      yield [received, database, 'received'];
    }
  }

  /** The earliest time of each database, in seconds. @param timeOf returns milliseconds */
  private *earliest(timeOf: (replication: Replication) => number | undefined): Iterable<readonly [number, string]> {
    const times = new Map<string, number>();
    for (const replication of this.running) {
      const time = timeOf(replication);
      const { database } = replication.plan;
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

function add(sums: Map<string, Sums>, { plan, traffic }: Replication): void {
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

const databaseOf = ({ source, target }: ReplicationRow): string => (isRemote(source) ? target : source);

/** Counts equal lists of labels. */
function* counted(lists: readonly (readonly string[])[]): Iterable<readonly [number, ...string[]]> {
  const counts = new Map<string, [number, ...string[]]>();
  for (const labels of lists) {
    const key = labels.join('\0');
    const count = counts.get(key);
    if (count) count[0]++;
    else counts.set(key, [1, ...labels]);
  }
  yield* counts.values();
}
