/**
 * A value while a statement runs.
 *
 * - `undefined` is MISSING, `null` is JSON null.
 * - An integer is a `bigint`, a float is a `number`: `1` and `1.0` stay apart, and integers stay exact.
 *   SQLite hands them over in the same shapes (`safeIntegers`).
 * - Arrays and objects may still be JSON text: they are parsed when their content matters.
 */
export type Value = undefined | null | boolean | bigint | number | string | ArrayValue | ObjectValue;

/** An array: its items, or the JSON text they come from. MISSING items do not exist. */
export interface ArrayValue {
  readonly kind: 'array';
  readonly items: readonly Exclude<Value, undefined>[];
  /** Compact JSON, as the client wrote it if it comes from a document. */
  readonly json: string;
}

/** An object: its members in their order, or the JSON text they come from. */
export interface ObjectValue {
  readonly kind: 'object';
  readonly members: ReadonlyMap<string, Exclude<Value, undefined>>;
  /** Compact JSON, as the client wrote it if it comes from a document. */
  readonly json: string;
}
