import { ARRAY_FUNCTIONS } from './arrays.js';
import { CONDITIONAL_FUNCTIONS } from './conditional.js';
import { DATE_FUNCTIONS } from './dates.js';
import { NUMBER_FUNCTIONS } from './maths.js';
import { REGULAR_EXPRESSION_FUNCTIONS } from './regular-expressions.js';
import type { ScalarFunction } from './strict.js';
import { TEXT_FUNCTIONS } from './text.js';
import { TYPE_FUNCTIONS } from './types.js';

/** The scalar functions by their canonical names. */
export const SCALAR_FUNCTIONS: Readonly<Record<string, ScalarFunction>> = {
  ...TEXT_FUNCTIONS,
  ...REGULAR_EXPRESSION_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...ARRAY_FUNCTIONS,
  ...CONDITIONAL_FUNCTIONS,
  ...TYPE_FUNCTIONS,
  ...DATE_FUNCTIONS,
};
