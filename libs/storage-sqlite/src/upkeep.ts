import type { BlobFiles } from './blobs/blob-files.js';
import type { BlobTable } from './blobs/blob-table.js';
import type { DoneWrites } from './done-writes.js';
import type { DocumentReader } from './document-reader.js';
import type { GroupCommit } from './group-commit.js';
import { BLOB_GRACE_SECONDS, DONE_WRITE_SECONDS, SUPERSEDED_SECONDS, SWEEP_INTERVAL_MS, SWEEP_ROWS } from './tuning.js';
import type { WritePath } from './write-path.js';

/** The parts that upkeep works on. */
export interface UpkeepParts {
  readonly commit: GroupCommit;
  readonly writePath: WritePath;
  readonly doneWrites: DoneWrites;
  readonly reader: DocumentReader;
  readonly blobTable: BlobTable;
  readonly blobFiles: BlobFiles;
  readonly nowSeconds: () => number;
  readonly report: (error: unknown) => void;
}

/**
 * Gives space back: expired documents, superseded bodies past their time, blobs that nothing refers to. Nothing that
 * can be seen depends on it: reads leave expired documents out by themselves.
 */
export class Upkeep {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly parts: UpkeepParts) {}

  start(): void {
    this.schedule();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** One round; removes at most a bounded number of rows per transaction, so that writes get their turn. */
  async sweep(): Promise<void> {
    const { commit, writePath, doneWrites, nowSeconds } = this.parts;
    const repeat = async (job: () => number): Promise<void> => {
      while (!this.stopped && (await commit.run(SWEEP_ROWS, job)) === SWEEP_ROWS);
    };
    await repeat(() => writePath.purgeExpired(nowSeconds(), SWEEP_ROWS));
    await repeat(() => writePath.dropSuperseded(nowSeconds() - SUPERSEDED_SECONDS, SWEEP_ROWS));
    await repeat(() => doneWrites.forget(nowSeconds() - DONE_WRITE_SECONDS, SWEEP_ROWS));
    await this.collectBlobs();
  }

  private async collectBlobs(): Promise<void> {
    const { commit, blobTable, blobFiles, nowSeconds } = this.parts;
    for (;;) {
      const digests = await commit.run(SWEEP_ROWS, () => {
        const orphans = blobTable.orphansBefore(nowSeconds() - BLOB_GRACE_SECONDS, SWEEP_ROWS);
        for (const digest of orphans) blobTable.forget(digest);
        return orphans;
      });
      // The rows are gone for good before the files are: a crash in between leaves files, which the next start removes.
      for (const digest of digests) if (!blobTable.find(digest)) blobFiles.remove(digest);
      if (this.stopped || digests.length < SWEEP_ROWS) return;
    }
  }

  private schedule(): void {
    if (this.stopped) return;
    const next = this.parts.reader.nextExpiry();
    const untilNext = next === undefined ? SWEEP_INTERVAL_MS : (next - this.parts.nowSeconds()) * 1_000;
    const delay = Math.min(Math.max(untilNext, 1_000), SWEEP_INTERVAL_MS);
    this.timer = setTimeout(() => void this.run(), delay);
    this.timer.unref();
  }

  private async run(): Promise<void> {
    try {
      await this.sweep();
    } catch (error) {
      if (!this.stopped) this.parts.report(error);
    }
    if (!this.stopped) this.schedule();
  }
}
