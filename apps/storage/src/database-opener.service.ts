import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { DatabaseConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { LOGGERS, METRICS, type Logger, type Loggers, type Metrics } from '@edgesync/platform';
import {
  needsCouchbaseLiteImport,
  SqliteStorage,
  type CommitObserver,
  type DatabaseOptions,
} from '@edgesync/storage-sqlite';
import { DatabaseImport } from './database-import.js';

/** Opens databases as they are configured. */
@Injectable()
export class DatabaseOpener implements OnModuleDestroy {
  private readonly log: Logger;
  private readonly stopping = new AbortController();
  private readonly imports = new Set<Promise<void>>();

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
    if (!needsCouchbaseLiteImport(config.path)) return this.openNow(config, { checkOwnership });
    const observer = new DatabaseImport(config.name, config.path, this.log);
    this.storage.announce(config.name, () => observer.reason);
    const opening = this.openNow(config, { checkOwnership, onImport: observer, signal: this.stopping.signal });
    this.imports.add(opening);
    // The server starts meanwhile, unless the file as a whole cannot be read.
    await Promise.race([observer.started, opening]);
    opening
      .catch((error: unknown) => {
        if (this.stopping.signal.aborted) return;
        this.log.error(describe(error));
        this.storage.announce(config.name, () => `the database cannot be imported: ${describe(error)}`);
      })
      .finally(() => this.imports.delete(opening));
  }

  /** Interrupts imports; they go on at the next start. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort(new EdgeError('storage.closed'));
    await Promise.allSettled(this.imports);
  }

  private async openNow(
    config: DatabaseConfig,
    { checkOwnership, ...importing }: Pick<DatabaseOptions, 'checkOwnership' | 'onImport' | 'signal'>,
  ): Promise<void> {
    const { name, path, create, collections, placeholderUuid } = config;
    try {
      await this.storage.openDatabase({
        ...importing,
        name,
        path,
        create,
        ...(collections && { collections }),
        ...(placeholderUuid !== undefined && { placeholderUuid }),
        ...(checkOwnership && { checkOwnership }),
        keepSuperseded: config.enableClientSync !== 'none',
        observer: this.observe(name),
        warn: (message) => this.log.warning(message),
        report: (error) => this.log.error(`${name}: upkeep failed`, error),
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
