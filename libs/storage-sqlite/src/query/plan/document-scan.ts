import type { Row } from '@edgesync/query';
import type { SqlTerm } from './scan-terms.js';
import type { SlotReader } from './slots.js';
import type { StatementRun } from '../statement-run.js';
import { CHUNK_CHARACTERS, CHUNK_ROWS, WINDOW_MS } from '../tuning.js';

/** Rows of a table between two keys are walked in windows, so that no step of SQLite takes long. */
interface Walk {
  /** The column that is walked, and the way to it. */
  readonly key: 'd.row' | 'd.sequence';
  readonly from: string;
  readonly first: number;
  readonly last: number;
}

const FIRST_WINDOW = 2_048;
const FIRST_CHUNK = 16;

/** Documents of a collection in no order: all that the terms let through. */
export function* scanDocuments(
  run: StatementRun,
  collection: number,
  visible: SqlTerm,
  terms: readonly SqlTerm[],
  slots: SlotReader,
): Generator<Row, void, undefined> {
  const { key, from, first, last } = chooseWalk(run, collection);
  const where = [
    `d.collection = ${collection}`,
    `${key} > ?`,
    `${key} <= ?`,
    visible.sql,
    ...terms.map(({ sql }) => sql),
  ];
  // The key comes last: what is before it becomes the row.
  const statement = run.snapshot.prepare(
    `SELECT ${slots.columns}, ${key} FROM documents d ${from} WHERE ${where.join(' AND ')} ORDER BY ${key} LIMIT ?`,
  );
  const values = [...visible.values, ...terms.flatMap((term) => term.values)];
  let width = FIRST_WINDOW;
  let chunk = FIRST_CHUNK;
  for (let start = first - 1; start < last;) {
    const end = Math.min(start + width, last);
    const began = performance.now();
    const rows = statement.all(start, end, ...values, chunk) as unknown[][];
    const took = performance.now() - began;
    const reached = rows.length < chunk ? end : (rows.at(-1)!.at(-1) as number);
    run.examined(reached - start);
    width = nextWidth(reached - start, took);
    chunk = nextChunk(rows, chunk);
    start = reached;
    for (const row of rows) {
      // A rank is never asked for: a MATCH is not scanned for.
      const place = row.pop() as number;
      yield slots.decode(row, place);
    }
  }
}

/** A collection that is a small part of the file is walked by its log, others in the order of the file. */
function chooseWalk(run: StatementRun, collection: number): Walk {
  const [first, last] = run.snapshot
    .prepare('SELECT coalesce((SELECT min(row) FROM documents), 1), coalesce((SELECT max(row) FROM documents), 0)')
    .get() as [number, number];
  const [live, lastSequence] = run.snapshot
    .prepare('SELECT live, last_sequence FROM collections WHERE id = ?')
    .get(collection) as [number, number];
  if (live >= (last - first) / 4) return { key: 'd.row', from: 'NOT INDEXED', first, last };
  const [least] = run.snapshot.prepare('SELECT min(sequence) FROM documents WHERE collection = ?').get(collection) as [
    number | null,
  ];
  return {
    key: 'd.sequence',
    from: 'INDEXED BY documents_by_sequence',
    first: least ?? lastSequence + 1,
    last: lastSequence,
  };
}

function nextWidth(keys: number, milliseconds: number): number {
  if (milliseconds < WINDOW_MS / 2) return Math.max(keys * 2, FIRST_WINDOW);
  return milliseconds > WINDOW_MS * 2 ? Math.max(1, Math.floor(keys / 2)) : Math.max(1, keys);
}

/** Few rows at first, for statements that need no more; fewer of those that are long. */
function nextChunk(rows: readonly unknown[][], chunk: number): number {
  if (rows.length < chunk) return chunk;
  let characters = 0;
  for (const row of rows) for (const column of row) if (typeof column === 'string') characters += column.length;
  if (characters > CHUNK_CHARACTERS) return Math.max(1, chunk >> 2);
  return characters < CHUNK_CHARACTERS / 4 ? Math.min(CHUNK_ROWS, chunk * 4) : chunk;
}
