import { COLUMNS, METADATA_COLUMNS } from './rows.js';

// The statements of the reader. There are few different texts, so each is prepared once and kept; which index each one
// uses is pinned by query-plan.db.spec.ts.

const columns = (body: boolean): string => (body ? COLUMNS : METADATA_COLUMNS);

/** The size comes from the record's header: no overflow page of a long body is read for it. */
const changeColumns = (body: boolean): string => `${columns(body)}, octet_length(body) AS size`;

/** Parameters: collection, ID. */
export const readSql = (body: boolean): string =>
  `SELECT ${columns(body)} FROM documents WHERE collection = ? AND id = ?`;

/** Parameters: document row, ID or version twice. */
export const KEPT_REVISION = 'SELECT rev, deleted, body FROM revisions WHERE document = ? AND (rev = ? OR version = ?)';

/** Parameters: collection, ID. */
export const PLACE_BY_ID = 'SELECT id, sequence, flags, expires_at FROM documents WHERE collection = ? AND id = ?';

/** Parameters: collection, ID. */
export const changeSql = (body: boolean): string =>
  `SELECT ${changeColumns(body)} FROM documents WHERE collection = ? AND id = ?`;

/** Parameters: collection, sequence. */
export const changesSql = ({ body, descending }: { body: boolean; descending: boolean }): string =>
  `SELECT ${changeColumns(body)} FROM documents
   WHERE collection = ? AND sequence ${descending ? '<' : '>'} ? ORDER BY sequence ${descending ? 'DESC' : 'ASC'}`;

export const NEXT_EXPIRY = 'SELECT min(expires_at) AS next FROM documents WHERE expires_at IS NOT NULL';

/** Parameters: now, collection. Left to itself, SQLite walks the whole collection. */
export const COUNT_EXPIRED = `SELECT count(*) AS expired FROM documents INDEXED BY documents_by_expiry
   WHERE expires_at <= ? AND collection = ? AND (flags & 1) = 0`;

/** Bounds of a listing. */
export interface ListShape {
  readonly body: boolean;
  readonly descending: boolean;
  readonly lower: boolean;
  readonly upper: boolean;
  readonly after: boolean;
}

/** Named parameters: collection, now, skip, and lower, upper and after as asked for. */
export function listSql({ body, descending, lower, upper, after }: ListShape): string {
  const conditions = ['collection = @collection', '(flags & 1) = 0', '(expires_at IS NULL OR expires_at > @now)'];
  if (lower) conditions.push('id >= @lower');
  if (upper) conditions.push('id <= @upper');
  if (after) conditions.push(`id ${descending ? '<' : '>'} @after`);
  return `SELECT ${columns(body)} FROM documents WHERE ${conditions.join(' AND ')}
   ORDER BY id ${descending ? 'DESC' : 'ASC'} LIMIT -1 OFFSET @skip`;
}
