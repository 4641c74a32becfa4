import { compareBytes } from '@edgesync/document';
import type { BinaryOperator, Collation } from '../ast.js';
import type { Value } from '../values.js';
import { textOrder } from './collation.js';
import { compareValues, type CompareText, equalValues } from './compare.js';
import type { Evaluate } from './frame.js';
import type { ConditionTest } from './expressions.js';

export type Comparison = Extract<BinaryOperator, '=' | '!=' | '<' | '<=' | '>' | '>=' | 'IS' | 'IS NOT'>;

/** `=`: MISSING if either side is. */
export function equality(left: Value, right: Value): boolean | undefined {
  return left === undefined || right === undefined ? undefined : equalValues(left, right);
}

/** `<=`: MISSING if either side is. */
export function isAtMost(left: Value, right: Value): boolean | undefined {
  return left === undefined || right === undefined ? undefined : compareValues(left, right) <= 0;
}

/** Compares by the order of all values, MISSING with MISSING on either side; IS takes MISSING for a value. */
export function comparison(
  operator: Comparison,
  left: Evaluate,
  right: Evaluate,
  collation?: Collation,
): ConditionTest {
  const order = collation && textOrder(collation);
  switch (operator) {
    case '=':
      return equal(left, right, order);
    case '!=': {
      const test = equal(left, right, order);
      return (frame) => {
        const result = test(frame);
        return result === undefined ? undefined : !result;
      };
    }
    case 'IS':
      return (frame) => same(left(frame), right(frame), order);
    case 'IS NOT':
      return (frame) => !same(left(frame), right(frame), order);
    default:
      return ordered(left, right, ORDERS[operator], order);
  }
}

const ORDERS: Readonly<Record<'<' | '<=' | '>' | '>=', (difference: number) => boolean>> = {
  '<': (difference) => difference < 0,
  '<=': (difference) => difference <= 0,
  '>': (difference) => difference > 0,
  '>=': (difference) => difference >= 0,
};

function equal(left: Evaluate, right: Evaluate, order: CompareText | undefined): ConditionTest {
  if (order)
    return (frame) => {
      const a = left(frame);
      const b = right(frame);
      return a === undefined || b === undefined ? undefined : same(a, b, order);
    };
  return (frame) => {
    const a = left(frame);
    if (a === undefined) return undefined;
    const b = right(frame);
    if (b === undefined) return undefined;
    return typeof a === 'string' ? a === b : equalValues(a, b);
  };
}

function same(left: Value, right: Value, order: CompareText | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  if (order && typeof left === 'string' && typeof right === 'string') return order(left, right) === 0;
  return equalValues(left, right);
}

function ordered(
  left: Evaluate,
  right: Evaluate,
  accepts: (difference: number) => boolean,
  order: CompareText = compareBytes,
): ConditionTest {
  return (frame) => {
    const a = left(frame);
    if (a === undefined) return undefined;
    const b = right(frame);
    return b === undefined ? undefined : accepts(compareValues(a, b, order));
  };
}
