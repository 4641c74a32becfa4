import type { LogFileConfig, LogLevel } from '@edgesync/config';
import { explain } from '@edgesync/errors';
import { LineQueue, passesByItself } from './line-queue.js';
import { LogFileSeries } from './log-file-series.js';

const LEVELS: readonly LogLevel[] = ['error', 'warning', 'info', 'verbose'];

export interface LogFilesOptions {
  readonly config: LogFileConfig;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
  /** Takes a sentence on the state of the files themselves, for those who cannot read of it there. */
  readonly report: (message: string) => void;
}

interface Level {
  readonly series: LogFileSeries;
  readonly queue: LineQueue;
}

/** The operational log in files, a series of them for each level. Files that cannot be written never stop the server. */
export class LogFiles {
  private constructor(private readonly levels: Readonly<Record<LogLevel, Level>>) {}

  /**
   * Begins a new file of every level. One that a full disk does not take is begun with the first lines that find room.
   * @throws the file system's error if it will not go away by itself
   */
  static async open(options: LogFilesOptions): Promise<LogFiles> {
    const { dir, maxSize, rotateCount } = options.config;
    const entries = LEVELS.map((level): [LogLevel, Level] => {
      const series = new LogFileSeries({ dir, level, maxSize, rotateCount, now: options.now });
      return [level, { series, queue: queueOf(series, level, options) }];
    });
    for (const [level, { series }] of entries)
      await series.begin().catch((error: unknown) => {
        if (!passesByItself(error)) throw error;
        options.report(`${notWritten(level, dir)}: ${explain(error)}`);
      });
    return new LogFiles(Object.fromEntries(entries) as Record<LogLevel, Level>);
  }

  line(level: LogLevel, text: string): void {
    this.levels[level].queue.line(text);
  }

  /** Lines dropped since the process began. */
  droppedLines(): number {
    return LEVELS.reduce((sum, level) => sum + this.levels[level].queue.droppedLines, 0);
  }

  async flush(): Promise<void> {
    await Promise.all(LEVELS.map((level) => this.levels[level].queue.flush()));
  }

  flushSync(): void {
    for (const level of LEVELS) this.levels[level].queue.flushSync();
  }

  /** Writes what waits and ends the files. */
  async close(): Promise<void> {
    await this.flush();
    for (const level of LEVELS) await this.levels[level].series.end();
  }
}

function queueOf(series: LogFileSeries, level: LogLevel, { config, report }: LogFilesOptions): LineQueue {
  return new LineQueue(series, {
    dropNote: (count) => `(${count} lines were dropped here: the disk was full, away or too slow)`,
    failed: (error) => report(`${notWritten(level, config.dir)}: ${explain(error)}`),
    recovered: () => report(`the ${level} log in ${config.dir} is written again`),
  });
}

const notWritten = (level: LogLevel, dir: string): string => `the ${level} log in ${dir} cannot be written for now`;
