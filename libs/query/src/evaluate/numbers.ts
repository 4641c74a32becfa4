import { EdgeError } from '@edgesync/errors';
import { encode, isArray, isObject, type PresentValue, type Value } from '../values.js';
import { compareBytes } from '@edgesync/document';

/** The number that text begins with, white space before it aside: sign, digits, fraction, exponent. */
const LEADING_NUMBER = /^[\t-\r ]*([+-]?(?:\d+(\.\d*)?|(\.\d+))([eE][+-]?\d+)?)/;

/** An integer where text spells one that has 64 bits, else a double; 0 without a leading number. */
export function leadingNumber(text: string): bigint | number {
  const match = LEADING_NUMBER.exec(text);
  if (!match) return 0n;
  const [, number, fraction, bareFraction, exponent] = match;
  if (fraction !== undefined || bareFraction !== undefined || exponent !== undefined) return Number(number);
  return integerOrDouble(number!);
}

/** As {@link leadingNumber}, but the whole text has to be a number, blanks around it aside. */
export function wholeNumber(text: string): bigint | number | undefined {
  const match = LEADING_NUMBER.exec(text);
  return match && text.slice(match[0].length).trim() === '' ? leadingNumber(text) : undefined;
}

function integerOrDouble(digits: string): bigint | number {
  const double = Number(digits);
  if (Math.abs(double) > 1e19) return double;
  return fit(BigInt(digits.startsWith('+') ? digits.slice(1) : digits));
}

/** An integer that does not fit into 64 bits is a double. */
export function fit(integer: bigint): bigint | number {
  return BigInt.asIntN(64, integer) === integer ? integer : Number(integer);
}

/** The number of a value in arithmetic: text its leading number; null and containers 0, as in the engine. */
export function operand(value: PresentValue): bigint | number {
  switch (typeof value) {
    case 'bigint':
    case 'number':
      return value;
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return leadingNumber(value);
    default:
      return 0n;
  }
}

export function add(left: Value, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  const a = operand(left);
  const b = operand(right);
  return typeof a === 'bigint' && typeof b === 'bigint' ? fit(a + b) : double(Number(a) + Number(b));
}

export function subtract(left: Value, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  const a = operand(left);
  const b = operand(right);
  return typeof a === 'bigint' && typeof b === 'bigint' ? fit(a - b) : double(Number(a) - Number(b));
}

export function multiply(left: Value, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  const a = operand(left);
  const b = operand(right);
  return typeof a === 'bigint' && typeof b === 'bigint' ? fit(a * b) : double(Number(a) * Number(b));
}

/** Truncates between integers; MISSING for a divisor of zero. */
export function divide(left: Value, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  const a = operand(left);
  const b = operand(right);
  if (Number(b) === 0) return undefined;
  return typeof a === 'bigint' && typeof b === 'bigint' ? fit(a / b) : double(Number(a) / Number(b));
}

/** The remainder of the operands cut to integers, with the sign of the left one; MISSING for a divisor of zero. */
export function remainder(left: Value, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  const a = operand(left);
  const b = operand(right);
  const divisor = cutToInteger(b);
  if (divisor === 0n) return undefined;
  const result = cutToInteger(a) % divisor;
  return typeof a === 'bigint' && typeof b === 'bigint' ? result : Number(result);
}

export function negate(value: Value): Value {
  return subtract(0n, value);
}

const LARGEST = 2n ** 63n - 1n;
const SMALLEST = -(2n ** 63n);

/** Towards zero, into 64 bits. */
export function cutToInteger(value: bigint | number): bigint {
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 0n;
    if (value >= 2 ** 63) return LARGEST;
    if (value <= -(2 ** 63)) return SMALLEST;
    return BigInt(Math.trunc(value));
  }
  return value > LARGEST ? LARGEST : value < SMALLEST ? SMALLEST : value;
}

/** Not-a-number has no place among values: it is null. */
export function double(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** A value as a condition: undefined for MISSING. */
export function truth(value: Value): boolean | undefined {
  switch (typeof value) {
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
      return value !== 0n;
    case 'number':
      return value !== 0;
    case 'string':
      return Number(leadingNumber(value)) !== 0;
    default:
      return false;
  }
}

/** The longest text that a statement may make, in characters: documents are smaller, and memory has to hold it. */
export const MAX_TEXT_LENGTH = 16 * 1024 * 1024;

/** @throws EdgeError `query.runtime` if a text is longer than {@link MAX_TEXT_LENGTH} */
export function checkTextLength(length: number): void {
  if (length > MAX_TEXT_LENGTH)
    throw new EdgeError('query.runtime', `the statement makes a text of more than ${MAX_TEXT_LENGTH} characters`);
}

/** @throws EdgeError `query.runtime` if the text would be longer than {@link MAX_TEXT_LENGTH} */
export function joinText(left: string, right: string): string {
  checkTextLength(left.length + right.length);
  return left + right;
}

/**
 * A value as text, for `||` and CONCAT. Arrays and objects are compact JSON; members are sorted by name, so that equal
 * values have the same text.
 */
export function textOf(value: PresentValue): string {
  return typeof value === 'string' ? value : jsonOf(value);
}

function jsonOf(value: PresentValue): string {
  if (isArray(value)) return `[${value.items.map(jsonOf).join()}]`;
  if (!isObject(value)) return encode(value);
  const members = [...value.members].sort(([left], [right]) => compareBytes(left, right));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jsonOf(member)}`).join()}}`;
}
