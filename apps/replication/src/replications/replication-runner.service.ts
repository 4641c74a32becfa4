import { Inject, Injectable } from '@nestjs/common';
import type { ConfigIssue, EdgeConfig, ReplicationConfig } from '@edgesync/config';
import { formatCollection } from '@edgesync/document';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { ConfigError } from '@edgesync/config-files';
import { EDGE_CONFIG, STORAGE } from '@edgesync/platform';
import type { ReplicationTask, Storage } from '@edgesync/ports';
import { ReplicatorContext } from '@edgesync/replicator';
import type { RemoteAccess } from './remote-access.js';
import { fileProblems } from './remote-files.js';
import { Replication, type ReplicationOptions } from './replication.js';
import { ReplicationObservers } from './replication-observers.service.js';
import { planReplication, type ReplicationPlan } from './replication-plan.js';
import { describeReplication } from './replication-task.js';

/** A replication that is running. */
export interface StartedReplication {
  readonly id: number;
  readonly replication: Replication;
}

/** Checks definitions and runs them; the supervisor decides which. */
@Injectable()
export class ReplicationRunner {
  constructor(
    @Inject(ReplicatorContext) private readonly context: ReplicatorContext,
    @Inject(STORAGE) private readonly storage: Storage,
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(ReplicationObservers) private readonly observers: ReplicationObservers,
  ) {}

  /**
   * Checks the replications of the configuration against the databases.
   * @throws ConfigError with every issue
   */
  async checkConfigured(): Promise<void> {
    const issues = await Promise.all(
      this.config.replications.map(async (definition, index): Promise<ConfigIssue[]> => {
        const missing = await this.missingCollection(planReplication(definition));
        if (missing === undefined) return [];
        const problem = `has ${missing}, which the database does not have`;
        const path = `replications[${index}].collections`;
        return [{ file: this.config.file, path, problem, fix: 'Check the spelling, or create the collection.' }];
      }),
    );
    if (issues.some(({ length }) => length > 0)) throw new ConfigError(issues.flat());
  }

  /**
   * Works out what the definition of a request means, and checks that everything it needs is there.
   * @throws EdgeError `keyspace.unknown` for the database, `request.invalid` for a collection, certificate, key or token,
   * `storage.*`
   */
  async planRequest(definition: ReplicationConfig): Promise<ReplicationPlan> {
    const plan = planReplication(definition);
    if (!this.config.databases.has(plan.database))
      throw new EdgeError('keyspace.unknown', `no database "${plan.database}"`);
    for (const { keyspace } of plan.collections)
      await this.storage.collection(keyspace).catch((error: unknown) => {
        if (!isEdgeError(error, 'keyspace.unknown')) throw error;
        throw new EdgeError('request.invalid', `the database has no collection ${formatCollection(keyspace)}`);
      });
    const problems = fileProblems(definition);
    if (problems.length > 0) throw new EdgeError('request.invalid', problems.map(({ message }) => message).join('; '));
    return plan;
  }

  /** Starts a replication, and adds it to the logs and metrics. */
  run(
    id: number,
    plan: ReplicationPlan,
    access: RemoteAccess,
    options: Pick<ReplicationOptions, 'isOwner' | 'isPersistent'>,
  ): StartedReplication {
    const { context } = this;
    const observer = this.observers.begin(id, plan);
    const replication = new Replication({ ...options, plan, access, context, observer, random: Math.random });
    observer.watch(replication);
    void replication.ended.then((failure) => observer.ended(failure));
    return { id, replication };
  }

  /** Its status now. */
  async describe({ id, replication }: Pick<StartedReplication, 'id' | 'replication'>): Promise<ReplicationTask> {
    // A database that cannot be read now reports that in its own ways.
    await replication.countWaiting().catch(() => {});
    const age = Math.max(0, Math.floor((this.context.now() - replication.startedAt) / 1_000));
    return { task_id: id, session_id: id, age_secs: age, type: 'replication', ...describeReplication(replication) };
  }

  /** @returns undefined also while storage is not available */
  private async missingCollection({ collections }: ReplicationPlan): Promise<string | undefined> {
    for (const { keyspace } of collections)
      try {
        await this.storage.collection(keyspace);
      } catch (error) {
        if (isEdgeError(error, 'keyspace.unknown')) return formatCollection(keyspace);
      }
    return undefined;
  }
}
