import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Bus, LeaseBucket, ReplicationRecords } from '@edgesync/bus-nats';
import type { EdgeConfig } from '@edgesync/config';
import {
  ACTIVE_TASKS,
  ActiveTasks,
  AUDIT_LOG,
  EDGE_CONFIG,
  HandshakeVerifier,
  InternalController,
  LOGGERS,
  METRICS,
  Sealer,
  ServiceReadiness,
  SPLIT_TASKS_FROM,
  STORAGE,
  type AuditLog,
  type Loggers,
  type Metrics,
} from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import { ReplicationModule } from '../replication.module.js';
import { GatewayIdentity } from './gateway-identity.js';
import { SharedUpstreams, WORKER_ID } from './shared-upstreams.service.js';

/** What the launcher makes before there is an application. */
export interface ReplicationServiceParts {
  readonly config: EdgeConfig;
  readonly storage: Storage;
  readonly bus: Bus;
  /** ID under which the worker announces itself. */
  readonly id: string;
  readonly verifier: HandshakeVerifier;
  readonly leases: LeaseBucket;
  readonly records: ReplicationRecords;
  readonly sealer: Sealer;
  readonly loggers: Loggers;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
}

@Global()
@Module({})
class PartsModule {
  static register(parts: ReplicationServiceParts): DynamicModule {
    const { config, storage, bus, loggers, audit, metrics } = parts;
    const providers = [
      { provide: EDGE_CONFIG, useValue: config },
      { provide: STORAGE, useValue: storage },
      { provide: Bus, useValue: bus },
      { provide: WORKER_ID, useValue: parts.id },
      { provide: HandshakeVerifier, useValue: parts.verifier },
      { provide: LeaseBucket, useValue: parts.leases },
      { provide: ReplicationRecords, useValue: parts.records },
      { provide: Sealer, useValue: parts.sealer },
      { provide: LOGGERS, useValue: loggers },
      { provide: AUDIT_LOG, useValue: audit },
      { provide: METRICS, useValue: metrics },
      { provide: ACTIVE_TASKS, useFactory: () => new ActiveTasks(Date.now, SPLIT_TASKS_FROM) },
      { provide: ServiceReadiness, useValue: { check: () => bus.connected } },
    ];
    return { module: PartsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** A replication worker: takes apps from gateways and its share of the replications, and documents to and from storage over the bus. */
@Module({})
export class ReplicationServiceModule {
  static register(parts: ReplicationServiceParts): DynamicModule {
    return {
      module: ReplicationServiceModule,
      imports: [
        PartsModule.register(parts),
        ReplicationModule.register({ identity: GatewayIdentity, upstreams: [SharedUpstreams] }),
      ],
      controllers: [InternalController],
    };
  }
}
