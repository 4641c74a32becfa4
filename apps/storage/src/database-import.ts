import type { Logger } from '@edgesync/platform';
import type { ImportObserver, ImportProgress, ImportReport } from '@edgesync/storage-sqlite';

/** Milliseconds between two lines of the log about one import. */
const LOG_INTERVAL = 5_000;

/** The import of one Couchbase Lite database, as the log and waiting clients see it. */
export class DatabaseImport implements ImportObserver {
  /** Resolves with the first documents that are stored: what is wrong with the file as a whole is known by then. */
  readonly started: Promise<void>;
  private readonly begin: () => void;
  private readonly startedAt = Date.now();
  private loggedAt = 0;
  private latest: ImportProgress | undefined;

  constructor(
    private readonly name: string,
    private readonly path: string,
    private readonly log: Logger,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.started = promise;
    this.begin = resolve;
    log.info(`importing the Couchbase Lite database at ${path} into ${name}; the original is not changed`);
  }

  /** The error that clients get meanwhile. */
  get reason(): string {
    return `the database is being imported: ${this.describe()}`;
  }

  progress(progress: ImportProgress): void {
    this.latest = progress;
    this.begin();
    const now = Date.now();
    if (now - this.loggedAt < LOG_INTERVAL) return;
    this.loggedAt = now;
    this.log.info(`importing ${this.name}: ${this.describe()}`);
  }

  done(report: ImportReport): void {
    const { documents, tombstones, expired, conflicts, lostConflicts, blobs, blobBytes, checkpoints, indexes } = report;
    this.log.info(
      `imported ${this.path} into ${this.name}: ${documents} documents, ${tombstones} tombstones, ${blobs} blobs` +
        ` (${megabytes(blobBytes)} MB), ${conflicts} losing revisions, ${checkpoints} checkpoints of apps`,
    );
    if (expired > 0) this.log.info(`${this.name}: ${expired} expired documents were left out`);
    if (lostConflicts > 0)
      this.log.warning(`${this.name}: ${lostConflicts} conflicting revisions cannot be kept and were left out`);
    for (const { collection, id, reason } of report.lostBlobs)
      this.log.warning(`${this.name}: a blob of ${collection}/${id} is lost: ${reason}`);
    if (report.lostBlobCount > report.lostBlobs.length)
      this.log.warning(`${this.name}: ${report.lostBlobCount} blobs are lost in all`);
    if (indexes.length > 0)
      this.log.info(`${this.name}: indexes are not imported; configure those you need: ${indexes.join(', ')}`);
  }

  private describe(): string {
    if (!this.latest) return 'reading the file';
    const { rows, totalRows, bytes } = this.latest;
    const seconds = (Date.now() - this.startedAt) / 1000;
    const left = rows > 0 ? Math.ceil((seconds / rows) * (totalRows - rows)) : 0;
    return `${rows} of ${totalRows} documents, ${megabytes(bytes)} MB, about ${left} s left`;
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
