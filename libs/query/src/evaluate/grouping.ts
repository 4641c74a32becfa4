import type { Expression } from '../statement.js';
import type { Row } from '../rows.js';
import type { Value } from '../values.js';
import { accumulator, type Accumulator } from './aggregates.js';
import { Representatives, textOrder } from './collation.js';
import type { CompareText } from './compare.js';
import type { Evaluate, Frame } from './frame.js';
import type { Held } from './held.js';
import { compositeKey, type Key } from './keys.js';

type AggregateExpression = Extract<Expression, { type: 'aggregate' }>;

/** An aggregate of the statement; `argument` is absent for COUNT(*). */
export interface Aggregate {
  readonly expression: AggregateExpression;
  readonly argument?: Evaluate;
}

/** A key of GROUP BY, ORDER BY or DISTINCT, and the collation its text has. */
export interface SortKey {
  readonly evaluate: Evaluate;
  readonly order?: CompareText;
}

class Group {
  rows: readonly Row[];

  constructor(
    frame: Frame,
    readonly accumulators: readonly Accumulator[],
  ) {
    this.rows = frame.rows.slice();
  }
}

/**
 * Collects rows into groups and, when all are in, puts each group into the frame: the values of its aggregates, and
 * the row that stands for it. That is the first row, or the one with the extreme where there is one MIN or MAX.
 */
export class Grouping {
  private readonly groups = new Map<Key, Group>();
  private readonly representatives: readonly (Representatives | undefined)[];
  /** The aggregate that picks the row. */
  private readonly picker: number;

  constructor(
    private readonly keys: readonly SortKey[],
    private readonly aggregates: readonly Aggregate[],
    private readonly held: Held,
  ) {
    this.representatives = keys.map(({ order }) => order && new Representatives(order));
    const extremes = aggregates.flatMap(({ expression: { name } }, index) =>
      name === 'MIN' || name === 'MAX' ? [index] : [],
    );
    this.picker = extremes.length === 1 ? extremes[0]! : -1;
  }

  /** Takes the row that is in the frame. */
  add(frame: Frame): void {
    const values = this.keys.map(({ evaluate }, index) => canonical(evaluate(frame), this.representatives[index]));
    const key = compositeKey(values);
    let group = this.groups.get(key);
    if (!group) {
      group = this.open(frame);
      this.groups.set(key, group);
      this.held.add(values, ...group.rows);
    }
    this.accumulate(group, frame);
  }

  /** Without GROUP BY there is one group, even of no rows. */
  addEmptyGroup(frame: Frame): void {
    if (this.groups.size === 0) this.groups.set(undefined, this.open(frame));
  }

  private open(frame: Frame): Group {
    const states = this.aggregates.map(({ expression }) => accumulator(expression.name, !expression.argument));
    return new Group(frame, states);
  }

  private accumulate(group: Group, frame: Frame): void {
    for (const [index, { expression, argument }] of this.aggregates.entries()) {
      const value = argument?.(frame);
      if (expression.name === 'ARRAY_AGG') this.held.addValue(value);
      const isExtreme = group.accumulators[index]!.add(value);
      if (isExtreme && index === this.picker) group.rows = frame.rows.slice();
    }
  }

  /** Each group in turn, in the order of their first rows. */
  *intoFrame(frame: Frame): Generator<void, void, undefined> {
    for (const { rows, accumulators } of this.groups.values()) {
      frame.rows = rows.slice();
      frame.aggregates = accumulators.map((state) => state.result());
      yield;
    }
  }
}

/** The collation of a key, if it has one. */
export function sortKey(expression: Expression, evaluate: Evaluate): SortKey {
  return expression.type === 'collate' ? { evaluate, order: textOrder(expression.collation) } : { evaluate };
}

/** Text under a collation is replaced by what stands for all equal text. */
export function canonical(value: Value, representatives: Representatives | undefined): Value {
  return representatives && typeof value === 'string' ? representatives.of(value) : value;
}
