import { Inject, Injectable } from '@nestjs/common';
import type { EdgeConfig, ReplicationConfig } from '@edgesync/config';
import { formatCollection } from '@edgesync/document';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { EDGE_CONFIG, STORAGE } from '@edgesync/platform';
import type { ReplicationTask, Storage } from '@edgesync/ports';
import { Environment } from '@edgesync/replicator';
import { UnusableFileError, type Failure } from './failure.js';
import { RemoteAccess } from './remote-access.js';
import { Upstream } from './upstream.js';
import { UpstreamObservers } from './upstream-observers.service.js';
import { planUpstream, type UpstreamPlan } from './upstream-plan.js';
import { describeUpstream } from './upstream-task.js';

/** A replication that is running. */
export interface StartedUpstream {
  readonly id: number;
  readonly upstream: Upstream;
  readonly access: RemoteAccess;
}

/** Checks definitions and runs them; who decides what runs is not its business. */
@Injectable()
export class UpstreamRunner {
  constructor(
    @Inject(Environment) private readonly environment: Environment,
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(UpstreamObservers) private readonly observers: UpstreamObservers,
  ) {}

  /**
   * Works out what a definition means, and whether what it names on this side is there.
   * @throws EdgeError `keyspace.unknown` for the database, `request.invalid` for a collection, `storage.*`
   */
  async plan(definition: ReplicationConfig): Promise<UpstreamPlan> {
    const plan = planUpstream(definition);
    if (!this.config.databases.has(plan.database))
      throw new EdgeError('keyspace.unknown', `no database "${plan.database}"`);
    for (const { keyspace } of plan.collections)
      try {
        await this.storage.collection(keyspace);
      } catch (error) {
        if (!isEdgeError(error, 'keyspace.unknown')) throw error;
        throw new EdgeError('request.invalid', `the database has no collection ${formatCollection(keyspace)}`);
      }
    return plan;
  }

  /** The same for a request, which must bring usable certificates, keys and tokens too: else `request.invalid`. */
  async planRequest(definition: ReplicationConfig): Promise<UpstreamPlan> {
    const plan = await this.plan(definition);
    try {
      await new RemoteAccess(definition).prepare();
    } catch (error) {
      throw error instanceof UnusableFileError ? new EdgeError('request.invalid', error.message) : error;
    }
    return plan;
  }

  /**
   * Starts a replication, and tells the logs and metrics about it.
   * @param isOwner whether this process may run it at this moment; always if absent
   */
  run(id: number, plan: UpstreamPlan, access: RemoteAccess, isOwner?: () => boolean): StartedUpstream {
    const observer = this.observers.begin(id, plan);
    const upstream = new Upstream({
      plan,
      access,
      environment: this.environment,
      observer,
      random: Math.random,
      ...(isOwner && { isOwner }),
    });
    observer.watch(upstream);
    void upstream.ended.then((failure: Failure | undefined) => observer.ended(failure));
    return { id, upstream, access };
  }

  /** How it is now. */
  async describe({ id, upstream }: Pick<StartedUpstream, 'id' | 'upstream'>): Promise<ReplicationTask> {
    // A database that cannot be read now has its own ways to tell so.
    await upstream.countWaiting().catch(() => {});
    const age = Math.max(0, Math.floor((this.environment.now() - upstream.startedAt) / 1_000));
    return { task_id: id, session_id: id, age_secs: age, type: 'replication', ...describeUpstream(upstream) };
  }
}
