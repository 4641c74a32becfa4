import { SCALAR_FUNCTIONS } from '../functions/index.js';
import type { Value } from '../values.js';
import { equalValues } from './compare.js';
import type { ConditionTest } from './expressions.js';
import type { Evaluate, Frame } from './frame.js';
import { type Key, keyOf } from './keys.js';

/** From so many items on, a set is quicker than looking through them. */
const LONG_LIST = 8;

/**
 * `x IN [a, b]`: true if one item equals; else MISSING if the left side or an item is; else false.
 * @param isConstant whether all items are the same for the whole run
 */
export function inList(operand: Evaluate, items: readonly Evaluate[], isConstant: boolean): ConditionTest {
  if (isConstant && items.length >= LONG_LIST) return inSet(operand, items);
  return (frame) => {
    const value = operand(frame);
    let result: boolean | undefined = false;
    if (value === undefined) return items.length === 0 ? false : undefined;
    for (const item of items) {
      const candidate = item(frame);
      if (candidate === undefined) result = undefined;
      else if (equalValues(value, candidate)) return true;
    }
    return result;
  };
}

interface KeySet {
  readonly keys: ReadonlySet<Key>;
  readonly hasMissing: boolean;
}

function inSet(operand: Evaluate, items: readonly Evaluate[]): ConditionTest {
  // One set for each run.
  const sets = new WeakMap<Frame, KeySet>();
  return (frame) => {
    let set = sets.get(frame);
    if (!set) {
      const values = items.map((item) => item(frame));
      const present = values.filter((value) => value !== undefined);
      set = { keys: new Set(present.map(keyOf)), hasMissing: present.length < values.length };
      sets.set(frame, set);
    }
    const value = operand(frame);
    if (value === undefined) return undefined;
    return set.keys.has(keyOf(value)) ? true : set.hasMissing ? undefined : false;
  };
}

/** `x IN array`, as ARRAY_CONTAINS answers it. */
export function inArray(operand: Evaluate, array: Evaluate): Evaluate {
  const contains = SCALAR_FUNCTIONS['ARRAY_CONTAINS'] as (array: Value, value: Value) => Value;
  return (frame) => contains(array(frame), operand(frame));
}
