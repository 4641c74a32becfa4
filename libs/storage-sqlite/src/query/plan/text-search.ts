import { checkIndexExpression, compileDocumentExpression, type DocumentExpression, type Value } from '@edgesync/query';
import {
  Analyzer,
  indexedText,
  matchesText,
  parseTextQuery,
  phrasesOf,
  type Phrase,
  type Term,
  type TextQuery,
} from '@edgesync/query/fulltext';
import { termsTableName, textColumn, textTableName } from '../indexes/table-names.js';
import type { FullTextConfig } from '../indexes/text-table.js';
import type { StatementRun } from '../statement-run.js';
import { successor } from './key-range.js';
import { readSlots } from './slots.js';
import { sqliteTextQuery } from './text-query.js';

/** Rows of the file that one step of a search looks at: some 20 ms where each of them matches. */
const ROWS_PER_STEP = 100_000;

/** A complete full-text index. */
export class TextIndex {
  private readonly analyzer: Analyzer;
  private readonly properties: readonly DocumentExpression[];

  constructor(
    readonly id: number,
    readonly name: string,
    private readonly config: Pick<FullTextConfig, 'expressions' | 'language' | 'ignoreAccents' | 'disableStemming'>,
  ) {
    this.analyzer = new Analyzer(config);
    this.properties = config.expressions.map((text) => compileDocumentExpression(checkIndexExpression(text)));
  }

  get columns(): number {
    return this.properties.length;
  }

  /**
   * The documents that a text finds, deleted ones left out.
   * @throws EdgeError `query.runtime` for malformed text
   */
  search(run: StatementRun, text: Value): TextMatch {
    const query = typeof text === 'string' ? parseTextQuery(text, this.analyzer, this.config.expressions) : undefined;
    return new TextMatch(run, this, query, query ? this.find(run, query) : []);
  }

  private find(run: StatementRun, query: TextQuery): number[] {
    const { text, exact } = sqliteTextQuery(query);
    const table = textTableName(this.id);
    const select = run.snapshot.pluck(
      `SELECT rowid FROM ${table} WHERE ${table} MATCH ? AND rowid > ? AND rowid <= ? ORDER BY rowid`,
    );
    const last = run.snapshot.pluck('SELECT coalesce(max(row), 0) FROM documents').get() as number;
    const found: number[] = [];
    for (let start = 0; start < last; start += ROWS_PER_STEP) {
      const rows = select.all(text, start, start + ROWS_PER_STEP) as number[];
      run.examined(rows.length);
      for (const row of rows) found.push(row);
    }
    return exact ? found : found.filter((row) => this.verify(run, query, row));
  }

  /** Conditions beyond SQLite are decided on the text of the document. */
  private verify(run: StatementRun, query: TextQuery, row: number): boolean {
    run.examined(1);
    const document = this.properties.map((property) => {
      const slots = readSlots(property.slots);
      const columns = run.snapshot.prepare(`SELECT ${slots.columns} FROM documents d WHERE d.row = ?`).get(row);
      return this.analyzer.tokens(indexedText(property.value(slots.decode(columns as unknown[], row))));
    });
    return matchesText(query, document);
  }
}

/** The result of one MATCH. */
export class TextMatch {
  private ranked: ReadonlyMap<number, number> | undefined;

  constructor(
    private readonly run: StatementRun,
    private readonly index: TextIndex,
    private readonly query: TextQuery | undefined,
    /** Rows of `documents` in their order. */
    readonly rows: readonly number[],
  ) {}

  get name(): string {
    return this.index.name;
  }

  /** For each phrase and property, the hits in the document divided by those in all documents. */
  rankOf(row: number): number {
    return (this.ranked ??= this.rank()).get(row) ?? 0;
  }

  private rank(): ReadonlyMap<number, number> {
    const { rows } = this;
    const ranks = new Float64Array(rows.length);
    for (const phrase of this.query ? phrasesOf(this.query) : [])
      for (let column = 0; column < this.index.columns; column++) {
        if (phrase.property !== undefined && phrase.property !== column) continue;
        this.addHits(ranks, this.hitsOf(phrase, column));
      }
    return new Map(rows.map((row, place) => [row, ranks[place]!]));
  }

  private addHits(ranks: Float64Array, hits: readonly number[]): void {
    let hit = 0;
    for (const [place, row] of this.rows.entries()) {
      while (hit < hits.length && hits[hit]! < row) hit++;
      const first = hit;
      while (hit < hits.length && hits[hit] === row) hit++;
      if (hit > first) ranks[place]! += (hit - first) / hits.length;
    }
  }

  /** The documents in which a phrase occurs, as often as it does, in their order. */
  private hitsOf({ terms }: Phrase, column: number): number[] {
    if (terms.length === 1) return this.documentsOf(terms[0]!, column);
    let places: ReadonlySet<string> | undefined;
    let documents: number[] = [];
    for (const [index, term] of terms.entries()) {
      const next = new Set<string>();
      documents = [];
      for (const [document, offset] of this.placesOf(term, column)) {
        // Where the phrase begins if this is its word.
        const place = `${document} ${offset - index}`;
        if (places && !places.has(place)) continue;
        next.add(place);
        documents.push(document);
      }
      places = next;
    }
    return documents.sort((a, b) => a - b);
  }

  private documentsOf(term: Term, column: number): number[] {
    const { sql, values } = this.occurrences(term, column);
    const documents = this.run.snapshot.pluck(`SELECT doc ${sql}`).all(...values) as number[];
    this.run.examined(documents.length);
    return term.prefix ? documents.sort((a, b) => a - b) : documents;
  }

  private placesOf(term: Term, column: number): [document: number, offset: number][] {
    const { sql, values } = this.occurrences(term, column);
    const places = this.run.snapshot.prepare(`SELECT doc, offset ${sql}`).all(...values) as [number, number][];
    this.run.examined(places.length);
    return places;
  }

  private occurrences(
    { token, prefix }: Term,
    column: number,
  ): { readonly sql: string; readonly values: readonly string[] } {
    const end = prefix ? successor(token) : undefined;
    const isTerm = prefix ? `term >= ?${end === undefined ? '' : ' AND term < ?'}` : 'term = ?';
    const isColumn = this.index.columns === 1 ? '' : ` AND col = '${textColumn(column)}'`;
    return {
      sql: `FROM ${termsTableName(this.index.id)} WHERE ${isTerm}${isColumn}`,
      values: end === undefined ? [token] : [token, end],
    };
  }
}
