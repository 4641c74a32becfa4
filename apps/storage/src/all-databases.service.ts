import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { EdgeConfig } from '@edgesync/config';
import { EDGE_CONFIG } from '@edgesync/platform';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { DatabaseOpener } from './database-opener.service.js';

/** Opens all databases before anything is served, and closes them after everything has stopped. */
@Injectable()
export class AllDatabases implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(DatabaseOpener) private readonly opener: DatabaseOpener,
    @Inject(SqliteStorage) private readonly storage: SqliteStorage,
  ) {}

  async onModuleInit(): Promise<void> {
    try {
      for (const database of this.config.databases.values()) await this.opener.open(database);
    } catch (error) {
      await this.storage.close();
      throw error;
    }
  }

  onApplicationShutdown(): Promise<void> {
    return this.storage.close();
  }
}
