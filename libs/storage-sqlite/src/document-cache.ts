import type { DocumentRow } from './rows.js';

/** Larger rows are not kept: one of them would push out many others, and reading it is not what it costs. */
const LARGEST_SHARE = 1 / 64;
/** Cost of a row beside its texts, in characters. */
const ROW_OVERHEAD = 400;

/**
 * Rows that were read lately, so that reading a document again does not go through SQLite. The write path forgets a row
 * before it touches it; nothing else changes rows, since the bundle is locked for this process.
 *
 * Rows live in two generations. When the younger has half of the room, it becomes the older one, and the rows of that
 * which nobody read meanwhile are gone: no bookkeeping per read, and a bound.
 */
export class DocumentCache {
  private young = new Map<string, DocumentRow>();
  private old = new Map<string, DocumentRow>();
  private youngCharacters = 0;

  /** @param characters room for all rows together */
  constructor(private readonly characters: number) {}

  find(collection: number, id: string): DocumentRow | undefined {
    const key = keyOf(collection, id);
    const row = this.young.get(key);
    if (row) return row;
    const older = this.old.get(key);
    if (older) this.put(key, older);
    return older;
  }

  keep(collection: number, row: DocumentRow): void {
    this.put(keyOf(collection, row.id), row);
  }

  forget(collection: number, id: string): void {
    const key = keyOf(collection, id);
    const row = this.young.get(key);
    if (row) this.youngCharacters -= weightOf(row);
    this.young.delete(key);
    this.old.delete(key);
  }

  private put(key: string, row: DocumentRow): void {
    const weight = weightOf(row);
    if (weight > this.characters * LARGEST_SHARE || this.young.has(key)) return;
    this.young.set(key, row);
    this.youngCharacters += weight;
    if (this.youngCharacters < this.characters / 2) return;
    this.old = this.young;
    this.young = new Map();
    this.youngCharacters = 0;
  }
}

const keyOf = (collection: number, id: string): string => `${collection}/${id}`;

const weightOf = ({ id, vector, tree, body }: DocumentRow): number =>
  id.length + vector.length + tree.length + body.length + ROW_OVERHEAD;
