import { compareValues } from '../evaluate/compare.js';
import { cutToInteger } from '../evaluate/numbers.js';
import type { Value } from '../values.js';
import { type ScalarFunction, strict, strictUnary } from './strict.js';

/** A number, true and false as 1 and 0; undefined for all else. */
function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'bigint' || typeof value === 'number' ? value : undefined;
}

/** Null for what is no number: a result outside of the domain, or beyond the range of doubles. */
const finite = (result: number): number | null => (Number.isFinite(result) ? result : null);

const unary = (call: (x: number) => number): ScalarFunction =>
  strictUnary((value) => {
    const x = numberOf(value);
    return x === undefined ? null : finite(call(Number(x)));
  });

const binary = (call: (x: number, y: number) => number): ScalarFunction =>
  strict((left, right) => {
    const x = numberOf(left);
    const y = numberOf(right);
    return x === undefined || y === undefined ? null : finite(call(Number(x), Number(y)));
  });

/** Rounds at a number of decimal digits: f(x·10^d) / 10^d. */
const rounding = (round: (x: number) => number): ScalarFunction => {
  const atDigits = binary((x, digits) => {
    const scale = 10 ** Math.trunc(digits);
    const scaled = x * scale;
    // So many digits change nothing.
    return Number.isFinite(scaled) ? round(scaled) / scale : x;
  });
  return (...values) => atDigits(values[0], values.length === 1 ? 0n : values[1]);
};

function halfAwayFromZero(x: number): number {
  const whole = Math.trunc(x);
  return Math.abs(x - whole) >= 0.5 ? whole + Math.sign(x) : whole;
}

function halfToEven(x: number): number {
  const whole = Math.trunc(x);
  const rest = Math.abs(x - whole);
  if (rest === 0.5) return whole % 2 === 0 ? whole : whole + Math.sign(x);
  return rest > 0.5 ? whole + Math.sign(x) : whole;
}

const extreme = (sign: 1 | -1): ScalarFunction => {
  return (...values) => {
    if (values.includes(undefined)) return undefined;
    return values.reduce((best, value) => (compareValues(value, best) * sign > 0 ? value : best));
  };
};

const DEGREES = 180 / Math.PI;

export const NUMBER_FUNCTIONS = {
  ABS: unary(Math.abs),
  CEIL: unary(Math.ceil),
  FLOOR: unary(Math.floor),
  SQRT: unary(Math.sqrt),
  EXP: unary(Math.exp),
  LN: unary(Math.log),
  LOG: unary(Math.log10),
  SIN: unary(Math.sin),
  COS: unary(Math.cos),
  TAN: unary(Math.tan),
  ASIN: unary(Math.asin),
  ACOS: unary(Math.acos),
  ATAN: unary(Math.atan),
  DEGREES: unary((x) => x * DEGREES),
  RADIANS: unary((x) => x / DEGREES),
  E: () => Math.E,
  PI: () => Math.PI,
  ROUND: rounding(halfAwayFromZero),
  ROUND_EVEN: rounding(halfToEven),
  TRUNC: rounding(Math.trunc),
  DIV: binary((x, y) => (y === 0 ? NaN : x / y)),
  IDIV: strict((left, right) => {
    const x = numberOf(left);
    const y = numberOf(right);
    if (x === undefined || y === undefined) return null;
    const divisor = cutToInteger(y);
    return divisor === 0n ? null : cutToInteger(x) / divisor;
  }),
  SIGN: strictUnary((value) => {
    const x = numberOf(value);
    return x === undefined ? null : BigInt(Math.sign(Number(x)));
  }),
  POWER: binary((x, y) => x ** y),
  ATAN2: binary(Math.atan2),
  GREATEST: extreme(1),
  LEAST: extreme(-1),
} satisfies Record<string, ScalarFunction>;
