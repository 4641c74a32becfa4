import type { Expression } from '../statement.js';
import { isArray, isObject, type PresentValue, type Value } from '../values.js';
import type { ConditionTest } from './expressions.js';
import type { Evaluate } from './frame.js';

type Quantified = Extract<Expression, { type: 'quantified' }>;

/**
 * The items that ANY, EVERY and UNNEST go through: of an array, the values of an object, a scalar or null itself; none
 * for MISSING.
 */
export function itemsOf(value: Value): Iterable<PresentValue> {
  if (value === undefined) return [];
  if (isArray(value)) return value.items;
  return isObject(value) ? value.members.values() : [value];
}

/** An item for which the condition is MISSING does not satisfy ANY, and does not fail EVERY. */
export function quantified(expression: Quantified, array: Evaluate, satisfies: ConditionTest): Evaluate {
  const { quantifier, depth } = expression;
  if (quantifier === 'any') {
    const skipsScalars = isMembership(expression);
    return (frame) => {
      const collection = array(frame);
      if (skipsScalars && !isArray(collection) && !isObject(collection)) return false;
      for (const item of itemsOf(collection)) {
        frame.variables[depth] = item;
        if (satisfies(frame) === true) return true;
      }
      return false;
    };
  }
  const needsItem = quantifier === 'any-and-every';
  return (frame) => {
    const collection = array(frame);
    if (needsItem && collection === undefined) return undefined;
    let isEmpty = true;
    for (const item of itemsOf(collection)) {
      isEmpty = false;
      frame.variables[depth] = item;
      if (satisfies(frame) === false) return false;
    }
    return !(needsItem && isEmpty);
  };
}

/** `ANY v IN a SATISFIES v = x END` asks whether an array contains x: a scalar contains nothing. */
function isMembership({ depth, satisfies }: Quantified): boolean {
  return (
    satisfies.type === 'binary' &&
    satisfies.operator === '=' &&
    satisfies.left.type === 'variable' &&
    satisfies.left.depth === depth &&
    satisfies.left.path.length === 0
  );
}
