import { textOf, wholeNumber } from '../evaluate/numbers.js';
import { ArrayValue, isArray, isObject, ObjectValue, type PresentValue, type Value } from '../values.js';
import { type ScalarFunction, strictUnary } from './strict.js';

const EMPTY_OBJECT = ObjectValue.of([]);

function typeOf(value: Exclude<PresentValue, null>): string {
  switch (typeof value) {
    case 'bigint':
      return 'number';
    case 'object':
      return value.kind;
    default:
      return typeof value;
  }
}

const isType = (...types: string[]): ScalarFunction => strictUnary((value) => types.includes(typeOf(value)));

/** The one item of an array or object; null for any other container. */
function toAtom(value: Exclude<PresentValue, null>): Value {
  if (!isArray(value) && !isObject(value)) return value;
  const items = isArray(value) ? value.items : [...value.members.values()];
  return items.length === 1 ? items[0] : null;
}

function toBoolean(value: Exclude<PresentValue, null>): boolean {
  if (isArray(value)) return value.items.length > 0;
  if (isObject(value)) return value.members.size > 0;
  return Boolean(value);
}

function toNumber(value: Exclude<PresentValue, null>): Value {
  switch (typeof value) {
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return wholeNumber(value) ?? null;
    case 'object':
      return null;
    default:
      return value;
  }
}

export const TYPE_FUNCTIONS = {
  ISARRAY: isType('array'),
  ISATOM: isType('boolean', 'number', 'string'),
  ISBOOLEAN: isType('boolean'),
  ISNUMBER: isType('number'),
  ISOBJECT: isType('object'),
  ISSTRING: isType('string'),
  TYPE: strictUnary(typeOf),
  TOARRAY: strictUnary((value) => (isArray(value) ? value : ArrayValue.of([value]))),
  TOATOM: strictUnary(toAtom),
  TOBOOLEAN: strictUnary(toBoolean),
  TONUMBER: strictUnary(toNumber),
  TOOBJECT: strictUnary((value) => (isObject(value) ? value : EMPTY_OBJECT)),
  TOSTRING: strictUnary((value) => (typeof value === 'object' ? null : textOf(value))),
} satisfies Record<string, ScalarFunction>;
