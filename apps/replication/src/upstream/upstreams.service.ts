import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import type { ReplicationConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { ACTIVE_TASKS, type ActiveTasks } from '@edgesync/platform';
import type { ReplicationControl, ReplicationTask } from '@edgesync/ports';
import { Environment } from '@edgesync/replicator';
import { SHOWN_AFTER_END_MS } from '../tuning.js';
import { RemoteAccess } from './remote-access.js';
import type { Upstream } from './upstream.js';
import { identityOf, type UpstreamPlan } from './upstream-plan.js';
import { UpstreamRunner, type StartedUpstream } from './upstream-runner.service.js';
import { describeUpstream } from './upstream-task.js';

/** All replications with other servers where one process runs them all. */
@Injectable()
export class Upstreams implements ReplicationControl, BeforeApplicationShutdown {
  private readonly shown = new Map<number, Upstream>();
  private isDraining = false;

  constructor(
    @Inject(Environment) private readonly environment: Environment,
    @Inject(ACTIVE_TASKS) private readonly tasks: ActiveTasks,
    @Inject(UpstreamRunner) private readonly runner: UpstreamRunner,
  ) {}

  async start(definition: ReplicationConfig): Promise<number> {
    const plan = await this.runner.planRequest(definition);
    for (const { plan: other, activity } of this.shown.values())
      if (activity !== 'Stopped' && identityOf(plan) === identityOf(other)) throw new EdgeError('replication.running');
    return this.begin(plan, new RemoteAccess(definition)).id;
  }

  /**
   * Starts a replication of the configuration file. Unlike {@link start} it does not mind what it needs being missing
   * now: its status tells.
   * @throws EdgeError `keyspace.unknown`, `request.invalid`, `server.draining`
   */
  async startConfigured(definition: ReplicationConfig): Promise<StartedUpstream> {
    return this.begin(await this.runner.plan(definition), new RemoteAccess(definition));
  }

  async list(): Promise<readonly ReplicationTask[]> {
    return Promise.all(Array.from(this.shown, ([id, upstream]) => this.runner.describe({ id, upstream })));
  }

  async status(id: number): Promise<ReplicationTask | undefined> {
    const upstream = this.shown.get(id);
    return upstream && this.runner.describe({ id, upstream });
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
    const started = this.runner.run(id, plan, access);
    const { upstream } = started;
    this.shown.set(id, upstream);
    const forget = this.tasks.add({
      id,
      type: 'replication',
      since: upstream.startedAt,
      describe: () => ({ session_id: id, ...describeUpstream(upstream) }),
    });
    void upstream.ended.then(() =>
      this.environment.scheduler.schedule(SHOWN_AFTER_END_MS, () => {
        forget();
        this.shown.delete(id);
      }),
    );
    return started;
  }
}
