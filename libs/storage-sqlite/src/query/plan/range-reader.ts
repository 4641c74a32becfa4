import type { Row, Value } from '@edgesync/query';
import { indexKey, type IndexKey } from '../indexes/index-keys.js';
import type { StatementRun } from '../statement-run.js';
import { boundTerms, canHold, JoinKey, type KeyRange } from './key-range.js';
import type { SqlTerm, SqlValue } from './scan-terms.js';
import type { SlotReader } from './slots.js';

/** Rows that are read with one call; most ranges of joins and look-ups have no more. */
const FIRST_ROWS = 32;
const ROWS_PER_CHECK = 256;

/** The order in which the entries of a range are read. */
export type Direction = 'any' | 'ascending' | 'descending';

/** Reads the documents of ranges in an index. */
export class RangeReader {
  constructor(
    private readonly run: StatementRun,
    private readonly visible: SqlTerm,
    private readonly slots: SlotReader,
    /** The only rows that count; undefined: all do. */
    private readonly only?: ReadonlySet<number>,
  ) {}

  /** @param keys the values of {@link JoinKey}s */
  *rows(range: KeyRange, direction: Direction, keys: readonly Value[] = []): Generator<Row, void, undefined> {
    const { source, probes } = range;
    const seen = source.array ? new Set<number>() : undefined;
    for (const probe of probes) {
      const known = probe.map((key) => (key instanceof JoinKey ? indexKey(keys[key.index]) : key));
      if (known.some((key, column) => !canHold(source.columns[column]!, key))) continue;
      yield* this.probe(range, known, direction, seen);
    }
  }

  /** The documents of several ranges, each once. */
  *union(ranges: readonly KeyRange[]): Generator<Row, void, undefined> {
    const seen = new Set<number>();
    for (const range of ranges)
      for (const probe of range.probes) yield* this.probe(range, probe as IndexKey[], 'any', seen);
  }

  /** @param seen documents that came already, if there can be some */
  private *probe(
    range: KeyRange,
    probe: readonly IndexKey[],
    direction: Direction,
    seen: Set<number> | undefined,
  ): Generator<Row, void, undefined> {
    const { sql, values } = this.statement(range, probe.length, direction);
    const { snapshot } = this.run;
    const parameters: SqlValue[] = [...probe, ...values];
    const first = snapshot.prepare(`${sql} LIMIT ${FIRST_ROWS}`).all(...parameters) as unknown[][];
    this.run.examined(first.length);
    for (const row of first) {
      const number = row.pop() as number;
      if (this.counts(number, seen)) yield this.slots.decode(row, number);
    }
    if (first.length < FIRST_ROWS) return;
    const statement = snapshot.borrow(`${sql} LIMIT -1 OFFSET ${FIRST_ROWS}`);
    try {
      let read = 0;
      for (const row of statement.iterate(...parameters) as IterableIterator<unknown[]>) {
        if (++read % ROWS_PER_CHECK === 0) this.run.examined(ROWS_PER_CHECK);
        const number = row.pop() as number;
        if (this.counts(number, seen)) yield this.slots.decode(row, number);
      }
    } finally {
      snapshot.giveBack(statement);
    }
  }

  private counts(row: number, seen: Set<number> | undefined): boolean {
    if (this.only && !this.only.has(row)) return false;
    if (!seen) return true;
    if (seen.has(row)) return false;
    seen.add(row);
    return true;
  }

  private statement(
    range: KeyRange,
    probed: number,
    direction: Direction,
  ): { readonly sql: string; readonly values: readonly SqlValue[] } {
    const { source } = range;
    const where = rangeTerms(range, probed);
    const terms = [...where, this.visible];
    const conditions = [source.where, ...terms.map(({ sql }) => sql)].join(' AND ');
    const order =
      direction === 'any'
        ? ''
        : ` ORDER BY ${source.columns
            .slice(probed)
            .map(({ sql }) => sql + (direction === 'descending' ? ' DESC' : ''))
            .join(', ')}`;
    return {
      // The row number comes last: what is before it becomes the row.
      sql: `SELECT ${this.slots.columns}, d.row FROM ${source.from} WHERE ${conditions}${order}`,
      values: terms.flatMap(({ values }) => values).slice(probed),
    };
  }
}

/** The terms of a range; the keys of a probe stand in front, as parameters without values. */
export function rangeTerms(range: KeyRange, probed: number): SqlTerm[] {
  const { columns } = range.source;
  const equalities = columns.slice(0, probed).map(({ sql }): SqlTerm => ({ sql: `${sql} = ?`, values: [null] }));
  return [...equalities, ...(columns[probed] ? boundTerms(columns[probed], range) : []), ...range.filters];
}

/** Entries in a range, counted up to a limit. */
export function countEntries(run: StatementRun, range: KeyRange, limit: number): number {
  const { source, probes } = range;
  let count = 0;
  for (const probe of probes) {
    if (count >= limit || probe.some((key) => key instanceof JoinKey)) break;
    const terms = rangeTerms(range, probe.length);
    const conditions = [source.where, ...terms.map(({ sql }) => sql)].join(' AND ');
    const values = [...(probe as IndexKey[]), ...terms.flatMap((term) => term.values).slice(probe.length)];
    const [found] = run.snapshot
      .prepare(`SELECT count(*) FROM (SELECT 1 FROM ${source.entries} WHERE ${conditions} LIMIT ?)`)
      .get(...values, limit - count) as [number];
    count += found;
  }
  return count;
}
