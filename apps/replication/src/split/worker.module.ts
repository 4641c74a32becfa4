import { hostname } from 'node:os';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { HandshakeVerifier, Sealer } from '@edgesync/auth';
import { Bus, type LeaseBucket, Ownership, REPLICATION_SHARING_MS } from '@edgesync/bus-nats';
import { CoreModule, SPLIT_TASKS_FROM, STORAGE, type CoreParts } from '@edgesync/platform';
import type { CreateLeases, ReplicationRecords, Storage } from '@edgesync/ports';
import { InternalController, ServiceReadiness } from '@edgesync/split';
import { ReplicationModule } from '../replication.module.js';
import { REPLICATION_LEASES, REPLICATION_RECORDS } from '../replications/replication-supervisor.service.js';
import { GatewayIdentity } from './gateway-identity.js';
import { ReplicationRequests, WORKER_ID } from './replication-requests.service.js';

/** Parts made before there is an application. */
export interface WorkerParts extends CoreParts {
  readonly storage: Storage;
  readonly bus: Bus;
  /** ID under which the worker announces itself. */
  readonly id: string;
  readonly verifier: HandshakeVerifier;
  readonly sealer: Sealer;
  readonly records: ReplicationRecords;
  /** Of replications. */
  readonly leases: LeaseBucket;
}

@Global()
@Module({})
class WorkerPartsModule {
  static register(parts: WorkerParts): DynamicModule {
    const holder = `${hostname()} ${process.pid}`;
    const createLeases: CreateLeases = (handlers) =>
      new Ownership(parts.leases, holder, handlers, REPLICATION_SHARING_MS);
    const providers = [
      { provide: STORAGE, useValue: parts.storage },
      { provide: Bus, useValue: parts.bus },
      { provide: WORKER_ID, useValue: parts.id },
      { provide: HandshakeVerifier, useValue: parts.verifier },
      { provide: Sealer, useValue: parts.sealer },
      { provide: REPLICATION_RECORDS, useValue: parts.records },
      { provide: REPLICATION_LEASES, useValue: createLeases },
      { provide: ServiceReadiness, useValue: { check: () => parts.bus.connected } },
    ];
    return { module: WorkerPartsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** A replication worker: syncs with apps that gateways pass on and with other servers; storage is behind the bus. */
@Module({})
export class WorkerModule {
  static register(parts: WorkerParts): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        CoreModule.register(parts, { tasksFrom: SPLIT_TASKS_FROM }),
        WorkerPartsModule.register(parts),
        ReplicationModule.register({ identity: GatewayIdentity, sharing: [ReplicationRequests] }),
      ],
      controllers: [InternalController],
    };
  }
}
