import { Bus, LeaseBucket } from '@edgesync/bus-nats';
import {
  loadConfig,
  NestLogger,
  openObservers,
  VERSION,
  type ServiceSettings,
  type Stoppable,
} from '@edgesync/platform';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { createStorageService } from './create-storage-service.js';

/**
 * Starts the storage service. Databases are opened when their leases are had, which may be later.
 * @param signal ends the wait for NATS
 * @throws ConfigError, or the error of listening or of NATS refusing the credentials
 */
export async function startStorage(settings: ServiceSettings, signal: AbortSignal): Promise<Stoppable> {
  const { value: config, warnings } = loadConfig(settings.configFile);
  const observers = await openObservers(config.logging);
  const { loggers, metrics } = observers;
  const log = loggers.domain('Default');
  for (const warning of warnings) log.warning(warning);
  const bus = await Bus.connect({
    ...settings.nats,
    name: 'storage',
    report: (error) => log.warning('NATS is not there yet', error),
    signal,
  });
  const leases = new LeaseBucket(bus, { replicas: settings.leaseReplicas });
  const parts = { config, bus, leases, storage: new SqliteStorage(), loggers, metrics };
  const app = await createStorageService(parts, new NestLogger(loggers.domain('Listener')));
  const close = async (): Promise<void> => {
    try {
      await app.close();
    } finally {
      await bus.close();
      await observers.close();
    }
  };
  try {
    await app.listen(settings.listen.port, settings.listen.host);
  } catch (error) {
    await close();
    throw error;
  }
  console.log(`edgesync ${VERSION} storage: ${await app.getUrl()}`);
  return { close };
}
