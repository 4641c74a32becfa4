import type { Counter, Family, Histogram, MetricsRegistry } from './metrics-registry.js';

const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const JOBS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

/** The commits of one database. */
export interface CommitSeries {
  readonly seconds: Histogram;
  readonly jobs: Histogram;
  readonly failed: Counter;
}

/** Disk space of a database. */
export interface DiskUsage {
  readonly databaseBytes: number;
  readonly blobBytes: number;
  readonly freeBytes: number;
  readonly backedUpAt?: number;
}

/** Commits and disks, by database. */
export class StorageMetrics {
  private readonly seconds: Family<Histogram>;
  private readonly jobs: Family<Histogram>;
  private readonly failed: Family<Counter>;

  constructor(private readonly registry: MetricsRegistry) {
    this.seconds = registry.histograms(
      'edgesync_storage_commit_duration_seconds',
      'Time of a write transaction, the wait for the disk included.',
      ['database'],
      SECONDS,
    );
    this.jobs = registry.histograms(
      'edgesync_storage_commit_batch_size',
      'Writes that one transaction made durable together.',
      ['database'],
      JOBS,
    );
    this.failed = registry.counters(
      'edgesync_storage_failed_commits_total',
      'Write transactions that were rolled back.',
      ['database'],
    );
  }

  commits(database: string): CommitSeries {
    return {
      seconds: this.seconds.with(database),
      jobs: this.jobs.with(database),
      failed: this.failed.with(database),
    };
  }

  /** @param lengths for each database, how many writes wait for a transaction */
  watchQueues(lengths: () => Iterable<readonly [length: number, database: string]>): void {
    this.registry.collected(
      'edgesync_storage_queue_length',
      'Writes that wait for a transaction.',
      'gauge',
      ['database'],
      lengths,
    );
  }

  /** @param usage what each database takes of its disk; bytes, and milliseconds since the epoch */
  watchUsage(usage: () => Iterable<readonly [DiskUsage, database: string]>): void {
    const watch = (name: string, help: string, value: (usage: DiskUsage) => number | undefined): void =>
      this.registry.collected(name, help, 'gauge', ['database'], () =>
        Array.from(usage(), ([one, database]) => [value(one), database] as const).filter(
          (sample): sample is readonly [number, string] => sample[0] !== undefined,
        ),
      );
    watch(
      'edgesync_database_bytes',
      'Size of the database file and its write-ahead log.',
      ({ databaseBytes }) => databaseBytes,
    );
    watch('edgesync_blob_bytes', 'Size of all stored blobs.', ({ blobBytes }) => blobBytes);
    watch('edgesync_disk_free_bytes', 'Room on the disk of the database.', ({ freeBytes }) => freeBytes);
    watch(
      'edgesync_backup_timestamp_seconds',
      'When the last finished backup began; absent if there is none.',
      (one) => (one.backedUpAt === undefined ? undefined : one.backedUpAt / 1_000),
    );
  }
}
