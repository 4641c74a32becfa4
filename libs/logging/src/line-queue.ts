/** Where finished lines go. */
export interface LogOutput {
  /** Takes a line without its line end. Never blocks and never fails. */
  line(text: string): void;
  /** Resolves when everything taken so far is written, or cannot be written for now. */
  flush(): Promise<void>;
  /** Writes what is left, blocking: for the last moments of a process. */
  flushSync(): void;
}

/** Writes lines to one place, in order. */
export interface LineSink {
  /**
   * Writes a batch, or the beginning of it, and resolves to the number of lines that are done with.
   * @throws if nothing more can be written for now: the same lines come again later
   */
  write(lines: readonly string[]): Promise<number>;
  /**
   * Writes, blocking, what is left of a batch that was begun, and further lines. May throw.
   * @param begun the lines of the last call of {@link write} that are not done with
   */
  writeSync(begun: readonly string[], further: readonly string[]): void;
}

export interface LineQueueOptions {
  /** The line that stands where lines had to be dropped. */
  readonly dropNote: (count: number) => string;
  /** Called when writing begins to fail, once until it succeeds again. */
  readonly failed?: (error: unknown) => void;
  /** Called when writing succeeds again. */
  readonly recovered?: () => void;
}

/** Whether a file that cannot be written now may be written later, with nobody changing the configuration. */
export function passesByItself(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(code);
}

/** Characters that may wait while writing is slow or fails; as many again may be in the batch being written. */
const MAX_WAITING = 1_048_576;
const RETRY_AFTER_MS = 1_000;

/**
 * Collects lines in memory and writes them through the thread pool, many at a time, one write under way. Callers
 * never wait. What cannot be written is tried again every second; if too much waits, lines are dropped and counted.
 */
export class LineQueue implements LogOutput {
  private waiting: string[] = [];
  private size = 0;
  private dropped = 0;
  private allDropped = 0;
  /** Lines handed to the sink and not yet done with. */
  private batch: readonly string[] = [];
  /** Resolves when the batch is done with, or cannot be written for now; the other one, the same for what waits. */
  private batchWritten: PromiseWithResolvers<void> | undefined;
  private waitingWritten: PromiseWithResolvers<void> | undefined;
  private writing: Promise<void> | undefined;
  /** Begins to write what is being gathered. */
  private begin: () => void = () => {};
  private retry: NodeJS.Timeout | undefined;
  private failing = false;

  constructor(
    private readonly sink: LineSink,
    private readonly options: LineQueueOptions,
  ) {}

  /** Lines dropped since the process began. */
  get droppedLines(): number {
    return this.allDropped;
  }

  line(text: string): void {
    if (this.size + text.length > MAX_WAITING) {
      this.dropped++;
      this.allDropped++;
      return;
    }
    this.waiting.push(text);
    this.size += text.length + 1;
    if (!this.writing && !this.retry) this.writing = this.gather();
  }

  /**
   * Resolves when every line taken so far is written, or cannot be written for now; undefined if that is so already.
   * Lines that come later are not waited for.
   * @param gathered what else goes into the same write: the lines of this turn of the event loop, or those of the callback
   * that is running, promises included
   */
  written(gathered: 'turn' | 'callback' = 'turn'): Promise<void> | undefined {
    if (!this.writing) return undefined;
    if (gathered === 'callback') process.nextTick(this.begin);
    if (this.waiting.length > 0) return (this.waitingWritten ??= Promise.withResolvers()).promise;
    if (this.batch.length > 0) return (this.batchWritten ??= Promise.withResolvers()).promise;
    return undefined;
  }

  async flush(): Promise<void> {
    if (this.retry) {
      clearTimeout(this.retry);
      this.resume();
    }
    while (this.writing) await this.writing;
  }

  flushSync(): void {
    try {
      this.sink.writeSync(this.batch, this.take());
      this.batch = [];
      this.batchWritten = release(this.batchWritten);
    } catch {
      // No one is left to notify.
    }
  }

  /** All that is logged in this turn of the event loop goes out in one write, unless somebody cannot wait. */
  private async gather(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.begin = resolve;
      setImmediate(resolve);
    });
    await this.drain();
  }

  private async drain(): Promise<void> {
    while (this.batch.length > 0 || this.waiting.length > 0 || this.dropped > 0) {
      if (this.batch.length === 0) this.batch = this.take();
      try {
        this.batch = this.batch.slice(await this.sink.write(this.batch));
        if (this.batch.length === 0) this.batchWritten = release(this.batchWritten);
        this.noteSuccess();
      } catch (error) {
        this.noteFailure(error);
        break;
      }
    }
    this.writing = undefined;
  }

  private noteSuccess(): void {
    if (!this.failing) return;
    this.failing = false;
    this.options.recovered?.();
  }

  private noteFailure(error: unknown): void {
    this.retry = setTimeout(() => this.resume(), RETRY_AFTER_MS);
    this.retry.unref();
    this.batchWritten = release(this.batchWritten);
    this.waitingWritten = release(this.waitingWritten);
    if (this.failing) return;
    this.failing = true;
    this.options.failed?.(error);
  }

  private resume(): void {
    this.retry = undefined;
    this.writing ??= this.drain();
  }

  private take(): string[] {
    const lines = this.waiting;
    if (this.dropped > 0) lines.push(this.options.dropNote(this.dropped));
    this.waiting = [];
    this.size = 0;
    this.dropped = 0;
    this.batchWritten = this.waitingWritten;
    this.waitingWritten = undefined;
    return lines;
  }
}

function release(waiting: PromiseWithResolvers<void> | undefined): undefined {
  waiting?.resolve();
}

/** Lines as they stand in a file. */
export function toBytes(lines: readonly string[]): Buffer {
  return Buffer.from(lines.length === 0 ? '' : `${lines.join('\n')}\n`);
}
