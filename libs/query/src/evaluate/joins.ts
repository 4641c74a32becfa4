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

/** What a run shares between its steps. */
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
  const joins = steps.map((step, source) => new Join(step, source, run));
  const last = joins.length - 1;
  const open: Iterator<Row>[] = [joins[0]!.rows()[Symbol.iterator]()];
  try {
    while (open.length > 0) {
      const source = open.length - 1;
      const next = open[source]!.next();
      if (next.done) {
        open.pop();
        continue;
      }
      frame.rows[source] = next.value;
      run.tick();
      if (!holds(steps[source]!.tests, frame)) continue;
      if (source === last) yield;
      else open.push(joins[source + 1]!.rows()[Symbol.iterator]());
    }
  } finally {
    for (const iterator of open) iterator.return?.();
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
    if (this.step.keys.length === 0) return this.keptRows();
    const values = this.step.keys.map(({ earlier }) => earlier(frame));
    // MISSING equals nothing.
    if (values.includes(undefined)) return [];
    if (access.seeks(this.source)) return access.rows(this.source, values);
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
