import type { Access, Row } from '../rows.js';
import type { Value } from '../values.js';
import type { ConditionTest } from './expressions.js';
import type { Evaluate, Frame } from './frame.js';
import type { Held } from './held.js';
import { compositeKey, type Key } from './keys.js';
import { itemsOf } from './quantifiers.js';

/** How the rows of one source join those before it. */
export interface JoinStep {
  readonly type: 'collection' | 'unnest';
  /** The items of an unnest. */
  readonly array?: Evaluate;
  /** A left join keeps what is before it, with the row `absent`, where no row fulfils `on`. */
  readonly outer: boolean;
  readonly on: readonly ConditionTest[];
  readonly absent: Row;
  /** Equalities that join this source: a value of its own row, and the value of earlier rows. */
  readonly keys: readonly { readonly own: Evaluate; readonly earlier: Evaluate }[];
  /** Conditions that can be decided once this source has a row. */
  readonly tests: readonly ConditionTest[];
}

/** Shared by the steps of a run. */
export interface RunState {
  readonly frame: Frame;
  readonly access: Access;
  readonly held: Held;
  /** Counts a candidate row; stops the run by throwing. */
  tick(): void;
}

/** Puts each combination of rows that fulfils all conditions into the frame, in the order of the first source. */
export function* combinations(steps: readonly JoinStep[], run: RunState): Generator<void, void, undefined> {
  const { frame } = run;
  const open: OpenRows[] = [];
  const joins = steps.map((step, source) => new Join(step, source, run, () => isLastBefore(source)));
  const isLastBefore = (source: number): boolean => open.slice(0, source).every((rows) => rows.isLast());
  const start = (source: number): OpenRows => new OpenRows(joins[source]!.rows(), source, steps[source]!.tests, run);
  open.push(start(0));
  try {
    while (open.length > 0) {
      const source = open.length - 1;
      const row = open[source]!.next();
      if (!row) {
        open.pop();
        continue;
      }
      frame.rows[source] = row;
      if (open.length === joins.length) yield;
      else open.push(start(open.length));
    }
  } finally {
    for (const rows of open) rows.close();
  }
}

/** The rows of one source that fulfil what can be decided there, while they are gone through. */
class OpenRows {
  private readonly iterator: Iterator<Row>;
  /** The row behind the one that was given out; null if there is none. */
  private ahead: Row | null | undefined;

  constructor(
    rows: Iterable<Row>,
    private readonly source: number,
    private readonly tests: readonly ConditionTest[],
    private readonly run: RunState,
  ) {
    this.iterator = rows[Symbol.iterator]();
  }

  next(): Row | null {
    const { ahead } = this;
    if (ahead === undefined) return this.find();
    this.ahead = undefined;
    return ahead;
  }

  /** Whether no row follows the one that is in the frame. */
  isLast(): boolean {
    if (this.ahead === undefined) {
      const { rows } = this.run.frame;
      const current = rows[this.source]!;
      this.ahead = this.find();
      rows[this.source] = current;
    }
    return this.ahead === null;
  }

  close(): void {
    this.iterator.return?.();
  }

  private find(): Row | null {
    const { run, source, tests } = this;
    for (;;) {
      const next = this.iterator.next();
      if (next.done) return null;
      run.frame.rows[source] = next.value;
      run.tick();
      if (holds(tests, run.frame)) return next.value;
    }
  }
}

function holds(tests: readonly ConditionTest[], frame: Frame): boolean {
  for (const test of tests) if (test(frame) !== true) return false;
  return true;
}

/** The rows of one source, for the rows that are in the frame before it. */
class Join {
  private table: ReadonlyMap<Key, readonly Row[]> | undefined;
  private kept: readonly Row[] | undefined;

  constructor(
    private readonly step: JoinStep,
    private readonly source: number,
    private readonly run: RunState,
    /** Whether the rows in the frame are the last that this source meets. */
    private readonly isLast: () => boolean,
  ) {}

  rows(): Iterable<Row> {
    const { step } = this;
    if (step.type === 'unnest') return this.items(step.array!);
    return step.outer ? this.outerRows() : this.candidates();
  }

  private *items(array: Evaluate): Generator<Row, void, undefined> {
    for (const item of itemsOf(array(this.run.frame))) yield [item];
  }

  private *outerRows(): Generator<Row, void, undefined> {
    const { frame } = this.run;
    let isMatched = false;
    for (const row of this.candidates()) {
      frame.rows[this.source] = row;
      if (!holds(this.step.on, frame)) {
        this.run.tick();
        continue;
      }
      isMatched = true;
      yield row;
    }
    if (!isMatched) yield this.step.absent;
  }

  private candidates(): Iterable<Row> {
    const { access, frame } = this.run;
    if (this.source === 0) return access.rows(0);
    if (this.step.keys.length === 0) return !this.kept && this.isLast() ? access.rows(this.source) : this.keptRows();
    const values = this.step.keys.map(({ earlier }) => earlier(frame));
    // MISSING equals nothing.
    if (values.includes(undefined)) return [];
    if (access.seeks(this.source)) return access.rows(this.source, values);
    // One pass over the source needs no table.
    if (!this.table && this.isLast()) return access.rows(this.source);
    this.table ??= this.hash();
    return this.table.get(compositeKey(values)) ?? [];
  }

  /** Rows by their values of the keys: the source is read once. */
  private hash(): Map<Key, Row[]> {
    const { access, frame, held } = this.run;
    const table = new Map<Key, Row[]>();
    const { keys } = this.step;
    for (const row of access.rows(this.source)) {
      this.run.tick();
      frame.rows[this.source] = row;
      const values: Value[] = keys.map(({ own }) => own(frame));
      if (values.includes(undefined)) continue;
      held.add(row);
      const key = compositeKey(values);
      const bucket = table.get(key);
      if (bucket) bucket.push(row);
      else table.set(key, [row]);
    }
    return table;
  }

  /** Without keys every row may join every other: the source is read once, and kept. */
  private keptRows(): readonly Row[] {
    if (!this.kept) {
      const rows: Row[] = [];
      for (const row of this.run.access.rows(this.source)) {
        this.run.tick();
        this.run.held.add(row);
        rows.push(row);
      }
      this.kept = rows;
    }
    return this.kept;
  }
}
