import { type DynamicModule, Global, Module } from '@nestjs/common';
import { GatewayModule } from '@edgesync/gateway';
import {
  ACTIVE_TASKS,
  ActiveTasks,
  AUDIT_LOG,
  AUTHENTICATOR,
  EDGE_CONFIG,
  LOGGERS,
  METRICS,
  type AuditLog,
  type Authenticator,
  type Loggers,
  type Metrics,
} from '@edgesync/platform';
import { ReplicationModule } from '@edgesync/replication';
import { StorageModule } from '@edgesync/storage';
import type { EdgeConfig } from '@edgesync/config';

/** What the launcher makes before there is an application. */
export interface EdgeParts {
  readonly config: EdgeConfig;
  readonly authenticator: Authenticator;
  readonly loggers: Loggers;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

@Global()
@Module({})
class PartsModule {
  static register({ config, authenticator, loggers, audit, metrics }: EdgeParts): DynamicModule {
    return {
      module: PartsModule,
      providers: [
        { provide: EDGE_CONFIG, useValue: config },
        { provide: AUTHENTICATOR, useValue: authenticator },
        { provide: LOGGERS, useValue: loggers },
        { provide: AUDIT_LOG, useValue: audit },
        { provide: METRICS, useValue: metrics },
        { provide: ACTIVE_TASKS, useFactory: () => new ActiveTasks() },
      ],
      exports: [EDGE_CONFIG, AUTHENTICATOR, LOGGERS, AUDIT_LOG, METRICS, ACTIVE_TASKS],
    };
  }
}

/** All parts of the server in one process: ports are bound to the engines directly, and NATS is not loaded. */
@Module({})
export class EdgeModule {
  static register(parts: EdgeParts): DynamicModule {
    const replication = ReplicationModule.register();
    return {
      module: EdgeModule,
      imports: [
        PartsModule.register(parts),
        StorageModule.register(),
        GatewayModule.register({ imports: [replication] }),
        replication,
      ],
    };
  }
}
