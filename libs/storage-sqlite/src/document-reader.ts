import type Database from 'better-sqlite3';
import type {
  ChangePage,
  ChangesOptions,
  DocumentRevision,
  ListOptions,
  ListPage,
  StoredRevision,
} from '@edgesync/ports';
import type { Collection } from './collections.js';
import type { DocumentCache } from './document-cache.js';
import {
  changesSql,
  changeSql,
  COUNT_EXPIRED,
  KEPT_REVISION,
  listSql,
  NEXT_EXPIRY,
  PLACE_BY_ID,
  readSql,
} from './read-statements.js';
import {
  FLAG_DELETED,
  isExpired,
  toChange,
  toRevision,
  type DocumentRow,
  type LogRow,
  type SelectedRow,
} from './rows.js';
import { PAGE_CHARACTERS, PAGE_SCANNED } from './tuning.js';

/** Reads documents and the change log. Every method answers from one committed state and never waits. */
export class DocumentReader {
  private readonly statements = new Map<string, Database.Statement>();

  constructor(
    private readonly handle: Database.Database,
    private readonly cache: DocumentCache,
    private readonly nowSeconds: () => number,
  ) {}

  read(collection: Collection, ids: readonly string[], body: boolean): (StoredRevision | undefined)[] {
    const now = this.nowSeconds();
    // Long lists are read once: they would push out what is read often.
    if (ids.length === 1 && body) return [this.readOne(collection, ids[0]!, now)];
    const statement = this.prepare(readSql(body));
    return ids.map((id) => {
      const row = statement.get(collection.id, id) as SelectedRow | undefined;
      return row && !isExpired(row, now) ? toRevision(row) : undefined;
    });
  }

  private readOne(collection: Collection, id: string, now: number): DocumentRevision | undefined {
    let row = this.cache.find(collection.id, id);
    if (!row) {
      row = this.prepare(readSql(true)).get(collection.id, id) as DocumentRow | undefined;
      if (!row) return undefined;
      this.cache.keep(collection.id, row);
    }
    return isExpired(row, now) ? undefined : toRevision(row);
  }

  readRevision(collection: Collection, id: string, rev: string): DocumentRevision | undefined {
    const row = this.prepare(readSql(true)).get(collection.id, id) as DocumentRow | undefined;
    if (!row || rev === '' || isExpired(row, this.nowSeconds())) return undefined;
    if (row.rev === rev || isCurrentVersion(row.vector, rev)) return toRevision(row);
    const other = this.prepare(KEPT_REVISION).get(row.row, rev, rev) as
      { rev: string; deleted: number; body: string } | undefined;
    return other && { ...toRevision(row), rev: other.rev, deleted: other.deleted !== 0, body: other.body };
  }

  list(collection: Collection, options: ListOptions): ListPage {
    const { startKey, endKey, after, skip = 0, limit, descending = false, body = true } = options;
    const [upper, lower] = descending ? [startKey, endKey] : [endKey, startKey];
    const statement = this.prepare(
      listSql({
        body,
        descending,
        lower: lower !== undefined,
        upper: upper !== undefined,
        after: after !== undefined,
      }),
    );
    const parameters = { collection: collection.id, now: this.nowSeconds(), skip, lower, upper, after };
    const rows: StoredRevision[] = [];
    let characters = 0;
    // Leaving the loop early closes the statement.
    for (const row of statement.iterate(parameters) as IterableIterator<SelectedRow>) {
      if (rows.length >= limit || characters >= PAGE_CHARACTERS) return { rows, more: true };
      rows.push(toRevision(row));
      characters += sizeOf(row);
    }
    return { rows, more: false };
  }

  changes(collection: Collection, options: ChangesOptions): ChangePage {
    return options.ids ? this.changesOf(collection, options, options.ids) : this.scanChanges(collection, options);
  }

  /** Deadline of the document that expires next, in Unix seconds. */
  nextExpiry(): number | undefined {
    return (this.prepare(NEXT_EXPIRY).get() as { next: number | null }).next ?? undefined;
  }

  /** Live documents that have expired and were not swept yet. */
  countExpired(collection: Collection): number {
    return (this.prepare(COUNT_EXPIRED).get(this.nowSeconds(), collection.id) as { expired: number }).expired;
  }

  private scanChanges(collection: Collection, options: ChangesOptions): ChangePage {
    const { since, limit, descending = false, activeOnly = false, body = true } = options;
    const { lastSequence } = collection;
    const statement = this.prepare(changesSql({ body, descending }));
    const now = this.nowSeconds();
    const rows = [];
    let scanned = since;
    let characters = 0;
    let looked = 0;
    for (const row of statement.iterate(collection.id, since) as IterableIterator<LogRow>) {
      if (rows.length >= limit || characters >= PAGE_CHARACTERS || looked >= PAGE_SCANNED)
        return { rows, scanned, more: true, lastSequence };
      scanned = row.sequence;
      looked++;
      if (!isListed(row, now, activeOnly)) continue;
      rows.push(toChange(row));
      characters += sizeOf(row);
    }
    return { rows, scanned, more: false, lastSequence };
  }

  /** The documents are looked up twice, so that of those that do not fit the page no body is in memory. */
  private changesOf(collection: Collection, options: ChangesOptions, ids: readonly string[]): ChangePage {
    const { since, limit, descending = false, activeOnly = false, body = true } = options;
    const { lastSequence } = collection;
    const find = this.prepare(PLACE_BY_ID);
    const now = this.nowSeconds();
    const found: Pick<LogRow, 'id' | 'sequence' | 'flags' | 'expires_at'>[] = [];
    for (const id of new Set(ids)) {
      const row = find.get(collection.id, id) as (typeof found)[number] | undefined;
      if (!row || !isListed(row, now, activeOnly)) continue;
      if (descending ? row.sequence < since : row.sequence > since) found.push(row);
    }
    found.sort((a, b) => (descending ? b.sequence - a.sequence : a.sequence - b.sequence));
    const load = this.prepare(changeSql(body));
    const rows = [];
    let characters = 0;
    for (const { id } of found) {
      if (rows.length >= limit || characters >= PAGE_CHARACTERS)
        return { rows, scanned: rows.at(-1)?.sequence ?? since, more: true, lastSequence };
      const row = load.get(collection.id, id) as LogRow;
      rows.push(toChange(row));
      characters += sizeOf(row);
    }
    const end = descending ? Math.min(since, 1) : Math.max(since, lastSequence);
    return { rows, scanned: end, more: false, lastSequence };
  }

  private prepare(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.handle.prepare(sql)));
    return statement;
  }
}

function isListed(row: Pick<DocumentRow, 'flags' | 'expires_at'>, nowSeconds: number, activeOnly: boolean): boolean {
  return !isExpired(row, nowSeconds) && !(activeOnly && (row.flags & FLAG_DELETED) !== 0);
}

/** Characters a row keeps in memory. */
const sizeOf = ({ body = '', tree, vector }: SelectedRow): number => body.length + tree.length + vector.length;

function isCurrentVersion(vector: string, version: string): boolean {
  if (!vector.startsWith(version)) return false;
  const next = vector[version.length];
  return next === undefined || next === ',' || next === ';';
}
