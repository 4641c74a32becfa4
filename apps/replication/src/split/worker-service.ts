import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { HandshakeVerifier, REPLICATION_SEAL, Sealer } from '@edgesync/auth';
import {
  type Bus,
  LeaseBucket,
  NatsReplicationRecords,
  NatsStorage,
  RUNNERS,
  WorkerAnnouncer,
} from '@edgesync/bus-nats';
import { VERSION, type Launch, type Service } from '@edgesync/platform';
import { connectBus, type ServiceSettings } from '@edgesync/split';
import { PROTOCOL_VERSIONS, subprotocolOf } from '@edgesync/sync-protocol';
import { PeerSessions } from '../peers/peer-sessions.service.js';
import { mountPeers } from '../peers/sync-ws.adapter.js';
import { MAX_PEERS } from '../tuning.js';
import { ownAddress } from './own-address.js';
import { fileIssues } from '../replications/remote-files.js';
import { serveSessions } from './serve-sessions.js';
import { WorkerModule, type WorkerParts } from './worker.module.js';

/** A replication worker, which gateways find by its announcements. */
export function workerService(settings: ServiceSettings): Service {
  return {
    checks: { inspectReplication: fileIssues },
    async prepare(launch) {
      const parts = await partsOf(launch, settings);
      return {
        module: WorkerModule.register(parts),
        adapter: new FastifyAdapter(),
        listen: settings.listen,
        mount: mountPeers,
        async opened(app, url) {
          const { port } = new URL(url);
          const host = settings.advertise ?? (await ownAddress(settings.listen.host, parts.bus.connection.getServer()));
          announce(app, parts, `${host}:${port}`, launch);
          return [`edgesync ${VERSION} replication: ${host}:${port}`];
        },
      };
    },
  };
}

async function partsOf(launch: Launch, settings: ServiceSettings): Promise<WorkerParts> {
  const { config, loggers, lifetime } = launch;
  const log = loggers.domain('Default');
  const bus = await connectBus('replication', settings, launch);
  const storage = new NatsStorage(bus, {
    databases: [...config.databases.keys()],
    report: (error) => log.warning('storage over NATS', error),
  });
  lifetime.defer(() => storage.close());
  const id = randomUUID();
  const secret = settings.handshakeSecret!;
  const replicas = settings.leaseReplicas;
  const sealer = new Sealer(secret, REPLICATION_SEAL);
  return {
    ...launch,
    bus,
    storage,
    id,
    verifier: new HandshakeVerifier(secret, id),
    sealer,
    leases: new LeaseBucket(bus, { replicas, bucket: RUNNERS }),
    records: new NatsReplicationRecords(bus, {
      seal: sealer,
      replicas,
      report: (error) => log.warning('the table of replications', error),
    }),
  };
}

/** Lets gateways find the worker, until its process stops. */
function announce(
  app: NestFastifyApplication,
  { bus, id }: { readonly bus: Bus; readonly id: string },
  address: string,
  { lifetime, loggers }: Launch,
): void {
  const sessions = app.get(PeerSessions);
  const protocols = PROTOCOL_VERSIONS.map(subprotocolOf);
  const log = loggers.domain('Default');
  const served = serveSessions(bus, id, sessions, (error) => log.warning('a message of a gateway is invalid', error));
  lifetime.defer(() => served.close());
  const state = (): ReturnType<ConstructorParameters<typeof WorkerAnnouncer>[2]> => ({
    address,
    load: sessions.list().length,
    capacity: MAX_PEERS,
    protocols,
  });
  // The last to be put there and so the first to end: apps whose sessions end now are sent elsewhere.
  lifetime.adopt(new WorkerAnnouncer(bus, 'replication', state, undefined, id), (announcer) => announcer.leave());
}
