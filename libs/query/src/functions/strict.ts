import type { PresentValue, Value } from '../values.js';

/** A function of values, any of which may be MISSING. */
export type ScalarFunction = (...values: Value[]) => Value;

type Valued = Exclude<PresentValue, null>;

/** MISSING in, MISSING out; null in, null out; any MISSING wins over any null. */
export function strict(call: (...values: Valued[]) => Value): ScalarFunction {
  return (...values) => {
    if (values.includes(undefined)) return undefined;
    return values.includes(null) ? null : call(...(values as Valued[]));
  };
}

/** As {@link strict}, for one argument. */
export function strictUnary(call: (value: Valued) => Value): ScalarFunction {
  return (value) => (value === undefined || value === null ? value : call(value));
}
