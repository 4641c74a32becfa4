import { REPLICATION_SEAL, Sealer } from '@edgesync/auth';
import {
  NatsReplicationControl,
  NatsReplicationRecords,
  NatsStorage,
  SessionClient,
  WorkerRegistry,
} from '@edgesync/bus-nats';
import type { Launch, Service } from '@edgesync/platform';
import { connectBus, type ServiceSettings } from '@edgesync/split';
import { publicService } from '../public-service.js';
import { GatewayServiceModule, type GatewayServiceParts } from './gateway-service.module.js';
import { SyncRelay } from './sync-relay.service.js';

/** A gateway. It serves once NATS is there; databases and workers may come later. */
export function gatewayService(settings: ServiceSettings): Service {
  return publicService({
    module: async (launch) => GatewayServiceModule.register(await partsOf(launch, settings)),
    mount: (app) => {
      app.getHttpServer().on('upgrade', app.get(SyncRelay).upgrade);
    },
  });
}

async function partsOf(launch: Launch, settings: ServiceSettings): Promise<GatewayServiceParts> {
  const { config, loggers, lifetime } = launch;
  const { handshakeSecret = '' } = settings;
  const bus = await connectBus('gateway', settings, launch);
  const storage = new NatsStorage(bus, {
    databases: [...config.databases.keys()],
    report: (error) => loggers.domain('Default').warning('storage over NATS', error),
  });
  lifetime.defer(() => storage.close());
  const workers = lifetime.adopt(new WorkerRegistry(bus, 'replication'), (registry) => registry.close());
  const seal = new Sealer(handshakeSecret, REPLICATION_SEAL);
  const records = new NatsReplicationRecords(bus, { seal, guest: true });
  const replications = new NatsReplicationControl(bus, workers, records, {
    seal,
    report: (error) => loggers.domain('Sync').warning('a replication worker does not answer', error),
  });
  lifetime.defer(() => replications.close());
  return { ...launch, storage, workers, sessions: new SessionClient(bus), replications, handshakeSecret };
}
