import type Database from 'better-sqlite3';
import type { Row } from '@edgesync/query';
import { sameKey, type IndexKey } from './index-keys.js';
import { shapeOf, signature, type Entries, type IndexShape, type KeyIndexConfig } from './index-shape.js';
import type { IndexTable } from './index-table.js';
import { keyColumn, keyTableName } from './table-names.js';

/** The table of a value or array index: its keys in their order, and the rows of the documents that have them. */
export class KeyTable implements IndexTable {
  private readonly shape: IndexShape;
  private readonly add: Database.Statement;
  private readonly remove: Database.Statement;
  private readonly find: Database.Statement;
  private readonly count: Database.Statement;

  constructor(handle: Database.Database, id: number, config: KeyIndexConfig) {
    this.shape = shapeOf(config);
    const name = keyTableName(id);
    const columns = Array.from({ length: this.shape.columns }, (_, column) => keyColumn(column));
    handle.exec(
      `CREATE TABLE IF NOT EXISTS ${name} (${columns.map((column) => `${column} NOT NULL`).join(', ')},
         row INTEGER NOT NULL, PRIMARY KEY (${columns.join(', ')}, row)) WITHOUT ROWID`,
    );
    this.add = handle.prepare(`INSERT OR IGNORE INTO ${name} VALUES (${columns.map(() => '?').join(', ')}, ?)`);
    const isEntry = `${columns.map((column) => `${column} = ?`).join(' AND ')} AND row = ?`;
    this.remove = handle.prepare(`DELETE FROM ${name} WHERE ${isEntry}`);
    this.find = handle.prepare(`SELECT 1 FROM ${name} WHERE ${isEntry}`);
    this.count = handle.prepare(`SELECT count(*) FROM ${name}`).pluck();
  }

  get slots(): IndexShape['slots'] {
    return this.shape.slots;
  }

  change(row: number, before: Row | undefined, after: Row | undefined): boolean {
    const old = before ? this.shape.entriesOf(before) : NOTHING;
    const now = after ? this.shape.entriesOf(after) : NOTHING;
    if (isSame(old, now)) return true;
    for (const keys of without(old, now)) this.remove.run(...keys, row);
    for (const keys of without(now, old)) this.add.run(...keys, row);
    return now.exact;
  }

  size(): number {
    return this.count.get() as number;
  }

  verify(row: number, slots: Row): number | undefined {
    const { keys } = this.shape.entriesOf(slots);
    return keys.every((key) => this.find.get(...key, row) !== undefined) ? keys.length : undefined;
  }
}

const NOTHING: Entries = { keys: [], exact: true };

/** The most frequent change: none of this index. */
function isSame({ keys: [a, ...moreA] }: Entries, { keys: [b, ...moreB] }: Entries): boolean {
  if (moreA.length > 0 || moreB.length > 0 || (a === undefined) !== (b === undefined)) return false;
  return a === undefined || a.every((key, column) => sameKey(key, b![column]!));
}

function without(entries: Entries, others: Entries): readonly (readonly IndexKey[])[] {
  if (entries.keys.length === 0 || others.keys.length === 0) return entries.keys;
  const known = new Set(others.keys.map(signature));
  return entries.keys.filter((keys) => !known.has(signature(keys)));
}
