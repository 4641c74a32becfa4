import { Inject, Injectable } from '@nestjs/common';
import type { DatabaseConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { LOGGERS, METRICS, type Logger, type Loggers, type Metrics } from '@edgesync/platform';
import { SqliteStorage, type CommitObserver } from '@edgesync/storage-sqlite';

/** Opens databases as they are configured. */
@Injectable()
export class DatabaseOpener {
  private readonly log: Logger;

  constructor(
    @Inject(LOGGERS) loggers: Loggers,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(SqliteStorage) private readonly storage: SqliteStorage,
  ) {
    this.log = loggers.domain('DB');
    metrics.storage.watchQueues(() => storage.queuedWrites());
  }

  /**
   * @param checkOwnership throws, right before a commit, if this process may write the database no more
   * @throws EdgeError `storage.*`
   */
  async open(config: DatabaseConfig, checkOwnership?: () => void): Promise<void> {
    const { name, path, create, collections, placeholderUuid } = config;
    try {
      await this.storage.openDatabase({
        name,
        path,
        create,
        ...(collections && { collections }),
        ...(placeholderUuid !== undefined && { placeholderUuid }),
        ...(checkOwnership && { checkOwnership }),
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
