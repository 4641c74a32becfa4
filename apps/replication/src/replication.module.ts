import { Module, type DynamicModule, type ModuleMetadata, type Provider, type Type } from '@nestjs/common';
import { AccessPolicy } from '@edgesync/access';
import { ACTIVE_TASKS, accessPolicyOf, EDGE_CONFIG, REPLICATION_CONTROL, type ActiveTasks } from '@edgesync/platform';
import type { CreateLeases } from '@edgesync/ports';
import { replicatorContextProvider } from './replicator-context.provider.js';
import { PeerAdmission } from './peers/peer-admission.service.js';
import { CredentialsIdentity, PeerIdentity } from './peers/peer-identity.js';
import { PeerObserver } from './peers/peer-observer.service.js';
import { PeerSessions } from './peers/peer-sessions.service.js';
import { PeersGateway } from './peers/peers.gateway.js';
import { HeldLeases, MemoryReplicationRecords } from './replications/memory-records.js';
import { ReplicationObservers } from './replications/replication-observers.service.js';
import { ReplicationRunner } from './replications/replication-runner.service.js';
import {
  REPLICATION_LEASES,
  REPLICATION_RECORDS,
  ReplicationSupervisor,
} from './replications/replication-supervisor.service.js';

export interface ReplicationModuleOptions {
  /** Modules that export `STORAGE`, `EDGE_CONFIG`, `AUTHENTICATOR`, `LOGGERS`, `AUDIT_LOG`, `METRICS` and `ACTIVE_TASKS`, unless a global one does. */
  readonly imports?: ModuleMetadata['imports'];
  /** How apps are recognised; by their credentials if absent. */
  readonly identity?: Type<PeerIdentity>;
  /**
   * Where the table of replications is that several processes share, and how each gets its part of them: providers of
   * {@link REPLICATION_RECORDS} and {@link REPLICATION_LEASES}. If absent all replications run in this process.
   */
  readonly sharing?: readonly Provider[];
}

/** The module of a process that runs all replications. They are among its own tasks. */
const ALONE: readonly Provider[] = [
  {
    provide: REPLICATION_RECORDS,
    inject: [ACTIVE_TASKS],
    useFactory: (tasks: ActiveTasks) => new MemoryReplicationRecords(() => tasks.nextId()),
  },
  {
    provide: REPLICATION_LEASES,
    useValue: ((handlers) => new HeldLeases(handlers)) satisfies CreateLeases,
  },
  {
    provide: REPLICATION_CONTROL,
    inject: [ReplicationSupervisor, ACTIVE_TASKS],
    useFactory: (supervisor: ReplicationSupervisor, tasks: ActiveTasks) => {
      tasks.include(async () => (await supervisor.list()).map((task) => ({ ...task })));
      return supervisor;
    },
  },
];

/** Sync with apps and with other servers. It asks for the storage port and does not know what serves it. */
@Module({})
export class ReplicationModule {
  static register({
    imports = [],
    identity = CredentialsIdentity,
    sharing,
  }: ReplicationModuleOptions = {}): DynamicModule {
    return {
      module: ReplicationModule,
      imports,
      providers: [
        { provide: AccessPolicy, useFactory: accessPolicyOf, inject: [EDGE_CONFIG] },
        replicatorContextProvider,
        PeerAdmission,
        { provide: PeerIdentity, useClass: identity },
        PeerObserver,
        PeerSessions,
        PeersGateway,
        ReplicationObservers,
        ReplicationRunner,
        ReplicationSupervisor,
        ...(sharing ?? ALONE),
      ],
      exports: [PeerAdmission, PeerSessions, ...(sharing ? [] : [REPLICATION_CONTROL])],
    };
  }
}
