import { ArrayValue, type PresentValue, type Value } from '../values.js';
import { compareBytes } from '@edgesync/document';

/**
 * A value by which equal values find each other in a Map: numbers by value, true as 1, containers deeply.
 */
export type Key = undefined | null | string | number | bigint;

/** The key of one value, for GROUP BY and joins. */
export function keyOf(value: Value): Key {
  switch (typeof value) {
    case 'string':
      // Text that could be taken for a key with a mark gets one itself.
      return value.startsWith('\0') ? TEXT + value : value;
    case 'boolean':
      return value ? 1 : 0;
    case 'bigint':
    case 'number':
      return numberKey(value);
    case 'undefined':
      return undefined;
    default:
      return value === null ? null : CONTAINER + insideKey(value);
  }
}

/** The key of several values; one has its own, cheaper form. */
export function compositeKey(values: readonly Value[]): Key {
  if (values.length === 1) return keyOf(values[0]);
  let key = '';
  for (const value of values) key += part(keyOf(value));
  return key;
}

/** The key of a row for DISTINCT, which keeps true and 1 apart. */
export function rowKey(values: readonly Value[]): string {
  let key = '';
  for (const value of values) key += typeof value === 'boolean' ? (value ? 't' : 'f') : part(keyOf(value));
  return key;
}

const CONTAINER = '\0c';
const TEXT = '\0s';

function part(key: Key): string {
  switch (typeof key) {
    case 'string':
      return `s${key.length}:${key}`;
    case 'undefined':
      return 'm';
    case 'object':
      return 'n';
    default:
      return `${key};`;
  }
}

/** A double where it stands for the integer exactly, else the integer. */
function numberKey(value: bigint | number): number | bigint {
  if (typeof value === 'number') return Number.isSafeInteger(value) || !Number.isInteger(value) ? value : BigInt(value);
  const double = Number(value);
  return Number.isSafeInteger(double) ? double : value;
}

/** Canonical text of a value inside a container, where a boolean is no number. */
function insideKey(value: PresentValue): string {
  switch (typeof value) {
    case 'boolean':
      return value ? 't' : 'f';
    case 'object':
      if (value === null) return 'n';
      if (value instanceof ArrayValue) return `[${value.items.map(insideKey).join()}]`;
      return `{${[...value.members]
        .sort(([left], [right]) => compareBytes(left, right))
        .map(([name, member]) => JSON.stringify(name) + insideKey(member))
        .join()}}`;
    case 'string':
      return JSON.stringify(value);
    default:
      return String(numberKey(value));
  }
}
