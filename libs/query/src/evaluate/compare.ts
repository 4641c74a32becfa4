import { compareBytes } from '@edgesync/document';
import { ArrayValue, ObjectValue, type PresentValue, type Value } from '../values.js';

/** How two strings compare: negative, zero or positive. */
export type CompareText = (left: string, right: string) => number;

/**
 * The total order of values: MISSING, numbers and booleans (by value, true is 1), strings (UTF-8 bytes), null, arrays,
 * objects.
 */
export function compareValues(left: Value, right: Value, compareText: CompareText = compareBytes): number {
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (typeof left === 'number' && typeof right === 'number') return left < right ? -1 : left > right ? 1 : 0;
  const rank = rankOf(left);
  const difference = rank - rankOf(right);
  if (difference !== 0) return difference;
  switch (rank) {
    case NUMBER:
      return compareNumbers(numeric(left as Numeric), numeric(right as Numeric));
    case ARRAY:
      return compareItems((left as ArrayValue).items, (right as ArrayValue).items);
    case OBJECT:
      return compareMembers((left as ObjectValue).members, (right as ObjectValue).members);
    default:
      return 0;
  }
}

/** Equality as `=` has it between values that are not MISSING: containers deeply, numbers by value, true is 1. */
export function equalValues(left: PresentValue, right: PresentValue): boolean {
  if (typeof left === 'string' || typeof right === 'string') return left === right;
  if (left instanceof ArrayValue && right instanceof ArrayValue && left.json === right.json) return true;
  if (left instanceof ObjectValue && right instanceof ObjectValue && left.json === right.json) return true;
  return compareValues(left, right) === 0;
}

const MISSING = 0;
const NUMBER = 1;
const STRING = 2;
const NULL = 3;
const ARRAY = 4;
const OBJECT = 5;

function rankOf(value: Value): number {
  switch (typeof value) {
    case 'undefined':
      return MISSING;
    case 'string':
      return STRING;
    case 'object':
      return value === null ? NULL : value instanceof ArrayValue ? ARRAY : OBJECT;
    default:
      return NUMBER;
  }
}

type Numeric = boolean | bigint | number;

/** Booleans are 1 and 0 wherever a number is wanted. */
function numeric(value: Numeric): bigint | number {
  return typeof value === 'boolean' ? (value ? 1 : 0) : value;
}

function compareNumbers(left: bigint | number, right: bigint | number): number {
  // JavaScript compares an integer with a double exactly.
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareItems(left: readonly PresentValue[], right: readonly PresentValue[]): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = compareInside(left[index]!, right[index]!);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** By sorted names, then by their values: the order of members does not count. */
function compareMembers(left: ReadonlyMap<string, PresentValue>, right: ReadonlyMap<string, PresentValue>): number {
  const leftNames = [...left.keys()].sort(compareBytes);
  const rightNames = [...right.keys()].sort(compareBytes);
  for (let index = 0; index < leftNames.length && index < rightNames.length; index++) {
    const name = leftNames[index]!;
    const difference = compareBytes(name, rightNames[index]!) || compareInside(left.get(name)!, right.get(name)!);
    if (difference !== 0) return difference;
  }
  return leftNames.length - rightNames.length;
}

/** Inside a container a boolean is no number: `[true]` and `[1]` differ. */
function compareInside(left: PresentValue, right: PresentValue): number {
  if (typeof left === 'boolean' || typeof right === 'boolean') {
    if (typeof left === typeof right) return Number(left) - Number(right);
    return typeof left === 'boolean' ? -1 : 1;
  }
  return compareValues(left, right);
}
