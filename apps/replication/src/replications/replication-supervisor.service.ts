import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { EdgeConfig, ReplicationConfig } from '@edgesync/config';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { EDGE_CONFIG, LOGGERS, watchFiles, type FileWatch, type Logger, type Loggers } from '@edgesync/platform';
import {
  addReplication,
  deleteReplication,
  endReplication,
  hideReplication,
  recordedTask,
  removeReplications,
  shownReplications,
  type CreateLeases,
  type NewReplication,
  type ReplicationControl,
  type ReplicationLease,
  type ReplicationLeases,
  type ReplicationRecords,
  type ReplicationRow,
  type ReplicationTable,
  type ReplicationTask,
} from '@edgesync/ports';
import { ReplicatorContext } from '@edgesync/replicator';
import { SHOWN_AFTER_DELETE_MS } from '../tuning.js';
import { ReplicationObservers } from './replication-observers.service.js';
import { identityOf, planReplication, type ReplicationPlan } from './replication-plan.js';
import { ReplicationRunner } from './replication-runner.service.js';
import { SupervisedReplication } from './supervised-replication.js';

/** {@link ReplicationRecords} */
export const REPLICATION_RECORDS = Symbol('REPLICATION_RECORDS');
/** {@link CreateLeases} for the numbers of replications. */
export const REPLICATION_LEASES = Symbol('REPLICATION_LEASES');

/** The lease of the process that counts the replications that have ended. */
const COUNTER = 'ended';

/** Pause before something is tried again that could not be done. */
const AGAIN_MS = 500;

/**
 * Runs the replications with other servers that this process has the leases of, as the table of all replications says. The
 * table may be shared with other processes, or be that of this process alone.
 */
@Injectable()
export class ReplicationSupervisor implements ReplicationControl, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log: Logger;
  private readonly leases: ReplicationLeases;
  private readonly counter: ReplicationLeases;
  /** By the key of their row. */
  private readonly configured: ReadonlyMap<string, ReplicationConfig>;
  /** Those that run here, by their number. */
  private readonly running = new Map<string, SupervisedReplication>();
  /** Numbers of those that were deleted while they ran and are shown for a while. */
  private readonly hiding = new Set<number>();
  private readonly draining = new AbortController();
  private counts = false;
  private latest: readonly ReplicationRow[] = [];
  private unfollow = (): void => {};
  private usersWatch: FileWatch | undefined;

  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(LOGGERS) loggers: Loggers,
    @Inject(REPLICATION_RECORDS) private readonly records: ReplicationRecords,
    @Inject(REPLICATION_LEASES) createLeases: CreateLeases,
    @Inject(ReplicatorContext) private readonly context: ReplicatorContext,
    @Inject(ReplicationRunner) private readonly runner: ReplicationRunner,
    @Inject(ReplicationObservers) observers: ReplicationObservers,
  ) {
    this.log = loggers.domain('Sync');
    const named = config.replications.map(
      (definition) => [records.fingerprint(JSON.stringify(definition)), definition] as const,
    );
    this.configured = new Map(named);
    this.leases = createLeases({
      acquired: (lease) => this.acquired(lease),
      given: (name) => this.given(name),
      released: () => records.ring(),
      report: (name, error) => this.log.warning(`{repl#${name}} does not run here`, error),
    });
    this.counter = createLeases({
      acquired: async () => void (this.counts = true),
      given: async () => void (this.counts = false),
      report: () => {},
    });
    observers.countEnded(() => (this.counts ? this.latest.filter(({ ended }) => ended && !ended.isHidden) : []));
  }

  /** @throws ConfigError if the configuration has replications of collections that do not exist, or with unusable files */
  async onApplicationBootstrap(): Promise<void> {
    await this.runner.checkConfigured();
    this.unfollow = this.records.follow((table, isNew) => this.observe(table, isNew));
    this.counter.pursue(COUNTER);
    const entered = this.enterConfigured();
    // A table of this process alone has them before the server is reachable.
    await Promise.race([entered, sleep(0)]);
    this.attempt('stray definitions are not removed', () => this.records.dropStrays());
    const { usersFile } = this.config;
    if (usersFile !== undefined && this.configured.size > 0)
      this.usersWatch = watchFiles([usersFile], () => {
        for (const replication of this.running.values()) replication.retryNow();
      });
  }

  /** Saves where they are; other processes go on with them at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.draining.abort();
    this.unfollow();
    this.usersWatch?.stop();
    await Promise.all([this.leases.stop(), this.counter.stop()]);
  }

  /** @param key the same for a repeated request */
  async start(definition: ReplicationConfig, key: string = randomUUID()): Promise<number> {
    if (this.draining.signal.aborted) throw new EdgeError('server.draining');
    const plan = await this.runner.planRequest(definition);
    const definitionBytes = await this.records.putDefinition(key, definition);
    try {
      return await this.add(plan, { origin: 'requested', key, definitionBytes });
    } catch (error) {
      // Unless nobody knows whether the row was written.
      if (!isEdgeError(error, 'sync.no-worker')) await this.records.dropDefinition(key);
      throw error;
    }
  }

  /** Those that run in this process. */
  async tasks(): Promise<readonly ReplicationTask[]> {
    return Promise.all([...this.running.values()].map((replication) => replication.describe()));
  }

  /** All of them, if no other process runs any. */
  async list(): Promise<readonly ReplicationTask[]> {
    const [table, tasks] = [await this.records.read(), await this.tasks()];
    return shownReplications(table, tasks, true, this.context.now());
  }

  async status(id: number): Promise<ReplicationTask | undefined> {
    return (await this.list()).find(({ task_id }) => task_id === id);
  }

  async delete(id: number): Promise<boolean> {
    let isKnown = false;
    await this.records.change((table) => {
      const next = deleteReplication(table, id);
      isKnown = next !== undefined;
      return next ?? table;
    });
    return isKnown;
  }

  /** Enters the replications of the configuration in the table; what another process has entered stays. */
  private async enterConfigured(): Promise<void> {
    await this.persist('old replications are not removed yet', () =>
      this.records.change((table) =>
        removeReplications(table, ({ key, ended }) => ended !== undefined && !this.configured.has(key)),
      ),
    );
    for (const [key, definition] of this.configured)
      await this.persist(`the replication of ${definition.source} with ${definition.target} is not entered yet`, () =>
        this.add(planReplication(definition), { origin: 'configured', key }),
      );
  }

  private async add(
    plan: ReplicationPlan,
    row: Pick<NewReplication, 'origin' | 'key' | 'definitionBytes'>,
  ): Promise<number> {
    const { records, context } = this;
    const { source, target, continuous } = plan;
    const bidirectional = plan.push && plan.pull;
    const identity = records.fingerprint(identityOf(plan));
    let number = 0;
    await records.change((table) => {
      const replication = { ...row, identity, source, target, continuous, bidirectional };
      const added = addReplication(table, replication, context.now(), (table) => records.nextNumber(table));
      number = added.number;
      return added.table;
    });
    return number;
  }

  /** Does what the table wants done. */
  private observe({ rows }: ReplicationTable, isNew: boolean): void {
    this.latest = rows;
    const wanted = new Set<string>();
    for (const row of rows) {
      const name = String(row.number);
      if (!row.ended) {
        wanted.add(name);
        this.leases.pursue(name);
        if (row.isStopping) this.running.get(name)?.stop();
      } else if (row.isStopping && !row.ended.isHidden) this.hideLater(row.number);
    }
    for (const name of this.leases.pursued) if (!wanted.has(name)) void this.leases.abandon(name);
    if (isNew) this.leases.wake();
  }

  private async acquired(lease: ReplicationLease): Promise<void> {
    const { records } = this;
    const { rows } = await records.read();
    const row = rows.find(({ number }) => String(number) === lease.name);
    // It has ended meanwhile; the lease goes back when the table is seen.
    if (!row || row.ended) return;
    if (row.isStopping) {
      const task = { ...recordedTask(row), status: 'Stopped' as const };
      await records.change((table) => endReplication(table, task));
      return;
    }
    const definition = await this.definitionOf(row);
    if (definition) {
      const parts = { runner: this.runner, records, log: this.log };
      this.running.set(lease.name, new SupervisedReplication(lease, row, definition, parts));
    } else await records.change((table) => removeReplications(table, ({ number }) => number === row.number));
  }

  private async given(name: string): Promise<void> {
    const replication = this.running.get(name);
    try {
      await replication?.give();
    } finally {
      this.running.delete(name);
    }
    const row = this.latest.find(({ number }) => String(number) === name);
    if (row?.origin === 'requested' && row.ended)
      this.attempt('a definition is not removed', () => this.records.dropDefinition(row.key));
  }

  /**
   * @returns undefined if the configuration does not have it any more
   * @throws Error if it was requested and its definition is not available
   */
  private async definitionOf({ origin, key }: ReplicationRow): Promise<ReplicationConfig | undefined> {
    if (origin === 'configured') return this.configured.get(key);
    const definition = await this.records.definition(key);
    if (!definition) throw new Error('its definition is missing');
    return definition;
  }

  private hideLater(number: number): void {
    if (this.hiding.has(number)) return;
    this.hiding.add(number);
    this.context.scheduler.schedule(SHOWN_AFTER_DELETE_MS, () => {
      this.attempt(`{repl#${number}} is shown for longer`, async () => {
        try {
          await this.records.change((table) => hideReplication(table, number));
        } finally {
          // If that failed, the next look at the table tries again.
          this.hiding.delete(number);
        }
      });
    });
  }

  /** Does something once that need not succeed. */
  private attempt(problem: string, work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (!this.draining.signal.aborted) this.log.warning(problem, error);
    });
  }

  /** Does something until it succeeds or the process drains. */
  private async persist(problem: string, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.draining;
    for (let isReported = false; !signal.aborted; isReported = true)
      try {
        await work();
        return;
      } catch (error) {
        if (!isReported) this.log.warning(problem, error);
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
  }
}
