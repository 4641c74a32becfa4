/** One result of a live query. */
export interface LiveSnapshot {
  /** The same for equal results: clients name it when they come back. */
  readonly id: string;
  /** A JSON array. */
  readonly text: string;
}

export interface LiveFollower {
  /** Whether it has taken the last result; the statement waits for one that has. */
  readonly ready: boolean;
  /** There is a result that differs from the one before. */
  changed(): void;
  failed(error: unknown): void;
}

export interface LiveResultOptions {
  /** Runs the statement. */
  readonly run: (signal: AbortSignal) => Promise<LiveSnapshot>;
  /** Calls back whenever the result may have changed, until the returned function is called. */
  readonly watch: (onChange: () => void) => () => void;
  /** Least milliseconds between the beginnings of two runs. */
  readonly interval: number;
  /** Milliseconds until the next attempt after so many failures; undefined if the error is final. */
  readonly retryAfter: (error: unknown, failures: number) => number | undefined;
  readonly now: () => number;
  /** Called when nobody uses it any more, or the statement has failed for good. */
  readonly onEnd: () => void;
}

/**
 * The result of one statement, kept up to date for those who follow it. It runs again when its collections changed, not
 * more often than the interval says, one run at a time, and only while some follower can take the result.
 */
export class LiveResult {
  latest: LiveSnapshot | undefined;
  private readonly followers = new Set<LiveFollower>();
  private readonly stop = new AbortController();
  private readonly unwatch: () => void;
  private readonly first: Promise<void>;
  private isStale = false;
  private isRunning = true;
  private failures = 0;
  private users = 0;
  private lastRun: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: LiveResultOptions) {
    // Changes from now on are seen: the first run reads a later state.
    this.unwatch = options.watch(() => this.invalidate());
    this.lastRun = options.now();
    this.first = this.begin();
    this.first.catch(() => {});
  }

  /** Keeps the statement until the returned function is called; without users it ends. */
  acquire(): () => void {
    this.users++;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      if (--this.users === 0) this.end();
    };
  }

  /** Resolves when there is a result. @throws what the first run throws, or the reason of the signal */
  ready(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      this.first.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  /** For users. @returns stops following */
  follow(follower: LiveFollower): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }

  /** A follower has become ready. */
  resume(): void {
    if (this.isStale) this.schedule();
  }

  private async begin(): Promise<void> {
    try {
      this.latest = await this.options.run(this.stop.signal);
    } catch (error) {
      this.end();
      throw error;
    }
    this.isRunning = false;
    if (this.isStale) this.schedule();
  }

  private invalidate(): void {
    this.isStale = true;
    this.schedule();
  }

  private schedule(delay = this.lastRun + this.options.interval - this.options.now()): void {
    if (this.isRunning || this.timer || this.stop.signal.aborted) return;
    if (![...this.followers].some(({ ready }) => ready)) return;
    this.timer = setTimeout(() => void this.runAgain(), Math.max(0, delay)).unref();
  }

  private async runAgain(): Promise<void> {
    this.timer = undefined;
    this.isRunning = true;
    this.isStale = false;
    this.lastRun = this.options.now();
    let delay: number | undefined;
    try {
      const next = await this.options.run(this.stop.signal);
      this.failures = 0;
      const isNew = next.id !== this.latest!.id;
      this.latest = next;
      if (isNew) for (const follower of [...this.followers]) follower.changed();
    } catch (error) {
      if (this.stop.signal.aborted) return;
      delay = this.options.retryAfter(error, ++this.failures);
      if (delay === undefined) return this.fail(error);
      this.isStale = true;
    } finally {
      this.isRunning = false;
    }
    if (this.isStale) this.schedule(delay);
  }

  private fail(error: unknown): void {
    const followers = [...this.followers];
    this.end();
    for (const follower of followers) follower.failed(error);
  }

  private end(): void {
    if (this.stop.signal.aborted) return;
    this.stop.abort();
    clearTimeout(this.timer);
    this.unwatch();
    this.followers.clear();
    this.options.onEnd();
  }
}
