import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import {
  addReplication,
  Bus,
  endReplication,
  hideReplication,
  isWantedReplication,
  LeaseBucket,
  Ownership,
  recordedTask,
  removeReplications,
  REPLICATION_SHARING_MS,
  ReplicationRecords,
  ReplicationServer,
  type Lease,
  type NewReplication,
  type ReplicationRow,
  type ReplicationTable,
} from '@edgesync/bus-nats';
import type { EdgeConfig, ReplicationConfig } from '@edgesync/config';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { EDGE_CONFIG, LOGGERS, Sealer, type Logger, type Loggers } from '@edgesync/platform';
import type { ReplicationTask } from '@edgesync/ports';
import { Environment } from '@edgesync/replicator';
import { SHOWN_AFTER_END_MS } from '../tuning.js';
import { identityOf, type UpstreamPlan } from '../upstream/upstream-plan.js';
import { UpstreamRunner } from '../upstream/upstream-runner.service.js';
import { configuredReplications, type ConfiguredReplication } from './configured-replications.js';
import { OwnedUpstream, type OwnedUpstreamParts } from './owned-upstream.js';

/** ID under which this worker announces itself. */
export const WORKER_ID = Symbol('WORKER_ID');

/** Pause before something is tried again that NATS or storage did not take. */
const AGAIN_MS = 500;

/**
 * Replications with other servers, shared with the other workers of the deployment: all of them know all replications
 * by one table, and each replication runs at the one that has its lease.
 */
@Injectable()
export class SharedUpstreams implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log: Logger;
  private readonly configured: ReadonlyMap<string, ConfiguredReplication>;
  private readonly ownership: Ownership;
  private readonly parts: OwnedUpstreamParts;
  private readonly owned = new Map<string, OwnedUpstream>();
  /** Replications that have ended and are shown for a while. */
  private readonly hiding = new Set<number>();
  private readonly draining = new AbortController();
  private server: ReplicationServer | undefined;
  private unfollow = (): void => {};

  constructor(
    @Inject(EDGE_CONFIG) config: EdgeConfig,
    @Inject(LOGGERS) loggers: Loggers,
    @Inject(Bus) private readonly bus: Bus,
    @Inject(LeaseBucket) leases: LeaseBucket,
    @Inject(ReplicationRecords) private readonly records: ReplicationRecords,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(WORKER_ID) private readonly id: string,
    @Inject(Environment) private readonly environment: Environment,
    @Inject(UpstreamRunner) private readonly runner: UpstreamRunner,
  ) {
    this.log = loggers.domain('Sync');
    this.configured = configuredReplications(config.replications, sealer);
    this.parts = { runner, records, sealer, log: this.log };
    this.ownership = new Ownership(
      leases,
      `${hostname()} ${process.pid}`,
      {
        acquired: (lease) => this.acquired(lease),
        given: (name) => this.given(name),
        released: () => records.ring(),
        report: (name, error) => this.log.warning(`{repl#${name}} does not run here`, error),
      },
      REPLICATION_SHARING_MS,
    );
  }

  onApplicationBootstrap(): void {
    const handlers = {
      start: (sealed: Uint8Array, key: string) => this.start(sealed, key),
      tasks: () => this.tasks(),
    };
    this.server = new ReplicationServer(this.bus, 'replication', this.id, handlers, (error) =>
      this.log.error('a request of a gateway failed', error),
    );
    this.unfollow = this.records.follow((table, rang) => this.attend(table, rang));
    void this.enterConfigured();
    this.attempt('stray definitions are not removed', () => this.records.dropStrays());
  }

  /** Saves where they are; other workers go on with them at once. */
  async beforeApplicationShutdown(): Promise<void> {
    this.draining.abort();
    this.unfollow();
    // Answers may wait for storage; other workers need not.
    await Promise.all([this.server?.close(), this.ownership.stop()]);
  }

  private async start(sealed: Uint8Array, key: string): Promise<number> {
    if (this.draining.signal.aborted) throw new EdgeError('server.draining');
    const plan = await this.runner.planRequest(this.open(sealed));
    await this.records.putDefinition(key, sealed);
    try {
      return await this.add(plan, { origin: 'requested', key, definitionBytes: sealed.byteLength });
    } catch (error) {
      // Unless it is not known whether the row was written.
      if (!isEdgeError(error, 'sync.no-worker')) await this.records.dropDefinition(key);
      throw error;
    }
  }

  private async tasks(): Promise<readonly ReplicationTask[]> {
    const tasks = await Promise.all([...this.owned.values()].map((owned) => owned.describe()));
    return tasks.filter((task) => task !== undefined);
  }

  private async add(
    plan: UpstreamPlan,
    row: Pick<NewReplication, 'origin' | 'key' | 'definitionBytes'>,
  ): Promise<number> {
    const { source, target, continuous } = plan;
    const replication = {
      ...row,
      identity: this.sealer.fingerprint(identityOf(plan)),
      source,
      target,
      continuous,
      bidirectional: plan.push && plan.pull,
    };
    let number = 0;
    await this.records.change((table) => {
      const added = addReplication(table, replication, this.environment.now());
      number = added.number;
      return added.table;
    });
    return number;
  }

  /** Enters the replications of the configuration file in the table; what another worker has entered stays. */
  private async enterConfigured(): Promise<void> {
    const later: ConfiguredReplication[] = [];
    await this.persist('old replications are not removed yet', () =>
      this.records.change((table) =>
        removeReplications(table, ({ key, ended }) => !!ended && !this.configured.has(key)),
      ),
    );
    const plans = await Promise.allSettled(
      [...this.configured.values()].map(({ definition }) => this.runner.plan(definition)),
    );
    for (const [at, replication] of [...this.configured.values()].entries()) {
      const outcome = plans[at]!;
      if (outcome.status === 'fulfilled') await this.enter(replication, outcome.value);
      else if (isPassing(outcome.reason)) later.push(replication);
      else this.refuse(replication, outcome.reason);
    }
    await Promise.all(later.map((replication) => this.enterLater(replication)));
  }

  private async enter({ index, key }: ConfiguredReplication, plan: UpstreamPlan): Promise<void> {
    await this.persist(`replications[${index}] is not started yet`, () =>
      this.add(plan, { origin: 'configured', key }),
    );
  }

  /** Storage could not say whether it can run. */
  private async enterLater(replication: ConfiguredReplication): Promise<void> {
    const { signal } = this.draining;
    while (!signal.aborted) {
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      try {
        return await this.enter(replication, await this.runner.plan(replication.definition));
      } catch (error) {
        if (!isPassing(error)) return this.refuse(replication, error);
      }
    }
  }

  /** A bad item is reported and not started; the server still runs (ref 3.6). */
  private refuse({ index }: ConfiguredReplication, error: unknown): void {
    const { message } = error as Error;
    this.log.error(`replications[${index}] is not started: ${message}`);
  }

  /** Does what the table wants done. */
  private attend(table: ReplicationTable, rang: boolean): void {
    const wanted = new Set<string>();
    for (const row of table.rows) {
      const name = String(row.number);
      if (isWantedReplication(table, row)) {
        wanted.add(name);
        this.ownership.pursue(name);
      }
      if (row.isStopping && !row.ended) this.owned.get(name)?.stop();
      if (row.ended && !row.ended.isHidden) this.hideLater(row);
    }
    for (const name of this.ownership.pursued) if (!wanted.has(name)) void this.ownership.abandon(name);
    if (rang) this.ownership.wake();
  }

  private async acquired(lease: Lease): Promise<void> {
    const table = await this.records.read();
    const row = table.rows.find(({ number }) => String(number) === lease.name);
    // It has ended meanwhile; the lease goes back when that is heard of.
    if (!row || !isWantedReplication(table, row)) return;
    if (row.isStopping) {
      const task = { ...recordedTask(row), status: 'Stopped' as const };
      await this.records.change((table) => endReplication(table, task));
      return;
    }
    const definition = await this.definitionOf(row);
    if (definition) this.owned.set(lease.name, new OwnedUpstream(lease, definition, this.parts, row.ended?.token));
    else await this.records.change((table) => removeReplications(table, ({ number }) => number === row.number));
  }

  private async given(name: string): Promise<void> {
    const owned = this.owned.get(name);
    try {
      await owned?.give();
    } finally {
      this.owned.delete(name);
    }
  }

  /**
   * @returns undefined if the configuration does not have it any more
   * @throws Error if it was started by a request and its definition cannot be had
   */
  private async definitionOf({ origin, key }: ReplicationRow): Promise<ReplicationConfig | undefined> {
    if (origin === 'configured') return this.configured.get(key)?.definition;
    const sealed = await this.records.definition(key);
    if (!sealed) throw new Error('its definition is missing');
    return this.open(sealed);
  }

  /** @throws EdgeError `config.invalid` */
  private open(sealed: Uint8Array): ReplicationConfig {
    try {
      return JSON.parse(this.sealer.open(sealed)) as ReplicationConfig;
    } catch {
      throw new EdgeError('config.invalid', 'the definition cannot be opened: services have different secrets');
    }
  }

  private hideLater({ number, origin, key }: ReplicationRow): void {
    if (this.hiding.has(number)) return;
    this.hiding.add(number);
    this.environment.scheduler.schedule(SHOWN_AFTER_END_MS, () => {
      this.attempt(`{repl#${number}} is shown for longer`, async () => {
        try {
          await this.records.change((table) => hideReplication(table, number));
          if (origin === 'requested') await this.records.dropDefinition(key);
        } finally {
          // Whatever went wrong, it is seen again.
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

  /** Does something until it succeeds or the worker drains. */
  private async persist(problem: string, work: () => Promise<unknown>): Promise<void> {
    const { signal } = this.draining;
    for (let told = false; !signal.aborted; told = true)
      try {
        await work();
        return;
      } catch (error) {
        if (!told) this.log.warning(problem, error);
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
  }
}

/** Whether storage or NATS may answer later. */
const isPassing = (error: unknown): boolean => isEdgeError(error) && error.status === 503;
