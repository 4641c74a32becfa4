import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { DatabaseConfig, EdgeConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { EDGE_CONFIG, LOGGERS, METRICS, type Logger, type Loggers, type Metrics } from '@edgesync/platform';
import { SqliteStorage, type CommitObserver } from '@edgesync/storage-sqlite';

/** Opens the databases before anything is served, and closes them after everything has stopped. */
@Injectable()
export class DatabaseOpener implements OnModuleInit, OnApplicationShutdown {
  private readonly log: Logger;

  constructor(
    @Inject(EDGE_CONFIG) private readonly config: EdgeConfig,
    @Inject(LOGGERS) loggers: Loggers,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(SqliteStorage) private readonly storage: SqliteStorage,
  ) {
    this.log = loggers.domain('DB');
    metrics.storage.watchQueues(() => storage.queuedWrites());
  }

  async onModuleInit(): Promise<void> {
    try {
      for (const database of this.config.databases.values()) await this.open(database);
    } catch (error) {
      await this.storage.close();
      throw error;
    }
  }

  onApplicationShutdown(): Promise<void> {
    return this.storage.close();
  }

  private async open(config: DatabaseConfig): Promise<void> {
    const { name, path, create, collections, placeholderUuid } = config;
    try {
      await this.storage.openDatabase({
        name,
        path,
        create,
        ...(collections && { collections }),
        ...(placeholderUuid !== undefined && { placeholderUuid }),
        keepSuperseded: config.enableClientSync !== 'none',
        observer: this.observe(name),
        report: (error) => this.log.error(`${name}: upkeep failed: ${describe(error)}`),
      });
    } catch (error) {
      if (error instanceof EdgeError)
        throw new EdgeError(error.code, `database ${name}: ${error.message}`, { cause: error });
      throw error;
    }
    this.log.info(`opened ${name} at ${path}`);
  }

  private observe(database: string): CommitObserver {
    const { seconds, jobs, failed } = this.metrics.storage.commits(database);
    return {
      committed: (count, duration) => {
        seconds.observe(duration);
        jobs.observe(count);
      },
      rolledBack: () => failed.inc(),
    };
  }
}

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));
