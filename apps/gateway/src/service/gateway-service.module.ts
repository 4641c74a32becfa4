import { type DynamicModule, Global, Module } from '@nestjs/common';
import { SessionClient, WorkerRegistry } from '@edgesync/bus-nats';
import {
  ACTIVE_TASKS,
  ActiveTasks,
  AUDIT_LOG,
  AUTHENTICATOR,
  EDGE_CONFIG,
  LOGGERS,
  METRICS,
  REPLICATION_CONTROL,
  SPLIT_TASKS_FROM,
  STORAGE,
} from '@edgesync/platform';
import type { ReplicationControl, ReplicationTask, Storage } from '@edgesync/ports';
import { GatewayModule } from '../gateway.module.js';
import type { ServerParts } from '../start-public-server.js';
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
class PartsModule {
  static register(parts: GatewayServiceParts): DynamicModule {
    const providers = [
      { provide: EDGE_CONFIG, useValue: parts.config },
      { provide: AUTHENTICATOR, useValue: parts.authenticator },
      { provide: LOGGERS, useValue: parts.loggers },
      { provide: AUDIT_LOG, useValue: parts.audit },
      { provide: METRICS, useValue: parts.metrics },
      { provide: STORAGE, useValue: parts.storage },
      { provide: WorkerRegistry, useValue: parts.workers },
      { provide: SessionClient, useValue: parts.sessions },
      { provide: HANDSHAKE_SECRET, useValue: parts.handshakeSecret },
      ...(parts.replications ? [{ provide: REPLICATION_CONTROL, useValue: parts.replications }] : []),
      { provide: ACTIVE_TASKS, useFactory: () => activeTasks(parts) },
    ];
    return { module: PartsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** What goes on here, and the replications of the deployment; without these where the bus cannot tell of them. */
function activeTasks({ replications, loggers }: GatewayServiceParts): ActiveTasks {
  const log = loggers.domain('Sync');
  if (!replications) return new ActiveTasks();
  const tasks = new ActiveTasks(Date.now, SPLIT_TASKS_FROM);
  tasks.include(async () => {
    try {
      return (await replications.shown()).map((task) => ({ ...task }));
    } catch (error) {
      log.warning('active tasks are shown without replications', error);
      return [];
    }
  });
  return tasks;
}

/** The public port of a split deployment: REST over storage that is elsewhere, and the way to the replication workers. */
@Module({})
export class GatewayServiceModule {
  static register(parts: GatewayServiceParts): DynamicModule {
    return {
      module: GatewayServiceModule,
      imports: [PartsModule.register(parts), GatewayModule.register()],
      providers: [SyncRelay],
    };
  }
}
