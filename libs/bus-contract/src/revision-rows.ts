import { EdgeError } from '@edgesync/errors';
import type { Content, Message } from './envelope.js';
import { Fields } from './fields.js';

/** A stored revision, as the storage port has it. */
export interface RevisionRow {
  readonly id: string;
  readonly sequence: number;
  readonly rev: string;
  readonly vector: string;
  readonly tree: string;
  readonly deleted: boolean;
  readonly expiresAt?: number;
  readonly body: string;
}

export interface ChangedRow extends RevisionRow {
  readonly bodySize: number;
  readonly utf8?: Uint8Array;
  readonly blobs?: boolean;
}

/** A row in JSON: a tuple, because the names of its members would outweigh it. The body travels beside it. */
type RowTuple = readonly [
  id: string,
  sequence: number,
  rev: string,
  vector: string,
  tree: string,
  deleted: 0 | 1,
  expiresAt: number | null,
  bodySize?: number,
  blobs?: 0 | 1,
];

/** Rows of documents, with whatever else the reply says. Gaps stand for documents that were not found. */
export class RevisionsReply {
  static readonly version = 1;

  /** @param rest what the reply says besides the rows */
  static content(rows: readonly (RevisionRow | ChangedRow | undefined)[], rest?: object): Content {
    const tuples = new Array<RowTuple | null>(rows.length);
    const bodies: string[] = [];
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index];
      tuples[index] = row ? tupleOf(row) : null;
      if (row) bodies.push(row.body);
    }
    return { meta: { ...rest, rows: tuples }, bodies };
  }

  /** Whether a listing goes on behind its last row. */
  static more(message: Message): boolean {
    return new Fields('list reply', message.meta).flag('more');
  }

  /**
   * @param utf8 whether bodies are left in UTF-8
   * @throws EdgeError `bus.invalid`
   */
  static rows(message: Message, utf8 = false): (ChangedRow | undefined)[] {
    const tuples = (message.meta as { rows?: unknown } | undefined)?.rows;
    if (!Array.isArray(tuples)) throw invalid();
    const bodies = utf8 ? message.views() : message.texts();
    const rows = new Array<ChangedRow | undefined>(tuples.length);
    let next = 0;
    for (let index = 0; index < tuples.length; index++) {
      const tuple = tuples[index] as unknown;
      if (tuple === null) continue;
      checkTuple(tuple);
      rows[index] = rowOf(tuple, bodies[next++] ?? '');
    }
    if (next !== bodies.length) throw invalid();
    return rows;
  }
}

function tupleOf(row: RevisionRow | ChangedRow): RowTuple {
  const { id, sequence, rev, vector, tree, expiresAt = null } = row;
  const deleted = row.deleted ? 1 : 0;
  if (!('bodySize' in row)) return [id, sequence, rev, vector, tree, deleted, expiresAt];
  const { bodySize, blobs } = row;
  return blobs === undefined
    ? [id, sequence, rev, vector, tree, deleted, expiresAt, bodySize]
    : [id, sequence, rev, vector, tree, deleted, expiresAt, bodySize, blobs ? 1 : 0];
}

function rowOf(tuple: RowTuple, content: string | Uint8Array): ChangedRow {
  const [id, sequence, rev, vector, tree, deleted, expiresAt, bodySize, blobs] = tuple;
  const body = typeof content === 'string' ? content : '';
  const row: Mutable<Partial<ChangedRow>> = { id, sequence, rev, vector, tree, deleted: deleted === 1, body };
  if (expiresAt !== null) row.expiresAt = expiresAt;
  if (bodySize !== undefined) row.bodySize = bodySize;
  if (blobs !== undefined) row.blobs = blobs === 1;
  // One that was not asked for is empty, as it is in text.
  if (typeof content !== 'string' && content.byteLength > 0) row.utf8 = content;
  return row as ChangedRow;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

function checkTuple(tuple: unknown): asserts tuple is RowTuple {
  if (!Array.isArray(tuple)) throw invalid();
  const [id, sequence, rev, vector, tree, deleted, expiresAt, bodySize, blobs] = tuple as unknown[];
  if (
    typeof id !== 'string' ||
    typeof sequence !== 'number' ||
    typeof rev !== 'string' ||
    typeof vector !== 'string' ||
    typeof tree !== 'string' ||
    (deleted !== 0 && deleted !== 1) ||
    (expiresAt !== null && typeof expiresAt !== 'number') ||
    (bodySize !== undefined && typeof bodySize !== 'number') ||
    (blobs !== undefined && blobs !== 0 && blobs !== 1)
  )
    throw invalid();
}

const invalid = (): EdgeError => new EdgeError('bus.invalid', 'the rows of the reply are malformed');
