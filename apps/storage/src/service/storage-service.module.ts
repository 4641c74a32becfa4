import { type DynamicModule, Module } from '@nestjs/common';
import { Bus, LeaseBucket } from '@edgesync/bus-nats';
import type { EdgeConfig } from '@edgesync/config';
import {
  EDGE_CONFIG,
  InternalController,
  LOGGERS,
  METRICS,
  ServiceReadiness,
  type Loggers,
  type Metrics,
} from '@edgesync/platform';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { DatabaseOpener } from '../database-opener.service.js';
import { BusStrategy } from './bus.strategy.js';
import { OwnedDatabases } from './owned-databases.service.js';
import { StorageController } from './storage.controller.js';

/** What the launcher makes before there is an application. */
export interface StorageServiceParts {
  readonly config: EdgeConfig;
  readonly bus: Bus;
  readonly leases: LeaseBucket;
  readonly storage: SqliteStorage;
  readonly loggers: Loggers;
  readonly metrics: Metrics;
}

/** Storage as a service of its own: databases are served over the bus, and the port tells how it is. */
@Module({})
export class StorageServiceModule {
  static register({ config, bus, leases, storage, loggers, metrics }: StorageServiceParts): DynamicModule {
    return {
      module: StorageServiceModule,
      controllers: [InternalController, StorageController],
      providers: [
        { provide: EDGE_CONFIG, useValue: config },
        { provide: LOGGERS, useValue: loggers },
        { provide: METRICS, useValue: metrics },
        { provide: Bus, useValue: bus },
        { provide: LeaseBucket, useValue: leases },
        // Which databases it owns is no matter of readiness: another process may own them all.
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
