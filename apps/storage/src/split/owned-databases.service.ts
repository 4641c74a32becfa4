import { hostname } from 'node:os';
import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { LeaseBucket, Ownership } from '@edgesync/bus-nats';
import type { EdgeConfig } from '@edgesync/config';
import { EDGE_CONFIG, LOGGERS, METRICS, type Logger, type Loggers, type Metrics } from '@edgesync/platform';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { DatabaseOpener } from '../database-opener.service.js';
import { BusStrategy } from './bus.strategy.js';

/** Opens and serves the databases that this process owns, for as long as it owns them. */
@Injectable()
export class OwnedDatabases implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly log: Logger;
  private ownership: Ownership | undefined;

  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(BusStrategy) private readonly server: BusStrategy,
    @Inject(LeaseBucket) private readonly leases: LeaseBucket,
    @Inject(SqliteStorage) private readonly storage: SqliteStorage,
    @Inject(DatabaseOpener) private readonly opener: DatabaseOpener,
    @Inject(LOGGERS) loggers: Loggers,
    @Inject(METRICS) metrics: Metrics,
  ) {
    this.log = loggers.domain('DB');
    metrics.registry.collected(
      'edgesync_storage_owned_databases',
      'Databases that this process owns.',
      'gauge',
      [],
      () => [[this.ownership?.owned.length ?? 0]],
    );
  }

  onApplicationBootstrap(): void {
    const { databases } = this.config;
    this.ownership = new Ownership(this.leases, `${hostname()} ${process.pid}`, {
      acquired: async (lease) => {
        const { name: database } = lease;
        const { opened } = await this.opener.open(databases.get(database)!, () => lease.assertHeld());
        await this.server.serve(database, () => lease.held, opened);
        this.log.info(`serves ${database}`);
      },
      given: async (database) => {
        await this.server.withdraw(database);
        await this.opener.close(database);
        this.log.info(`gave ${database} up`);
      },
      report: (database, error) => this.log.error(`${database} is not served here`, error),
    });
    for (const database of databases.keys()) this.ownership.pursue(database);
  }

  /** Answers what it has taken; others may own the databases from then on. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.ownership?.stop();
  }

  onApplicationShutdown(): Promise<void> {
    return this.storage.close();
  }
}
