import { equalValues } from '../evaluate/compare.js';
import { ArrayValue, isArray, type PresentValue, type Value } from '../values.js';
import { type ScalarFunction, strict, strictUnary } from './strict.js';

/** Null for what is no array. */
const ofArray = (call: (items: readonly PresentValue[]) => Value): ScalarFunction =>
  strictUnary((value) => (isArray(value) ? call(value.items) : null));

/** The items that are numbers, true and false as 1 and 0. */
function numbersIn(items: readonly PresentValue[]): number[] {
  const numbers: number[] = [];
  for (const item of items) if (NUMERIC.has(typeof item)) numbers.push(Number(item));
  return numbers;
}

const NUMERIC = new Set(['boolean', 'bigint', 'number']);

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/** Null if there is no number. */
const ofNumbers = (choose: (left: number, right: number) => number): ScalarFunction =>
  ofArray((items) => {
    const numbers = numbersIn(items);
    return numbers.length === 0 ? null : numbers.reduce((left, right) => choose(left, right));
  });

export const ARRAY_FUNCTIONS = {
  ARRAY_LENGTH: ofArray((items) => BigInt(items.length)),
  ARRAY_COUNT: ofArray((items) => BigInt(items.filter((item) => item !== null).length)),
  ARRAY_CONTAINS: strict((array, value) =>
    isArray(array) ? array.items.some((item) => equalValues(item, value)) : null,
  ),
  ARRAY_SUM: ofArray((items) => sum(numbersIn(items))),
  ARRAY_AVG: ofArray((items) => {
    const numbers = numbersIn(items);
    return numbers.length === 0 ? 0 : sum(numbers) / numbers.length;
  }),
  ARRAY_MIN: ofNumbers(Math.min),
  ARRAY_MAX: ofNumbers(Math.max),
  ARRAY_IFNULL: ofArray((items) => items.find((item) => item !== null) ?? null),
  ARRAY_OF: (...values) => ArrayValue.of(values),
} satisfies Record<string, ScalarFunction>;
