import type Database from 'better-sqlite3';
import type { IndexConfig } from '@edgesync/config';
import { checkIndexExpression, type Row } from '@edgesync/query';
import { Analyzer, indexedText } from '@edgesync/query/fulltext';
import type { IndexTable } from './index-table.js';
import { SlotCollector } from './slot-collector.js';
import { termsTableName, textColumn, textTableName } from './table-names.js';

export type FullTextConfig = Extract<IndexConfig, { type: 'fulltext' }>;

/**
 * The table of a full-text index: SQLite's inverted index of the tokens that our analyzer makes. It keeps no text. Tokens
 * have no ASCII punctuation, so that SQLite finds the same ones between the blanks.
 */
class TextTable implements IndexTable {
  private readonly collector = new SlotCollector();
  private readonly textsOf: (row: Row) => (string | null)[] | undefined;
  private readonly add: Database.Statement;
  private readonly remove: Database.Statement;
  private readonly count: Database.Statement;
  private readonly has: Database.Statement;

  constructor(handle: Database.Database, id: number, config: FullTextConfig) {
    const analyzer = new Analyzer(config);
    const properties = config.expressions.map((text) => this.collector.add(checkIndexExpression(text)));
    const condition = config.where === undefined ? undefined : this.collector.add(checkIndexExpression(config.where));
    this.textsOf = (row) => {
      if (condition && !condition.holds(row)) return undefined;
      const texts = properties.map((property) => analyzer.tokens(indexedText(property.value(row))).join(' ') || null);
      return texts.every((text) => text === null) ? undefined : texts;
    };
    const name = textTableName(id);
    const columns = properties.map((_, column) => textColumn(column));
    handle.exec(
      `CREATE VIRTUAL TABLE IF NOT EXISTS ${name} USING fts5
         (${columns.join(', ')}, content = '', contentless_delete = 1, tokenize = 'ascii')`,
    );
    handle.exec(`CREATE VIRTUAL TABLE IF NOT EXISTS ${termsTableName(id)} USING fts5vocab (${name}, instance)`);
    this.add = handle.prepare(
      `INSERT INTO ${name} (rowid, ${columns.join(', ')}) VALUES (?${', ?'.repeat(columns.length)})`,
    );
    this.remove = handle.prepare(`DELETE FROM ${name} WHERE rowid = ?`);
    this.count = handle.prepare(`SELECT count(*) FROM ${name}_docsize`).pluck();
    this.has = handle.prepare(`SELECT 1 FROM ${name} WHERE ${name} MATCH ? AND rowid = ?`);
  }

  get slots(): IndexTable['slots'] {
    return this.collector.slots;
  }

  change(row: number, before: Row | undefined, after: Row | undefined): boolean {
    const old = before && this.textsOf(before);
    const now = after && this.textsOf(after);
    if (old && now && old.every((text, column) => text === now[column])) return true;
    if (old) this.remove.run(row);
    if (now) this.add.run(row, ...now);
    return true;
  }

  size(): number {
    return this.count.get() as number;
  }

  verify(row: number, slots: Row): number | undefined {
    const texts = this.textsOf(slots);
    if (!texts) return 0;
    const isThere = texts.every((text, column) => {
      if (text === null) return true;
      const beginning = text.split(' ').slice(0, VERIFIED_TOKENS).join(' ');
      return this.has.get(`${textColumn(column)} : ^ "${beginning}"`, row) !== undefined;
    });
    return isThere ? 1 : undefined;
  }
}

const VERIFIED_TOKENS = 5;

export const openTextTable = (handle: Database.Database, id: number, config: FullTextConfig): IndexTable =>
  new TextTable(handle, id, config);
