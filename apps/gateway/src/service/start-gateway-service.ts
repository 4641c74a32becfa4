import {
  Bus,
  NatsReplicationControl,
  NatsStorage,
  ReplicationRecords,
  SessionClient,
  WorkerRegistry,
} from '@edgesync/bus-nats';
import { REPLICATION_SEAL, Sealer, type ServiceSettings, type Stoppable } from '@edgesync/platform';
import { startPublicServer } from '../start-public-server.js';
import { GatewayServiceModule } from './gateway-service.module.js';
import { SyncRelay } from './sync-relay.service.js';

/**
 * Starts a gateway. It serves when NATS is there; databases and workers may come later.
 * @param signal ends the wait for NATS
 * @throws ConfigError, or the error of listening or of NATS refusing the credentials
 */
export async function startGatewayService(settings: ServiceSettings, signal: AbortSignal): Promise<Stoppable> {
  const closers: (() => void | Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    const server = await startPublicServer(
      settings.configFile,
      {
        module: async (parts) => {
          const log = parts.loggers.domain('Default');
          const bus = await Bus.connect({
            ...settings.nats,
            name: 'gateway',
            report: (error) => log.warning('NATS is not there yet', error),
            signal,
          });
          closers.push(() => bus.close());
          const storage = new NatsStorage(bus, {
            databases: [...parts.config.databases.keys()],
            report: (error) => log.warning('storage over NATS', error),
          });
          closers.push(() => storage.close());
          const workers = new WorkerRegistry(bus, 'replication');
          closers.push(() => workers.close());
          const sessions = new SessionClient(bus);
          const { handshakeSecret = '' } = settings;
          const sealer = new Sealer(handshakeSecret, REPLICATION_SEAL);
          const replications = new NatsReplicationControl(bus, workers, new ReplicationRecords(bus, { guest: true }), {
            seal: (text) => sealer.seal(text),
            report: (error) => parts.loggers.domain('Sync').warning('a replication worker does not answer', error),
          });
          closers.push(() => replications.close());
          return GatewayServiceModule.register({ ...parts, storage, workers, sessions, replications, handshakeSecret });
        },
        mount: (app) => {
          app.getHttpServer().on('upgrade', app.get(SyncRelay).upgrade);
        },
      },
      { announce: (line) => console.log(line) },
    );
    closers.push(() => server.close());
  } catch (error) {
    await closeAll();
    throw error;
  }
  return { close: closeAll };
}
