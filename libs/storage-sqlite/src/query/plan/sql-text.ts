import type { PathStep } from '@edgesync/query';

/** A string as an SQL literal. */
export const sqlString = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** SQLite cuts larger array indexes to 32 bits. */
const LARGEST_INDEX = 2 ** 31 - 1;

/** A property path as SQLite's JSON functions take it; undefined if no document can have such an item. */
export function jsonPath(steps: readonly PathStep[]): string | undefined {
  let path = '$';
  for (const step of steps) {
    if (typeof step === 'string') path += `.${JSON.stringify(step)}`;
    else if (Math.abs(step) > LARGEST_INDEX) return undefined;
    else path += step < 0 ? `[#${step}]` : `[${step}]`;
  }
  return path;
}

/** A piece of JSON in an SQL statement, such as the body column. */
export interface JsonSql {
  /** SQL of the JSON text; NULL if it is not there. */
  readonly text: string;
  /** SQL of SQLite's own value of it: booleans as 1 and 0, null and what is not there as NULL, containers as text. */
  readonly value: string;
  /** SQL of the type name as `json_type` gives it; NULL if it is not there. */
  readonly type: string;
}

/** @param json SQL of a JSON text */
export function jsonSql(json: string, steps: readonly PathStep[]): JsonSql {
  const path = jsonPath(steps);
  if (path === undefined) return { text: 'NULL', value: 'NULL', type: 'NULL' };
  const literal = sqlString(path);
  return {
    text: steps.length === 0 ? json : `(${json} -> ${literal})`,
    value: `(${json} ->> ${literal})`,
    type: `json_type(${json}, ${literal})`,
  };
}
