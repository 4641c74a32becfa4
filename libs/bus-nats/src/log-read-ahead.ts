import { keyspaceKey, type Keyspace } from '@edgesync/document';
import type { ChangePage, ChangesOptions } from '@edgesync/ports';
import { READ_AHEAD_BYTES, READ_AHEAD_FACTOR, READ_AHEAD_MS, READ_AHEAD_TOTAL_BYTES } from './tuning.js';

/** Reads a page of the log from storage. */
type Read = (keyspace: Keyspace, options: ChangesOptions) => Promise<ChangePage>;

/** Where a reader goes on, if it does. */
interface Place {
  /** Its next request. */
  readonly request: string;
  /** Pages read beyond the one it got. */
  readonly rest: ChangePage | undefined;
  /** Size of the message that {@link rest} is part of: bodies in UTF-8 keep all of it. */
  readonly bytes: number;
  /** How many times what it asks for is read next. */
  readonly factor: number;
  /** Bytes per row, in what it read last. */
  readonly rowBytes: number;
  readonly at: number;
}

/** Bytes of a row in a message beside its body. */
const METADATA_BYTES = 200;

/**
 * A reader that takes page after page as fast as it gets them, as an app does that pulls a whole database, has several of
 * them read with one round trip. One that is slow, or reads once, gets what it asks for and nothing is kept for it: what it
 * has not seen yet may be superseded before it is. What was read for one reader is not given to another, which may have
 * begun after something was acknowledged that is not in it.
 */
export class LogReadAhead {
  private readonly places = new Map<object, Place>();
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly read: Read) {}

  /** As `ChangeLog.changes`. */
  async changes(keyspace: Keyspace, options: ChangesOptions): Promise<ChangePage> {
    const { reader, limit } = options;
    if (!reader || limit < 1 || options.ids || options.descending) return this.read(keyspace, options);
    const place = this.take(reader, requestOf(keyspace, options, options.since));
    const page = place?.rest ?? (await this.read(keyspace, { ...options, limit: limitFor(limit, place) }));
    const { first, rest } = cut(page, limit);
    if (first.more) this.keep(reader, requestOf(keyspace, options, first.scanned), place, page, rest);
    return first;
  }

  /** Nothing is kept any more. */
  close(): void {
    clearTimeout(this.timer);
    this.places.clear();
  }

  private take(reader: object, request: string): Place | undefined {
    const place = this.places.get(reader);
    if (!place) return undefined;
    this.drop(reader, place);
    return place.request === request && performance.now() - place.at <= READ_AHEAD_MS ? place : undefined;
  }

  private keep(
    reader: object,
    request: string,
    before: Place | undefined,
    page: ChangePage,
    rest: ChangePage | undefined,
  ): void {
    const old = this.places.get(reader);
    if (old) this.drop(reader, old);
    const pageBytes = before?.rest ? before.bytes : sizeOf(page);
    const bytes = rest ? pageBytes : 0;
    if (this.bytes + bytes > READ_AHEAD_TOTAL_BYTES) return;
    this.bytes += bytes;
    this.places.set(reader, {
      request,
      rest,
      bytes,
      factor: before ? Math.min(before.factor * (before.rest ? 1 : 2), READ_AHEAD_FACTOR) : 2,
      rowBytes: before?.rest ? before.rowBytes : pageBytes / Math.max(1, page.rows.length),
      at: performance.now(),
    });
    this.timer ??= setTimeout(() => this.sweep(), READ_AHEAD_MS).unref();
  }

  private sweep(): void {
    this.timer = undefined;
    const oldest = performance.now() - READ_AHEAD_MS;
    for (const [reader, place] of this.places) if (place.at <= oldest) this.drop(reader, place);
    if (this.places.size > 0) this.timer = setTimeout(() => this.sweep(), READ_AHEAD_MS).unref();
  }

  private drop(reader: object, { bytes }: Place): void {
    this.places.delete(reader);
    this.bytes -= bytes;
  }
}

function requestOf(keyspace: Keyspace, options: ChangesOptions, since: number): string {
  const { body = true, activeOnly = false, utf8 = false } = options;
  return `${since}/${body}/${activeOnly}/${utf8}/${keyspaceKey(keyspace)}`;
}

function limitFor(limit: number, place: Place | undefined): number {
  if (!place) return limit;
  return Math.max(limit, Math.min(limit * place.factor, Math.floor(READ_AHEAD_BYTES / place.rowBytes)));
}

/**
 * Pages read ahead do not say that the log ends. Their reader shares pages with others, who may have begun after
 * something was acknowledged that is not in it.
 */
function cut(page: ChangePage, limit: number): { first: ChangePage; rest: ChangePage | undefined } {
  if (page.rows.length <= limit) return { first: page, rest: undefined };
  const rows = page.rows.slice(0, limit);
  const first = { ...page, rows, scanned: rows.at(-1)!.sequence, more: true };
  return { first, rest: { ...page, rows: page.rows.slice(limit), more: true } };
}

function sizeOf({ rows }: ChangePage): number {
  let bytes = 0;
  for (const { bodySize } of rows) bytes += bodySize + METADATA_BYTES;
  return bytes;
}
