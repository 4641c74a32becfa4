import { type DynamicModule, Global, Inject, Injectable, Module, Optional } from '@nestjs/common';
import { SessionClient, WorkerRegistry } from '@edgesync/bus-nats';
import {
  ACTIVE_TASKS,
  CoreModule,
  LOGGERS,
  REPLICATION_CONTROL,
  SPLIT_TASKS_FROM,
  STORAGE,
  type ActiveTasks,
  type Loggers,
} from '@edgesync/platform';
import type { ReplicationControl, ReplicationTask, Storage } from '@edgesync/ports';
import { GatewayModule } from '../gateway.module.js';
import type { ServerParts } from '../public-service.js';
import { HANDSHAKE_SECRET, SyncRelay } from './sync-relay.service.js';

/** Replications with other servers, wherever they run. */
export interface DeploymentReplications extends ReplicationControl {
  /** The same as `list`, also while nobody can run one. */
  shown(): Promise<readonly ReplicationTask[]>;
}

export interface GatewayServiceParts extends ServerParts {
  readonly storage: Storage;
  readonly workers: WorkerRegistry;
  readonly sessions: SessionClient;
  /** Absent where nothing replicates. */
  readonly replications?: DeploymentReplications;
  readonly handshakeSecret: string;
}

@Global()
@Module({})
class GatewayPartsModule {
  static register(parts: GatewayServiceParts): DynamicModule {
    const providers = [
      { provide: STORAGE, useValue: parts.storage },
      { provide: WorkerRegistry, useValue: parts.workers },
      { provide: SessionClient, useValue: parts.sessions },
      { provide: HANDSHAKE_SECRET, useValue: parts.handshakeSecret },
      ...(parts.replications ? [{ provide: REPLICATION_CONTROL, useValue: parts.replications }] : []),
    ];
    return { module: GatewayPartsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** Lists the replications of the deployment among the active tasks; leaves them out while the bus cannot list them. */
@Injectable()
class DeploymentTasks {
  constructor(
    @Inject(ACTIVE_TASKS) tasks: ActiveTasks,
    @Inject(LOGGERS) loggers: Loggers,
    @Optional() @Inject(REPLICATION_CONTROL) replications?: DeploymentReplications,
  ) {
    const log = loggers.domain('Sync');
    tasks.include(async () => {
      try {
        return ((await replications?.shown()) ?? []).map((task) => ({ ...task }));
      } catch (error) {
        log.warning('active tasks are shown without replications', error);
        return [];
      }
    });
  }
}

/** The public port of a split deployment: REST over storage that is elsewhere, and the way to the replication workers. */
@Module({})
export class GatewayServiceModule {
  static register(parts: GatewayServiceParts): DynamicModule {
    return {
      module: GatewayServiceModule,
      imports: [
        CoreModule.register(parts, { ...parts, tasksFrom: SPLIT_TASKS_FROM }),
        GatewayPartsModule.register(parts),
        GatewayModule.register(),
      ],
      providers: [SyncRelay, DeploymentTasks],
    };
  }
}
