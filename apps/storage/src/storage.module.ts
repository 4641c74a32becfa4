import { type DynamicModule, Global, Module } from '@nestjs/common';
import { STORAGE } from '@edgesync/platform';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { AllDatabases } from './all-databases.service.js';
import { DatabaseOpener } from './database-opener.service.js';

/** Opens the configured databases and offers them through the storage ports. */
@Global()
@Module({})
export class StorageModule {
  static register(): DynamicModule {
    return {
      module: StorageModule,
      providers: [AllDatabases, DatabaseOpener, SqliteStorage, { provide: STORAGE, useExisting: SqliteStorage }],
      exports: [STORAGE],
    };
  }
}
