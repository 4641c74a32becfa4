import { keyspaceKey, type Keyspace } from '@edgesync/document';
import type { ChangePage, ChangesOptions } from '@edgesync/ports';
import { READ_AHEAD_BYTES, READ_AHEAD_FACTOR, READ_AHEAD_MS, READ_AHEAD_TOTAL_BYTES } from './tuning.js';

/** Reads a page of the log from storage. */
type Read = (keyspace: Keyspace, options: ChangesOptions) => Promise<ChangePage>;

/** Where a reader goes on, if it does. */
interface Place {
  /** What was read beyond the page it got. */
  readonly rest: ChangePage | undefined;
  readonly bytes: number;
  /** How many times what it asks for is read next. */
  readonly factor: number;
  /** Bytes per row, in what it read last. */
  readonly rowBytes: number;
  readonly at: number;
}

/** What a row takes in a message beside its body. */
const METADATA_BYTES = 200;

/**
 * A reader that takes page after page as fast as it gets them, as an app does that pulls a whole database, has several of
 * them read with one round trip. One that is slow, or reads once, gets what it asks for and nothing is kept for it: what it
 * has not seen yet may be superseded before it is.
 */
export class LogReadAhead {
  private readonly places = new Map<string, Place>();
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly read: Read) {}

  /** As `ChangeLog.changes`. */
  async changes(keyspace: Keyspace, options: ChangesOptions): Promise<ChangePage> {
    if (options.ids || options.descending) return this.read(keyspace, options);
    const { body = true, activeOnly = false, utf8 = false } = options;
    const reader = `${body}/${activeOnly}/${utf8}/${keyspaceKey(keyspace)}/`;
    const place = this.take(reader + options.since);
    const page = place?.rest ?? (await this.read(keyspace, { ...options, limit: limitFor(options.limit, place) }));
    const { first, rest } = cut(page, options.limit);
    if (first.more) this.keep(reader + first.scanned, place, page, rest);
    return first;
  }

  /** Nothing is kept any more. */
  close(): void {
    clearTimeout(this.timer);
    this.places.clear();
  }

  private take(key: string): Place | undefined {
    const place = this.places.get(key);
    if (!place) return undefined;
    this.drop(key, place);
    return performance.now() - place.at <= READ_AHEAD_MS ? place : undefined;
  }

  private keep(key: string, before: Place | undefined, page: ChangePage, rest: ChangePage | undefined): void {
    const old = this.places.get(key);
    if (old) this.drop(key, old);
    const size = rest ? sizeOf(rest) : 0;
    if (this.bytes + size > READ_AHEAD_TOTAL_BYTES) return;
    this.bytes += size;
    this.places.set(key, {
      rest,
      bytes: size,
      factor: before ? Math.min(before.factor * (before.rest ? 1 : 2), READ_AHEAD_FACTOR) : 2,
      rowBytes: before?.rest ? before.rowBytes : sizeOf(page) / Math.max(1, page.rows.length),
      at: performance.now(),
    });
    this.timer ??= setTimeout(() => this.sweep(), READ_AHEAD_MS).unref();
  }

  private sweep(): void {
    this.timer = undefined;
    const oldest = performance.now() - READ_AHEAD_MS;
    for (const [key, place] of this.places) if (place.at <= oldest) this.drop(key, place);
    if (this.places.size > 0) this.timer = setTimeout(() => this.sweep(), READ_AHEAD_MS).unref();
  }

  private drop(key: string, { bytes }: Place): void {
    this.places.delete(key);
    this.bytes -= bytes;
  }
}

function limitFor(limit: number, place: Place | undefined): number {
  if (!place) return limit;
  return Math.max(limit, Math.min(limit * place.factor, Math.floor(READ_AHEAD_BYTES / place.rowBytes)));
}

function cut(page: ChangePage, limit: number): { first: ChangePage; rest: ChangePage | undefined } {
  if (page.rows.length <= limit) return { first: page, rest: undefined };
  const rows = page.rows.slice(0, limit);
  const first = { ...page, rows, scanned: rows.at(-1)!.sequence, more: true };
  return { first, rest: { ...page, rows: page.rows.slice(limit) } };
}

function sizeOf({ rows }: ChangePage): number {
  let bytes = 0;
  for (const { bodySize } of rows) bytes += bodySize + METADATA_BYTES;
  return bytes;
}
