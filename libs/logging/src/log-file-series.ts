import { writeSync } from 'node:fs';
import { open, readdir, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogLevel } from '@edgesync/config';
import { toBytes, type LineSink } from './line-queue.js';

export interface LogFileSeriesOptions {
  readonly dir: string;
  readonly level: LogLevel;
  /** Bytes. */
  readonly maxSize: number;
  /** Older files kept beside the one being written. */
  readonly rotateCount: number;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
}

/** Ranks in the header line; 0 is the engine's `debug`, which has no file here. */
const RANK: Readonly<Record<LogLevel, number>> = { verbose: 1, info: 2, warning: 3, error: 4 };

/** The last line of a file that was ended in order. */
const CLOSING_LINE = '---- END ----';
const CLOSING_BYTES = CLOSING_LINE.length + 1;

interface OpenFile {
  readonly handle: FileHandle;
  /** Where the next bytes go. */
  position: number;
  /** Whether it holds a line beside the header. */
  used: boolean;
}

/**
 * The log files of one level, `cbl_<level>_<epoch milliseconds>.cbllog`, of which the last is written
 * (docs/protocol/edge-server.md#operational-log). A file begins with a header, ends with a closing line, and stays
 * within `maxSize` unless one line alone is longer. A line is never split over two files, and an existing file is never
 * written to.
 */
export class LogFileSeries implements LineSink {
  private file: OpenFile | undefined;
  private serial = 0;
  private lastStamp = 0;

  constructor(private readonly options: LogFileSeriesOptions) {}

  /**
   * Begins a file, and deletes the oldest that are too many.
   * @throws the file system's error
   */
  async begin(): Promise<void> {
    try {
      this.file = await this.create();
    } catch (error) {
      // A full disk may have room for the next attempt after this.
      await this.prune(this.options.rotateCount);
      throw error;
    }
    await this.prune(this.options.rotateCount + 1);
  }

  async write(lines: readonly string[]): Promise<number> {
    if (!this.file) await this.begin();
    let count = this.fitting(lines);
    if (count === 0 && this.file!.used) {
      await this.end();
      await this.begin();
      count = this.fitting(lines);
    }
    // A line that no file has room for gets one to itself.
    count = Math.max(count, 1);
    const file = this.file!;
    const bytes = toBytes(lines.slice(0, count));
    await writeAt(file.handle, bytes, file.position);
    file.position += bytes.length;
    file.used = true;
    return count;
  }

  /** Writes where a write under way writes too, which gives the same bytes: nothing is doubled. */
  writeSync(begun: readonly string[], further: readonly string[]): void {
    if (!this.file) return;
    const bytes = toBytes([...begun, ...further]);
    writeSync(this.file.handle.fd, bytes, 0, bytes.length, this.file.position);
    this.file.position += bytes.length;
  }

  /** Ends the file with its closing line. */
  async end(): Promise<void> {
    const file = this.file;
    if (!file) return;
    this.file = undefined;
    // Without the closing line a file reads like one whose process was killed.
    await writeAt(file.handle, toBytes([CLOSING_LINE]), file.position).catch(() => {});
    await file.handle.close().catch(() => {});
  }

  /** How many of the lines the file has room for. */
  private fitting(lines: readonly string[]): number {
    let room = this.options.maxSize - this.file!.position - CLOSING_BYTES;
    let count = 0;
    while (count < lines.length && (room -= Buffer.byteLength(lines[count]!) + 1) >= 0) count++;
    return count;
  }

  private async create(): Promise<OpenFile> {
    const { path, handle } = await this.openNew();
    try {
      const header = toBytes([this.headerLine()]);
      await writeAt(handle, header, 0);
      return { handle, position: header.length, used: false };
    } catch (error) {
      await handle.close();
      await unlink(path).catch(() => {});
      throw error;
    }
  }

  private async openNew(): Promise<{ path: string; handle: FileHandle }> {
    for (;;) {
      this.lastStamp = Math.max(Math.floor(this.options.now()), this.lastStamp + 1);
      const path = join(this.options.dir, `cbl_${this.options.level}_${this.lastStamp}.cbllog`);
      try {
        return { path, handle: await open(path, 'wx', 0o640) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  }

  private headerLine(): string {
    const { dir, level, maxSize, rotateCount } = this.options;
    const facts = [
      `serialNo=${++this.serial}`,
      `logDirectory=${dir}`,
      `fileLogLevel=${RANK[level]}`,
      `fileMaxSize=${maxSize}`,
      `fileMaxCount=${rotateCount + 1}`,
    ];
    return `---- ${facts.join(',')} ----`;
  }

  /** Deletes all but the newest `keep` files. What cannot be deleted is left for the next time. */
  private async prune(keep: number): Promise<void> {
    const { dir, level } = this.options;
    const pattern = new RegExp(`^cbl_${level}_(\\d{1,16})\\.cbllog$`);
    const names = await readdir(dir).catch(() => []);
    const old = names
      .map((name) => ({ name, stamp: Number(pattern.exec(name)?.[1] ?? NaN) }))
      .filter(({ stamp }) => !Number.isNaN(stamp))
      .sort((a, b) => b.stamp - a.stamp)
      .slice(keep);
    for (const { name } of old) await unlink(join(dir, name)).catch(() => {});
  }
}

async function writeAt(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length)
    done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}
