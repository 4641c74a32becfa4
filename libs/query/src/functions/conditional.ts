import { equalValues } from '../evaluate/compare.js';
import { type ScalarFunction, strict } from './strict.js';

export const CONDITIONAL_FUNCTIONS = {
  IFMISSING: (...values) => values.find((value) => value !== undefined),
  /** MISSING is not null: it ends the search. */
  IFNULL: (...values) => {
    const index = values.findIndex((value) => value !== null);
    return index < 0 ? null : values[index];
  },
  IFMISSINGORNULL: (...values) => values.find((value) => value !== undefined && value !== null) ?? null,
  MISSINGIF: strict((left, right) => (equalValues(left, right) ? undefined : left)),
  NULLIF: strict((left, right) => (equalValues(left, right) ? null : left)),
} satisfies Record<string, ScalarFunction>;
