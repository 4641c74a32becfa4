import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Sealer } from '@edgesync/auth';
import { Bus, ReplicationServer } from '@edgesync/bus-nats';
import type { Loggers } from '@edgesync/logging';
import { LOGGERS } from '@edgesync/platform';
import { ReplicationSupervisor } from '../replications/replication-supervisor.service.js';

/** ID under which this worker announces itself. */
export const WORKER_ID = Symbol('WORKER_ID');

/** Answers what gateways ask about replications with other servers. */
@Injectable()
export class ReplicationRequests implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private server: ReplicationServer | undefined;

  constructor(
    @Inject(Bus) private readonly bus: Bus,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(WORKER_ID) private readonly id: string,
    @Inject(ReplicationSupervisor) private readonly supervisor: ReplicationSupervisor,
    @Inject(LOGGERS) private readonly loggers: Loggers,
  ) {}

  onApplicationBootstrap(): void {
    const log = this.loggers.domain('Sync');
    this.server = new ReplicationServer(this.bus, 'replication', this.id, this.supervisor, this.sealer, (error) =>
      log.error('a request of a gateway failed', error),
    );
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.server?.close();
  }
}
