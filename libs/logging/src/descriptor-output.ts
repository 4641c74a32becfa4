import { write, writeSync } from 'node:fs';
import { LineQueue, toBytes, type LineSink } from './line-queue.js';

const RETRY_AFTER_MS = 20;

type WriteFile = (
  fd: number,
  data: Buffer,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

/**
 * Writes lines to a file descriptor such as standard error. `process.stderr` would block the process while
 * the reader of the log is busy.
 */
export class DescriptorOutput extends LineQueue {
  constructor(fd: number, writeFile: WriteFile = write) {
    super(new DescriptorSink(fd, writeFile), {
      dropNote: (count) => `(${count} lines were dropped here: the log is read too slowly)`,
    });
  }
}

class DescriptorSink implements LineSink {
  /** The part of the write under way that is not yet written. */
  private unwritten: Buffer = Buffer.alloc(0);

  constructor(
    private readonly fd: number,
    private readonly writeFile: WriteFile,
  ) {}

  async write(lines: readonly string[]): Promise<number> {
    this.unwritten = toBytes(lines);
    while (this.unwritten.length > 0) this.unwritten = this.unwritten.subarray(await this.writeSome(this.unwritten));
    return lines.length;
  }

  writeSync(_begun: readonly string[], further: readonly string[]): void {
    writeSync(this.fd, Buffer.concat([this.unwritten, toBytes(further)]));
  }

  /** Resolves to the number of bytes that need no further care: all of them once nobody reads any more. */
  private writeSome(data: Buffer): Promise<number> {
    return new Promise((resolve) =>
      this.writeFile(this.fd, data, (error, written) => {
        if (!error) resolve(written);
        else if (error.code === 'EAGAIN') setTimeout(() => resolve(0), RETRY_AFTER_MS);
        else resolve(data.length);
      }),
    );
  }
}
