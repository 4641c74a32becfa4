import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import type { ReplicationConfig } from '@edgesync/config';
import { formatCollection } from '@edgesync/document';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { ACTIVE_TASKS, EDGE_CONFIG, STORAGE, type ActiveTasks } from '@edgesync/platform';
import type { EdgeConfig } from '@edgesync/config';
import type { ReplicationControl, ReplicationTask, Storage } from '@edgesync/ports';
import { Environment } from '@edgesync/replicator';
import { SHOWN_AFTER_END_MS } from '../tuning.js';
import { UnusableFileError } from './failure.js';
import { RemoteAccess } from './remote-access.js';
import { Upstream } from './upstream.js';
import { UpstreamObservers } from './upstream-observers.service.js';
import { isEquivalent, planUpstream, type UpstreamPlan } from './upstream-plan.js';
import { describeUpstream } from './upstream-task.js';

/** A replication that is running. */
export interface StartedUpstream {
  readonly id: number;
  readonly upstream: Upstream;
  readonly access: RemoteAccess;
}

/** All replications with other servers that run in this process. */
@Injectable()
export class Upstreams implements ReplicationControl, BeforeApplicationShutdown {
  private readonly shown = new Map<number, Upstream>();
  private isDraining = false;

  constructor(
    @Inject(Environment) private readonly environment: Environment,
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(ACTIVE_TASKS) private readonly tasks: ActiveTasks,
    @Inject(UpstreamObservers) private readonly observers: UpstreamObservers,
  ) {}

  async start(definition: ReplicationConfig): Promise<number> {
    const plan = planUpstream(definition);
    const access = new RemoteAccess(definition);
    await this.check(plan);
    await checkMaterial(access);
    for (const { plan: other, activity } of this.shown.values())
      if (activity !== 'Stopped' && isEquivalent(plan, other)) throw new EdgeError('replication.running');
    return this.begin(plan, access).id;
  }

  /**
   * Starts a replication of the configuration file. Unlike {@link start} it does not mind what it needs being missing
   * now: its status tells.
   * @throws EdgeError `keyspace.unknown`, `request.invalid`, `server.draining`
   */
  async startConfigured(definition: ReplicationConfig): Promise<StartedUpstream> {
    const plan = planUpstream(definition);
    await this.check(plan);
    return this.begin(plan, new RemoteAccess(definition));
  }

  async list(): Promise<readonly ReplicationTask[]> {
    return Promise.all(Array.from(this.shown, ([id, upstream]) => this.show(id, upstream)));
  }

  async status(id: number): Promise<ReplicationTask | undefined> {
    const upstream = this.shown.get(id);
    return upstream && this.show(id, upstream);
  }

  async stop(id: number): Promise<boolean> {
    const upstream = this.shown.get(id);
    void upstream?.stop();
    return upstream !== undefined;
  }

  /** Stops them, so that they go on from where they are at the next start. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isDraining = true;
    await Promise.all([...this.shown.values()].map((upstream) => upstream.stop()));
  }

  private begin(plan: UpstreamPlan, access: RemoteAccess): StartedUpstream {
    if (this.isDraining) throw new EdgeError('server.draining');
    const id = this.tasks.nextId();
    const observer = this.observers.begin(id, plan);
    const upstream = new Upstream({ plan, access, environment: this.environment, observer, random: Math.random });
    observer.watch(upstream);
    this.shown.set(id, upstream);
    const forget = this.tasks.add({
      id,
      type: 'replication',
      since: upstream.startedAt,
      describe: () => ({ session_id: id, ...describeUpstream(upstream) }),
    });
    void upstream.ended.then((failure) => {
      observer.ended(failure);
      this.environment.scheduler.schedule(SHOWN_AFTER_END_MS, () => {
        forget();
        this.shown.delete(id);
      });
    });
    return { id, upstream, access };
  }

  private async show(id: number, upstream: Upstream): Promise<ReplicationTask> {
    // A database that cannot be read now has its own ways to tell so.
    await upstream.countWaiting().catch(() => {});
    const age = Math.max(0, Math.floor((this.environment.now() - upstream.startedAt) / 1_000));
    return { task_id: id, session_id: id, age_secs: age, type: 'replication', ...describeUpstream(upstream) };
  }

  /** @throws EdgeError `keyspace.unknown` for the database, `request.invalid` for a collection */
  private async check(plan: UpstreamPlan): Promise<void> {
    if (!this.config.databases.has(plan.database))
      throw new EdgeError('keyspace.unknown', `no database "${plan.database}"`);
    for (const { keyspace } of plan.collections)
      try {
        await this.storage.collection(keyspace);
      } catch (error) {
        if (!isEdgeError(error, 'keyspace.unknown')) throw error;
        throw new EdgeError('request.invalid', `the database has no collection ${formatCollection(keyspace)}`);
      }
  }
}

/** @throws EdgeError `request.invalid` for certificates, keys and tokens that cannot be used */
async function checkMaterial(access: RemoteAccess): Promise<void> {
  try {
    await access.prepare();
  } catch (error) {
    throw error instanceof UnusableFileError ? new EdgeError('request.invalid', error.message) : error;
  }
}
