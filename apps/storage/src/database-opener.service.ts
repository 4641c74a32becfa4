import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { DatabaseConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import type { IndexStatus } from '@edgesync/ports';
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
  private readonly imports = new Map<string, { readonly stopping: AbortController; readonly opened: Promise<void> }>();

  constructor(
    @Inject(LOGGERS) loggers: Loggers,
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(SqliteStorage) private readonly storage: SqliteStorage,
  ) {
    this.log = loggers.domain('DB');
    metrics.storage.watchQueues(() => storage.queuedWrites());
    metrics.queries.watchLoad({
      running: () => storage.queryLoad('running'),
      waiting: () => storage.queryLoad('waiting'),
    });
    metrics.storage.watchUsage(() => storage.usage());
    metrics.queries.watchIndexes({
      states: () => countStates(storage.indexStatuses()),
      pending: () =>
        storage
          .indexStatuses()
          .filter(([{ state }]) => state === 'building')
          .map(([{ name, done, total }, database]) => [Math.max(0, total - done), database, name]),
    });
  }

  /**
   * Opens a database, or begins to import one: then it is opened later, and answers with the reason until then.
   * @param checkOwnership throws, right before a commit, if this process may write the database no more
   * @returns what resolves when the database is open, and rejects if its import has failed
   * @throws EdgeError `storage.*`
   */
  async open(config: DatabaseConfig, checkOwnership?: () => void): Promise<{ readonly opened: Promise<void> }> {
    const { name, path } = config;
    if (!needsCouchbaseLiteImport(path)) {
      await this.openNow(config, { checkOwnership });
      return { opened: Promise.resolve() };
    }
    const observer = new DatabaseImport(name, path, this.log);
    this.storage.announce(name, () => observer.reason);
    const stopping = new AbortController();
    const opened = this.openNow(config, { checkOwnership, onImport: observer, signal: stopping.signal });
    this.imports.set(name, { stopping, opened });
    opened
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return;
        this.log.error(describe(error));
        this.storage.announce(name, () => `the database cannot be imported: ${describe(error)}`);
      })
      .finally(() => this.imports.delete(name));
    // The server starts meanwhile, unless the file as a whole cannot be read.
    await Promise.race([observer.started, opened]);
    return { opened };
  }

  /** Closes a database. Its import is interrupted, and goes on when it is opened again. */
  async close(name: string): Promise<void> {
    const running = this.imports.get(name);
    running?.stopping.abort(new EdgeError('storage.closed'));
    await running?.opened.catch(() => undefined);
    await this.storage.closeDatabase(name);
  }

  /** Interrupts imports; they go on at the next start. */
  async onModuleDestroy(): Promise<void> {
    const running = [...this.imports.values()];
    for (const { stopping } of running) stopping.abort(new EdgeError('storage.closed'));
    await Promise.allSettled(running.map(({ opened }) => opened));
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
        ...(config.indexes && { indexes: config.indexes }),
        onIndex: (status) => this.logIndex(name, status),
        queryLimits: config.queryLimits,
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

  private logIndex(database: string, { name, state, reason }: IndexStatus): void {
    if (state === 'ready') this.log.info(`${database}: the index ${name} is complete`);
    else this.log.error(`${database}: the index ${name} cannot be built: ${reason}`);
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

function countStates(statuses: readonly (readonly [IndexStatus, string])[]): [number, string, string][] {
  const counts = new Map<string, [number, string, string]>();
  for (const [{ state }, database] of statuses) {
    const key = `${database} ${state}`;
    const count = counts.get(key) ?? [0, database, state];
    count[0]++;
    counts.set(key, count);
  }
  return [...counts.values()];
}
