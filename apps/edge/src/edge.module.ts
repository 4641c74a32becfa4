import { type DynamicModule, Global, Module } from '@nestjs/common';
import { GatewayModule, type ServerParts } from '@edgesync/gateway';
import { ACTIVE_TASKS, ActiveTasks, AUDIT_LOG, AUTHENTICATOR, EDGE_CONFIG, LOGGERS, METRICS } from '@edgesync/platform';
import { ReplicationModule } from '@edgesync/replication';
import { StorageModule } from '@edgesync/storage';

@Global()
@Module({})
class PartsModule {
  static register({ config, authenticator, loggers, audit, metrics }: ServerParts): DynamicModule {
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
  static register(parts: ServerParts): DynamicModule {
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
