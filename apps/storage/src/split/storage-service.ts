import 'reflect-metadata';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { LeaseBucket } from '@edgesync/bus-nats';
import { VERSION, type Service } from '@edgesync/platform';
import { connectBus, type ServiceSettings } from '@edgesync/split';
import { inspectDatabase, SqliteStorage } from '@edgesync/storage-sqlite';
import { serveOnBus } from './serve-on-bus.js';
import { StorageServiceModule } from './storage-service.module.js';

/** The storage service. It opens a database when it gets the lease, which may be later. */
export function storageService(settings: ServiceSettings): Service {
  return {
    checks: { inspectDatabase },
    async prepare(launch) {
      const bus = await connectBus('storage', settings, launch);
      const leases = new LeaseBucket(bus, { replicas: settings.leaseReplicas });
      return {
        module: StorageServiceModule.register({ ...launch, bus, leases, storage: new SqliteStorage() }),
        adapter: new FastifyAdapter(),
        listen: settings.listen,
        mount: serveOnBus,
        opened: (_, url) => [`edgesync ${VERSION} storage: ${url}`],
      };
    },
  };
}
