import { type DynamicModule, Module } from '@nestjs/common';
import { Bus, LeaseBucket } from '@edgesync/bus-nats';
import { CoreModule, type CoreParts } from '@edgesync/platform';
import { InternalController, ServiceReadiness } from '@edgesync/split';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { DatabaseOpener } from '../database-opener.service.js';
import { BusStrategy } from './bus.strategy.js';
import { OwnedDatabases } from './owned-databases.service.js';
import { StorageController } from './storage.controller.js';

/** Parts made before there is an application. */
export interface StorageServiceParts extends CoreParts {
  readonly bus: Bus;
  readonly leases: LeaseBucket;
  readonly storage: SqliteStorage;
}

/** Storage as a service of its own: it serves databases over the bus, and monitoring on a port. */
@Module({})
export class StorageServiceModule {
  static register(parts: StorageServiceParts): DynamicModule {
    const { bus, leases, storage, loggers } = parts;
    return {
      module: StorageServiceModule,
      imports: [CoreModule.register(parts)],
      controllers: [InternalController, StorageController],
      providers: [
        { provide: Bus, useValue: bus },
        { provide: LeaseBucket, useValue: leases },
        // A service that owns no database is ready: another process may own them all.
        { provide: ServiceReadiness, useValue: { check: () => bus.connected } },
        { provide: SqliteStorage, useValue: storage },
        {
          provide: BusStrategy,
          useFactory: () =>
            new BusStrategy(bus, storage, (error) => loggers.domain('DB').error('serving failed', error)),
        },
        DatabaseOpener,
        OwnedDatabases,
      ],
    };
  }
}
