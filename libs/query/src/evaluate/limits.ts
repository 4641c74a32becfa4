import { EdgeError } from '@edgesync/errors';
import type { Value } from '../values.js';

const WHOLE_NUMBER = /^\s*[+-]?\d+\s*$/;

/**
 * The number of rows that LIMIT or OFFSET means: a whole number, or text that spells one; a negative one counts as 0.
 * @throws EdgeError `query.runtime` for any other value
 */
export function rowCount(clause: 'LIMIT' | 'OFFSET', value: Value): number {
  const isWhole =
    typeof value === 'bigint' || Number.isInteger(value) || (typeof value === 'string' && WHOLE_NUMBER.test(value));
  if (!isWhole) throw new EdgeError('query.runtime', `${clause} needs a whole number`);
  return Math.max(0, Number(value));
}
