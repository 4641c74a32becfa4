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
  STORAGE,
} from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import { GatewayModule } from '../gateway.module.js';
import type { ServerParts } from '../start-public-server.js';
import { HANDSHAKE_SECRET, SyncRelay } from './sync-relay.service.js';

export interface GatewayServiceParts extends ServerParts {
  readonly storage: Storage;
  readonly workers: WorkerRegistry;
  readonly sessions: SessionClient;
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
      { provide: ACTIVE_TASKS, useFactory: () => new ActiveTasks() },
    ];
    return { module: PartsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
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
