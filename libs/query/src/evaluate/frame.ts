import type { Parameters } from '../plan.js';
import type { Row } from '../rows.js';
import { isArray, isObject, type Value } from '../values.js';
import type { PathStep } from '../ast.js';

/** Computes an expression for what a frame holds at the moment. */
export type Evaluate = (frame: Frame) => Value;

/** The input of an expression while a statement runs: the current row of each source, with its context. */
export class Frame {
  /** By source. The row of an unnest has one value: the item. */
  rows: Row[] = [];
  /** By the depth of the quantifier. */
  readonly variables: Value[] = [];
  /** By aggregate, once a group is complete. */
  aggregates: readonly Value[] = [];
  private readonly constants: (Value | typeof UNKNOWN)[] = [];
  private readonly found: (boolean | undefined)[] = [];

  constructor(
    readonly parameters: Parameters,
    private readonly exists: (index: number) => boolean,
  ) {}

  /** An expression that is the same for the whole run is computed once, when it is first needed. */
  constant(index: number, evaluate: Evaluate): Value {
    const known = this.constants[index];
    if (known !== undefined && known !== UNKNOWN) return known;
    if (known === UNKNOWN) return undefined;
    const value = evaluate(this);
    this.constants[index] = value === undefined ? UNKNOWN : value;
    return value;
  }

  /** Whether the statement of an EXISTS has rows. */
  hasRows(index: number): boolean {
    return (this.found[index] ??= this.exists(index));
  }
}

/** Stands for a constant that is MISSING. */
const UNKNOWN = Symbol('MISSING');

/** The value at a path inside a value; MISSING where it leads nowhere. */
export function follow(value: Value, path: readonly PathStep[]): Value {
  let current = value;
  for (const step of path) {
    if (typeof step === 'string') {
      if (!isObject(current)) return undefined;
      current = current.member(step);
    } else {
      if (!isArray(current)) return undefined;
      current = current.item(step);
    }
  }
  return current;
}
