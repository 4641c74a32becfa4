import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Bus, LeaseBucket, ReplicationRecords } from '@edgesync/bus-nats';
import { HandshakeVerifier, Sealer } from '@edgesync/auth';
import { CoreModule, SPLIT_TASKS_FROM, STORAGE, type CoreParts } from '@edgesync/platform';
import type { Storage } from '@edgesync/ports';
import { InternalController, ServiceReadiness } from '@edgesync/split';
import { ReplicationModule } from '../replication.module.js';
import { GatewayIdentity } from './gateway-identity.js';
import { SharedUpstreams, WORKER_ID } from './shared-upstreams.service.js';

/** What is made before there is an application. */
export interface ReplicationServiceParts extends CoreParts {
  readonly storage: Storage;
  readonly bus: Bus;
  /** ID under which the worker announces itself. */
  readonly id: string;
  readonly verifier: HandshakeVerifier;
  readonly leases: LeaseBucket;
  readonly records: ReplicationRecords;
  readonly sealer: Sealer;
}

@Global()
@Module({})
class WorkerPartsModule {
  static register(parts: ReplicationServiceParts): DynamicModule {
    const providers = [
      { provide: STORAGE, useValue: parts.storage },
      { provide: Bus, useValue: parts.bus },
      { provide: WORKER_ID, useValue: parts.id },
      { provide: HandshakeVerifier, useValue: parts.verifier },
      { provide: LeaseBucket, useValue: parts.leases },
      { provide: ReplicationRecords, useValue: parts.records },
      { provide: Sealer, useValue: parts.sealer },
      { provide: ServiceReadiness, useValue: { check: () => parts.bus.connected } },
    ];
    return { module: WorkerPartsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** A replication worker: syncs with apps that gateways pass on and with other servers; storage is behind the bus. */
@Module({})
export class ReplicationServiceModule {
  static register(parts: ReplicationServiceParts): DynamicModule {
    return {
      module: ReplicationServiceModule,
      imports: [
        CoreModule.register(parts, { tasksFrom: SPLIT_TASKS_FROM }),
        WorkerPartsModule.register(parts),
        ReplicationModule.register({ identity: GatewayIdentity, upstreams: [SharedUpstreams] }),
      ],
      controllers: [InternalController],
    };
  }
}
