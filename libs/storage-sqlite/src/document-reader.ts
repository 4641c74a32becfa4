import type Database from 'better-sqlite3';
import type { ChangePage, ChangesOptions, DocumentRevision, ListOptions, ListPage } from '@edgesync/ports';
import type { Collection } from './collections.js';
import { COLUMNS, isExpired, METADATA_COLUMNS, toChange, toRevision, type DocumentRow } from './rows.js';

type ChangeSource = DocumentRow & { readonly size: number };

/** A page ends when its bodies reach this many characters: memory follows the page, not the documents. */
const PAGE_CHARACTERS = 1_000_000;

/** Reads documents and the change log. Every method answers from one committed state and never waits. */
export class DocumentReader {
  private readonly statements = new Map<string, Database.Statement>();

  constructor(
    private readonly handle: Database.Database,
    private readonly nowSeconds: () => number,
  ) {}

  read(collection: Collection, ids: readonly string[], body: boolean): (DocumentRevision | undefined)[] {
    const statement = this.prepare(`SELECT ${columns(body)} FROM documents WHERE collection = ? AND id = ?`);
    const now = this.nowSeconds();
    return ids.map((id) => {
      const row = statement.get(collection.id, id) as DocumentRow | undefined;
      return row && !isExpired(row, now) ? toRevision(row) : undefined;
    });
  }

  readRevision(collection: Collection, id: string, rev: string): DocumentRevision | undefined {
    const find = this.prepare(`SELECT ${COLUMNS} FROM documents WHERE collection = ? AND id = ?`);
    const row = find.get(collection.id, id) as DocumentRow | undefined;
    if (!row || isExpired(row, this.nowSeconds())) return undefined;
    if (row.rev === rev || isCurrentVersion(row.vector, rev)) return toRevision(row);
    const other = this.prepare(
      'SELECT rev, version, deleted, body FROM revisions WHERE document = ? AND (rev = ? OR version = ?)',
    ).get(row.row, rev, rev) as { rev: string; version: string; deleted: number; body: string } | undefined;
    return other && { ...toRevision(row), rev: other.rev, deleted: other.deleted !== 0, body: other.body };
  }

  list(collection: Collection, options: ListOptions): ListPage {
    const { descending = false, limit, skip = 0 } = options;
    const [upper, lower] = descending ? [options.startKey, options.endKey] : [options.endKey, options.startKey];
    const conditions = ['collection = @collection', '(expires_at IS NULL OR expires_at > @now)', '(flags & 1) = 0'];
    if (lower !== undefined) conditions.push('id >= @lower');
    if (upper !== undefined) conditions.push('id <= @upper');
    if (options.after !== undefined) conditions.push(descending ? 'id < @after' : 'id > @after');
    const statement = this.prepare(
      `SELECT ${columns(options.body)} FROM documents WHERE ${conditions.join(' AND ')}
       ORDER BY id ${descending ? 'DESC' : 'ASC'} LIMIT @limit OFFSET @skip`,
    );
    const parameters = {
      collection: collection.id,
      now: this.nowSeconds(),
      limit,
      skip,
      ...(lower !== undefined && { lower }),
      ...(upper !== undefined && { upper }),
      ...(options.after !== undefined && { after: options.after }),
    };
    const rows: DocumentRevision[] = [];
    let characters = 0;
    for (const row of statement.iterate(parameters) as IterableIterator<DocumentRow>) {
      rows.push(toRevision(row));
      characters += row.body.length;
      if (characters >= PAGE_CHARACTERS) break;
    }
    return { rows, more: rows.length === limit || characters >= PAGE_CHARACTERS };
  }

  changes(collection: Collection, options: ChangesOptions): ChangePage {
    return options.ids ? this.changesOf(collection, options, options.ids) : this.scanChanges(collection, options);
  }

  /** Deadline of the document that expires next, in Unix seconds. */
  nextExpiry(): number | undefined {
    const statement = this.prepare('SELECT min(expires_at) AS next FROM documents WHERE expires_at IS NOT NULL');
    return (statement.get() as { next: number | null }).next ?? undefined;
  }

  /** Live documents that have expired and were not swept yet. */
  countExpired(collection: Collection): number {
    const statement = this.prepare(
      'SELECT count(*) AS expired FROM documents WHERE expires_at <= ? AND collection = ? AND (flags & 1) = 0',
    );
    return (statement.get(this.nowSeconds(), collection.id) as { expired: number }).expired;
  }

  private scanChanges(collection: Collection, options: ChangesOptions): ChangePage {
    const { since, limit, descending = false, activeOnly = false } = options;
    const statement = this.prepare(
      `SELECT ${columns(options.body)}, octet_length(body) AS size FROM documents
       WHERE collection = ? AND sequence ${descending ? '<' : '>'} ? ORDER BY sequence ${descending ? 'DESC' : 'ASC'}`,
    );
    const now = this.nowSeconds();
    const rows = [];
    let scanned = since;
    let characters = 0;
    let more = false;
    for (const row of statement.iterate(collection.id, since) as IterableIterator<ChangeSource>) {
      if (rows.length === limit || characters >= PAGE_CHARACTERS) {
        more = true;
        break;
      }
      scanned = row.sequence;
      if (isExpired(row, now) || (activeOnly && (row.flags & 1) !== 0)) continue;
      rows.push(toChange(row));
      characters += row.body.length;
    }
    return { rows, scanned, more, lastSequence: collection.lastSequence };
  }

  private changesOf(collection: Collection, options: ChangesOptions, ids: readonly string[]): ChangePage {
    const { since, limit, descending = false, activeOnly = false } = options;
    const statement = this.prepare(
      `SELECT ${columns(options.body)}, octet_length(body) AS size FROM documents WHERE collection = ? AND id = ?`,
    );
    const now = this.nowSeconds();
    const found: ChangeSource[] = [];
    for (const id of new Set(ids)) {
      const row = statement.get(collection.id, id) as ChangeSource | undefined;
      if (!row || isExpired(row, now) || (activeOnly && (row.flags & 1) !== 0)) continue;
      if (descending ? row.sequence < since : row.sequence > since) found.push(row);
    }
    found.sort((a, b) => (descending ? b.sequence - a.sequence : a.sequence - b.sequence));
    const rows = found.slice(0, limit).map(toChange);
    const more = found.length > rows.length;
    const end = descending ? Math.min(since, 1) : Math.max(since, collection.lastSequence);
    return { rows, scanned: more ? rows.at(-1)!.sequence : end, more, lastSequence: collection.lastSequence };
  }

  private prepare(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.handle.prepare(sql)));
    return statement;
  }
}

const columns = (body: boolean | undefined): string => (body === false ? METADATA_COLUMNS : COLUMNS);

function isCurrentVersion(vector: string, version: string): boolean {
  if (!vector.startsWith(version)) return false;
  const next = vector[version.length];
  return next === undefined || next === ',' || next === ';';
}
