import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Bus, LeaseBucket, NatsStorage, ReplicationRecords, RUNNERS, WorkerAnnouncer } from '@edgesync/bus-nats';
import {
  HandshakeVerifier,
  loadConfig,
  NestLogger,
  openObservers,
  REPLICATION_SEAL,
  Sealer,
  VERSION,
  type ServiceSettings,
  type Stoppable,
} from '@edgesync/platform';
import { PROTOCOL_VERSIONS, subprotocolOf } from '@edgesync/sync-protocol';
import { mountPeers } from '../peers/mount-peers.js';
import { PeerSessions } from '../peers/peer-sessions.service.js';
import { MAX_PEERS } from '../tuning.js';
import { ownAddress } from './own-address.js';
import { serveSessions } from './serve-sessions.js';
import { ReplicationServiceModule } from './replication-service.module.js';

/**
 * Starts a replication worker, which gateways find by its announcements.
 * @param signal ends the wait for NATS
 * @throws ConfigError, or the error of listening or of NATS refusing the credentials
 */
export async function startReplication(settings: ServiceSettings, signal: AbortSignal): Promise<Stoppable> {
  const { value: config, warnings } = loadConfig(settings.configFile);
  const observers = await openObservers(config.logging);
  const { loggers, audit, metrics } = observers;
  const log = loggers.domain('Default');
  for (const warning of warnings) log.warning(warning);
  const bus = await Bus.connect({
    ...settings.nats,
    name: 'replication',
    report: (error) => log.warning('NATS is not there yet', error),
    signal,
  });
  const storage = new NatsStorage(bus, {
    databases: [...config.databases.keys()],
    report: (error) => log.warning('storage over NATS', error),
  });
  const id = randomUUID();
  const secret = settings.handshakeSecret!;
  const replicas = settings.leaseReplicas;
  const parts = {
    id,
    verifier: new HandshakeVerifier(secret, id),
    sealer: new Sealer(secret, REPLICATION_SEAL),
    leases: new LeaseBucket(bus, { replicas, bucket: RUNNERS }),
    records: new ReplicationRecords(bus, {
      replicas,
      report: (error) => log.warning('the table of replications', error),
    }),
  };
  const app = await NestFactory.create<NestFastifyApplication>(
    ReplicationServiceModule.register({ ...parts, config, storage, bus, loggers, audit, metrics }),
    new FastifyAdapter(),
    { logger: new NestLogger(loggers.domain('Listener')), abortOnError: false },
  );
  mountPeers(app);
  const shutDown = async (): Promise<void> => {
    try {
      await app.close();
    } finally {
      storage.close();
      await bus.close();
      await observers.close();
    }
  };
  try {
    await app.listen(settings.listen.port, settings.listen.host);
  } catch (error) {
    await shutDown();
    throw error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  const host = settings.advertise ?? (await ownAddress(settings.listen.host, bus.connection.getServer()));
  const address = `${host}:${port}`;
  const sessions = app.get(PeerSessions);
  const protocols = PROTOCOL_VERSIONS.map(subprotocolOf);
  const state = (): ReturnType<ConstructorParameters<typeof WorkerAnnouncer>[2]> => ({
    address,
    load: sessions.list().length,
    capacity: MAX_PEERS,
    protocols,
  });
  const served = serveSessions(bus, id, sessions, (error) => log.warning('a gateway is not understood', error));
  const announcer = new WorkerAnnouncer(bus, 'replication', state, undefined, id);
  console.log(`edgesync ${VERSION} replication: ${address}`);
  return {
    close: async () => {
      // First, so that apps whose sessions end now are sent elsewhere.
      await announcer.leave();
      served.close();
      await shutDown();
    },
  };
}
