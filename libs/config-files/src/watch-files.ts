import { statSync, watch, type BigIntStats, type FSWatcher } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Files must have been quiet for this long before a change is reported, so that nobody reads a half-written one. */
const SETTLE_MS = 200;
/** How often files are looked at where the system reports nothing, as on network file systems. */
const POLL_MS = 5_000;

export interface WatchOptions {
  readonly settleMs?: number;
  /** 0: never. */
  readonly pollMs?: number;
}

export interface FileWatch {
  /** Resolves when changes will be reported soon rather than at the next slow look. */
  readonly ready: Promise<void>;
  stop(): void;
}

/**
 * Calls `onChange` whenever one of the files is another one than before: rewritten, replaced by a rename, reached
 * through a symbolic link that now points elsewhere, removed, or there again. Directories are watched rather than files,
 * because a watch on a file stays with the old one. Changes close to each other are reported once.
 */
export function watchFiles(paths: readonly string[], onChange: () => void, options: WatchOptions = {}): FileWatch {
  return new FilesWatcher(paths, onChange, options);
}

class FilesWatcher implements FileWatch {
  readonly ready: Promise<void>;
  private readonly directories = new Map<string, FSWatcher>();
  private readonly settleMs: number;
  private readonly poll: NodeJS.Timeout | undefined;
  private pending: NodeJS.Timeout | undefined;
  private looking = false;
  private lookAgain = false;
  private stopped = false;
  /** The state that was last reported, and the one that was last seen. */
  private reported: string;
  private seen: string | undefined;

  constructor(
    private readonly paths: readonly string[],
    private readonly onChange: () => void,
    { settleMs = SETTLE_MS, pollMs = POLL_MS }: WatchOptions,
  ) {
    this.settleMs = settleMs;
    // At once, so that no change from here on is missed.
    this.reported = paths.map(identifyNow).join();
    this.poll = pollMs > 0 ? setInterval(() => void this.look(), pollMs).unref() : undefined;
    this.ready = this.look();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.pending);
    clearInterval(this.poll);
    for (const watcher of this.directories.values()) watcher.close();
    this.directories.clear();
  }

  private readonly lookSoon = (): void => {
    if (this.stopped) return;
    this.pending ??= setTimeout(() => {
      this.pending = undefined;
      void this.look();
    }, this.settleMs).unref();
  };

  private async look(): Promise<void> {
    if (this.looking) {
      this.lookAgain = true;
      return;
    }
    this.looking = true;
    await this.watchDirectories();
    const now = (await Promise.all(this.paths.map(identifyFile))).join();
    this.looking = false;
    if (this.stopped) return;
    this.compare(now);
    if (this.lookAgain) this.lookSoon();
    this.lookAgain = false;
  }

  private compare(now: string): void {
    const settled = this.seen === now;
    this.seen = now;
    if (now === this.reported) return;
    if (!settled) return this.lookSoon();
    this.reported = now;
    this.onChange();
  }

  private async watchDirectories(): Promise<void> {
    const wanted = new Map<string, string>();
    for (const path of this.paths)
      for (const directory of [dirname(path), await realDirectory(path)])
        // A directory that was made again under the same name needs a new watch.
        if (directory !== undefined) wanted.set(`${directory} ${await identifyDirectory(directory)}`, directory);
    if (this.stopped) return;
    for (const [key, watcher] of this.directories)
      if (!wanted.has(key)) {
        watcher.close();
        this.directories.delete(key);
      }
    for (const [key, directory] of wanted) {
      const watcher = this.directories.get(key) ?? tryToWatch(directory, this.lookSoon);
      if (watcher) this.directories.set(key, watcher);
    }
  }
}

/** The identity of a state of a file. */
const describeFile = ({ dev, ino, size, mtimeNs }: BigIntStats): string => `${dev}:${ino}:${size}:${mtimeNs}`;

const identifyFile = (path: string): Promise<string> => identify(path, describeFile);

function identifyNow(path: string): string {
  try {
    return describeFile(statSync(path, { bigint: true }));
  } catch (error) {
    return codeOf(error);
  }
}

/** Entries of a directory come and go; it stays the same. */
const identifyDirectory = (path: string): Promise<string> => identify(path, ({ dev, ino }) => `${dev}:${ino}`);

async function identify(path: string, describe: (stats: BigIntStats) => string): Promise<string> {
  try {
    return describe(await stat(path, { bigint: true }));
  } catch (error) {
    return codeOf(error);
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

async function realDirectory(path: string): Promise<string | undefined> {
  try {
    return dirname(await realpath(path));
  } catch {
    return undefined;
  }
}

/** A directory that cannot be watched is left to the slow look. */
function tryToWatch(directory: string, onEvent: () => void): FSWatcher | undefined {
  try {
    return watch(directory, { persistent: false }, onEvent).on('error', () => {});
  } catch {
    return undefined;
  }
}
