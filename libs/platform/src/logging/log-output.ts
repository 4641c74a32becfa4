import { write, writeSync } from 'node:fs';

/** Where finished lines go. */
export interface LogOutput {
  /** Takes a line without its line end. Never blocks and never fails. */
  line(text: string): void;
  /** Resolves when everything taken so far is written. */
  flush(): Promise<void>;
  /** Writes what is left, blocking: for the last moments of a process. */
  flushSync(): void;
}

/** Characters that may wait while the reader of the log is slow. */
const MAX_WAITING = 1_048_576;
const RETRY_AFTER = 20;

type WriteFile = (
  fd: number,
  data: Buffer,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

/**
 * Writes lines to a file descriptor through the thread pool: many lines at a time, one write under way. `process.stderr`
 * would block the process while whoever reads the log is busy. If too much waits, lines are dropped and their number told.
 */
export class DescriptorOutput implements LogOutput {
  private lines: string[] = [];
  private size = 0;
  private dropped = 0;
  private writing: Promise<void> | undefined;
  /** The part of the write under way that is not yet written. */
  private unwritten: Buffer = Buffer.alloc(0);

  constructor(
    private readonly fd: number,
    private readonly writeFile: WriteFile = write,
  ) {}

  line(text: string): void {
    if (this.size + text.length > MAX_WAITING) {
      this.dropped++;
      return;
    }
    this.lines.push(text);
    this.size += text.length + 1;
    // Whatever is logged in this turn of the event loop goes out in one write.
    this.writing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.drain());
  }

  async flush(): Promise<void> {
    while (this.writing) await this.writing;
  }

  flushSync(): void {
    try {
      writeSync(this.fd, Buffer.concat([this.unwritten, this.take()]));
    } catch {
      // Nobody is left to tell.
    }
  }

  private async drain(): Promise<void> {
    while (this.lines.length > 0 || this.dropped > 0) {
      this.unwritten = this.take();
      while (this.unwritten.length > 0) this.unwritten = this.unwritten.subarray(await this.writeSome(this.unwritten));
    }
    this.writing = undefined;
  }

  private take(): Buffer {
    if (this.dropped > 0) this.lines.push(`(${this.dropped} lines were dropped here: the log is read too slowly)`);
    const text = this.lines.length === 0 ? '' : `${this.lines.join('\n')}\n`;
    this.lines = [];
    this.size = 0;
    this.dropped = 0;
    return Buffer.from(text);
  }

  /** Resolves to the number of bytes that need no further care. */
  private writeSome(data: Buffer): Promise<number> {
    return new Promise((resolve) =>
      this.writeFile(this.fd, data, (error, written) => {
        if (!error) resolve(written);
        else if (error.code === 'EAGAIN') setTimeout(() => resolve(0), RETRY_AFTER);
        else resolve(data.length);
      }),
    );
  }
}
