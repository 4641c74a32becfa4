import { writeSync } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { toBytes, type LineSink } from '@edgesync/logging';

/** Writes are made to last by the disk this long after the first of them. */
const SYNC_AFTER_MS = 1_000;
/** Whether the file is still where it was is looked up this often, when there is something to write. */
const LOOK_EVERY_MS = 1_000;

/**
 * The audit file: only ever appended to. Events of one turn of the event loop are one write; at most a second later they
 * are synced to the disk. If the file is moved away or deleted, as by `logrotate`, a new one is begun within a second.
 *
 * Replies wait for the write, so it does not go through the thread pool: handing some hundred bytes to the page cache
 * takes microseconds, the way there and back several times as long. Pipes and devices may block, and do go there.
 */
export class AuditFile implements LineSink {
  private handle: FileHandle | undefined;
  private isRegular = false;
  /** The rest of the batch that was begun. */
  private unwritten: Buffer | undefined;
  private syncTimer: NodeJS.Timeout | undefined;
  private lastLook = -Infinity;

  constructor(
    private readonly path: string,
    /** Called when the disk refuses to sync. */
    private readonly failed: (error: unknown) => void,
    /** Milliseconds of a steady clock. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @throws the file system's error */
  async begin(): Promise<void> {
    this.handle = await open(this.path, 'a', 0o640);
    this.isRegular = (await this.handle.stat()).isFile();
  }

  async write(lines: readonly string[]): Promise<number> {
    if (!this.unwritten) {
      await this.followRotation();
      this.unwritten = toBytes(lines);
    }
    if (!this.handle) await this.begin();
    const { handle, isRegular } = this;
    while (this.unwritten.length > 0) {
      const count = isRegular
        ? writeSync(handle!.fd, this.unwritten)
        : (await handle!.write(this.unwritten)).bytesWritten;
      this.unwritten = this.unwritten.subarray(count);
    }
    this.unwritten = undefined;
    this.syncSoon();
    return lines.length;
  }

  writeSync(begun: readonly string[], further: readonly string[]): void {
    if (this.handle) writeSync(this.handle.fd, Buffer.concat([this.unwritten ?? toBytes(begun), toBytes(further)]));
  }

  /** Syncs and closes the file. */
  async end(): Promise<void> {
    clearTimeout(this.syncTimer);
    await this.sync();
    await this.handle?.close();
    this.handle = undefined;
  }

  private async followRotation(): Promise<void> {
    if (!this.handle || this.now() - this.lastLook < LOOK_EVERY_MS) return;
    this.lastLook = this.now();
    const [there, here] = await Promise.all([stat(this.path).catch(() => undefined), this.handle.stat()]);
    if (there?.ino === here.ino && there.dev === here.dev) return;
    const old = this.handle;
    // Whatever comes next, nothing more is written to a file that nobody finds.
    this.handle = undefined;
    await old.close();
    await this.begin();
  }

  private syncSoon(): void {
    if (this.syncTimer) return;
    this.syncTimer = setTimeout(() => {
      this.syncTimer = undefined;
      void this.sync();
    }, SYNC_AFTER_MS);
    this.syncTimer.unref();
  }

  private async sync(): Promise<void> {
    try {
      await this.handle?.datasync();
    } catch (error) {
      // A pipe or a device, such as /dev/stdout, has nothing to sync.
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') this.failed(error);
    }
  }
}
