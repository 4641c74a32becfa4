import { inspect } from 'node:util';
import type { LoggingConfig, LogLevel } from '@edgesync/config';
import { explain, isEdgeError } from '@edgesync/errors';
import type { LogOutput } from './line-queue.js';
import type { LogFiles } from './log-files.js';
import { redact } from './redact.js';
import { formatTimestamp } from './timestamp.js';

const RANK: Record<LogLevel, number> = { error: 0, warning: 1, info: 2, verbose: 3 };
const WORD: Record<LogLevel, string> = { error: 'ERROR', warning: 'WARNING', info: 'Info', verbose: 'Verbose' };
const COLOUR: Record<LogLevel, string> = { error: '\u001b[31m', warning: '\u001b[33m', info: '', verbose: '\u001b[2m' };
const COLOUR_END = '\u001b[0m';

/** Levels of domains that the configuration does not name (docs/protocol/edge-server.md#operational-log). */
const DEFAULT_LEVEL: LogLevel = 'warning';
const DEFAULT_LEVELS: Readonly<Record<string, LogLevel>> = { REST: 'info' };

/**
 * The domains of our own messages (docs/protocol/edge-server.md#operational-log); a configuration may name others too.
 */
export type LogDomain = 'Default' | 'REST' | 'Listener' | 'DB' | 'Query' | 'Sync';

export interface LoggersOptions {
  readonly config: LoggingConfig;
  /** Takes the lines of the console. */
  readonly output: LogOutput;
  readonly files?: LogFiles;
  /** Wall-clock milliseconds, with a fraction. */
  readonly now: () => number;
  /** Lifts every domain to `info` at least. */
  readonly verbose?: boolean;
  readonly color?: boolean;
}

/** Makes the loggers of all domains; the operational log of the process. */
export class Loggers {
  private readonly loggers = new Map<string, Logger>();

  constructor(private readonly options: LoggersOptions) {}

  domain(name: LogDomain): Logger {
    let logger = this.loggers.get(name);
    if (!logger) this.loggers.set(name, (logger = new Logger(name, this.levelOf(name), this.options)));
    return logger;
  }

  /** Resolves when everything logged so far is written. */
  async flush(): Promise<void> {
    await Promise.all([this.options.output.flush(), this.options.files?.flush()]);
  }

  flushSync(): void {
    this.options.output.flushSync();
    this.options.files?.flushSync();
  }

  /** Lines of the log files dropped since the process began. */
  droppedLines(): number {
    return this.options.files?.droppedLines() ?? 0;
  }

  /** Writes what waits and ends the files: nothing is to be logged after this. */
  async close(): Promise<void> {
    await this.options.files?.close();
    await this.options.output.flush();
  }

  private levelOf(domain: string): LogLevel | undefined {
    const { config, verbose, files } = this.options;
    if (!config.console && !files) return undefined;
    const level = config.domains.get(domain) ?? DEFAULT_LEVELS[domain] ?? DEFAULT_LEVEL;
    return verbose && RANK[level] < RANK.info ? 'info' : level;
  }
}

/** One request as the REST log shows it. */
export interface RequestRecord {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Absent: an anonymous user, or one whose credentials were refused. */
  readonly user?: string | undefined;
  readonly method: string;
  /** Path and query as received. */
  readonly url: string;
  readonly status: number;
  readonly reason: string;
  readonly elapsedMilliseconds: number;
}

/**
 * The log of one domain. Lines are `2026-08-01T12:34:56.123456Z DB WARNING message`. Messages are put on one line, and
 * credentials in them are hidden; bodies and passwords are not for logs in the first place.
 */
export class Logger {
  private readonly rank: number;

  constructor(
    private readonly name: string,
    level: LogLevel | undefined,
    private readonly options: LoggersOptions,
  ) {
    this.rank = level === undefined ? -1 : RANK[level];
  }

  /** Whether messages of the level are written: check before building costly messages. */
  enabled(level: LogLevel): boolean {
    return RANK[level] <= this.rank;
  }

  /** The server cannot do what it should. `cause` adds the error's own words. */
  error(message: string, cause?: unknown): void {
    if (this.enabled('error')) this.write('error', redact(withCause(message, cause)));
  }

  /** Something an operator should look at. `cause` adds the error's own words. */
  warning(message: string, cause?: unknown): void {
    if (this.enabled('warning')) this.write('warning', redact(withCause(message, cause)));
  }

  info(message: string): void {
    if (this.enabled('info')) this.write('info', redact(message));
  }

  verbose(message: string): void {
    if (this.enabled('verbose')) this.write('verbose', redact(message));
  }

  /** The line of a finished request, at `info` (docs/protocol/edge-server.md#operational-log). */
  request(record: RequestRecord): void {
    if (!this.enabled('info')) return;
    const { remoteAddress, remotePort, user, method, url, status, reason, elapsedMilliseconds } = record;
    const peer = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress;
    const who = user === undefined ? '' : ` (${user})`;
    const elapsed = elapsedMilliseconds.toFixed(2);
    this.write('info', redact(`${peer}:${remotePort}${who} ${method} ${url} -> ${status} ${reason} (${elapsed} ms)`));
  }

  private write(level: LogLevel, message: string): void {
    const line = `${formatTimestamp(this.options.now())} ${this.name} ${WORD[level]} ${message}`;
    const { config, output, files, color } = this.options;
    if (config.console) output.line(color && COLOUR[level] ? `${COLOUR[level]}${line}${COLOUR_END}` : line);
    files?.line(level, line);
  }
}

function withCause(message: string, cause: unknown): string {
  if (cause === undefined) return message;
  return `${message}: ${describe(cause)}`;
}

/** Whether the error is one of the catalogue that happens to sound servers, or the operating system's: nothing in the code needs a look. */
const isForeseen = (error: unknown): boolean =>
  isEdgeError(error) ? error.isExpected : error instanceof Error && 'syscall' in error;

/** An unexpected error with its stack and what caused it, an expected one in words. */
function describe(cause: unknown): string {
  if (isForeseen(cause)) return explain(cause);
  if (!(cause instanceof Error)) return typeof cause === 'string' ? cause : inspect(cause, { breakLength: Infinity });
  const words = cause.stack ?? cause.message;
  return cause.cause === undefined ? words : `${words}\nCaused by: ${explain(cause.cause)}`;
}
