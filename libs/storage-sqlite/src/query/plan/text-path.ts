import type { OrderTerm, Row } from '@edgesync/query';
import type { StatementRun } from '../statement-run.js';
import type { SqlTerm } from './scan-terms.js';
import type { SlotReader } from './slots.js';
import type { TextMatch } from './text-search.js';

const ROWS_PER_CHECK = 256;

/** The documents that all matches of a source find. */
export class TextPath {
  /** Rows of `documents` in their order. */
  readonly rows: readonly number[];

  /** @param matches at least one, by their index in the statement */
  constructor(
    private readonly run: StatementRun,
    private readonly matches: ReadonlyMap<number, TextMatch>,
    private readonly visible: SqlTerm,
    private readonly slots: SlotReader,
  ) {
    const [first, ...more] = [...matches.values()].map(({ rows }) => rows).sort((a, b) => a.length - b.length);
    const others = more.map((rows) => new Set(rows));
    this.rows = others.length === 0 ? first! : first!.filter((row) => others.every((set) => set.has(row)));
  }

  get names(): string[] {
    return [...this.matches.values()].map(({ name }) => name);
  }

  /** Whether the documents can come in this order: that of their ranks. */
  serves(order: readonly OrderTerm[] | undefined): boolean {
    const [first, ...more] = order ?? [];
    return first?.expression.type === 'rank' && more.length === 0 && this.matches.has(first.expression.match);
  }

  /** @param order one that is served, or none */
  *documents(order: readonly OrderTerm[] | undefined): Generator<Row, void, undefined> {
    const find = this.run.snapshot.prepare(
      `SELECT ${this.slots.columns} FROM documents d WHERE d.row = ? AND ${this.visible.sql}`,
    );
    let read = 0;
    for (const row of this.inOrder(order)) {
      if (++read % ROWS_PER_CHECK === 0) this.run.examined(ROWS_PER_CHECK);
      const columns = find.get(row, ...this.visible.values) as unknown[] | undefined;
      if (columns) yield this.slots.decode(columns, row);
    }
  }

  private inOrder(order: readonly OrderTerm[] | undefined): readonly number[] {
    const [term] = order ?? [];
    if (term?.expression.type !== 'rank') return this.rows;
    const match = this.matches.get(term.expression.match)!;
    const sign = term.descending ? -1 : 1;
    return this.rows.toSorted((a, b) => sign * (match.rankOf(a) - match.rankOf(b)) || a - b);
  }
}
