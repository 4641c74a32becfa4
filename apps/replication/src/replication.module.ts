import { Module, type DynamicModule, type ModuleMetadata, type Provider, type Type } from '@nestjs/common';
import { AccessPolicy } from '@edgesync/access';
import { accessPolicyOf, EDGE_CONFIG, REPLICATION_CONTROL } from '@edgesync/platform';
import { environmentProvider } from './environment.provider.js';
import { PeerAdmission } from './peers/peer-admission.service.js';
import { CredentialsIdentity, PeerIdentity } from './peers/peer-identity.js';
import { PeerObserver } from './peers/peer-observer.service.js';
import { PeerSessions } from './peers/peer-sessions.service.js';
import { PeersGateway } from './peers/peers.gateway.js';
import { ConfiguredUpstreams } from './upstream/configured-upstreams.service.js';
import { UpstreamObservers } from './upstream/upstream-observers.service.js';
import { UpstreamRunner } from './upstream/upstream-runner.service.js';
import { Upstreams } from './upstream/upstreams.service.js';

export interface ReplicationModuleOptions {
  /** Modules that export `STORAGE`, `EDGE_CONFIG`, `AUTHENTICATOR`, `LOGGERS`, `AUDIT_LOG`, `METRICS` and `ACTIVE_TASKS`, unless a global one does. */
  readonly imports?: ModuleMetadata['imports'];
  /** How apps are recognised; by their credentials if absent. */
  readonly identity?: Type<PeerIdentity>;
  /** What decides which replications with other servers run here, over {@link UpstreamRunner}; all of them do if absent. */
  readonly upstreams?: readonly Provider[];
}

const OWN_UPSTREAMS: readonly Provider[] = [
  ConfiguredUpstreams,
  Upstreams,
  { provide: REPLICATION_CONTROL, useExisting: Upstreams },
];

/** Sync with apps and with other servers. It asks for the storage port and does not know what serves it. */
@Module({})
export class ReplicationModule {
  static register(options: ReplicationModuleOptions = {}): DynamicModule {
    const { imports = [], identity = CredentialsIdentity, upstreams = OWN_UPSTREAMS } = options;
    return {
      module: ReplicationModule,
      imports,
      providers: [
        { provide: AccessPolicy, useFactory: accessPolicyOf, inject: [EDGE_CONFIG] },
        environmentProvider,
        PeerAdmission,
        { provide: PeerIdentity, useClass: identity },
        PeerObserver,
        PeerSessions,
        PeersGateway,
        UpstreamObservers,
        UpstreamRunner,
        ...upstreams,
      ],
      exports: [PeerAdmission, PeerSessions, ...(upstreams === OWN_UPSTREAMS ? [REPLICATION_CONTROL] : [])],
    };
  }
}
