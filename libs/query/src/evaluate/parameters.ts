import { checkJson, topLevelMembers } from '@edgesync/document';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import type { Parameters } from '../plan.js';
import type { Statement } from '../statement.js';
import { decode, type Value } from '../values.js';

/** Parameters of this name need no value: they are MISSING without one. */
const OPTIONAL = /^opt_/;

/**
 * The values of a statement's parameters, exactly as a JSON object spells them.
 * @param json undefined if there are none
 * @throws EdgeError `query.parameter` if one is missing or unknown, or `json` is no object
 */
export function bindParameters(statement: Pick<Statement, 'parameters'>, json?: string): Parameters {
  const values = new Map<string, Value>();
  for (const { key, valueText } of json === undefined ? [] : topLevelMembers(objectText(json))) {
    if (!statement.parameters.includes(key))
      throw new EdgeError('query.parameter', `unknown query parameter ${JSON.stringify(key)}`);
    values.set(key, decode(valueText));
  }
  const missing = statement.parameters.filter((name) => !values.has(name) && !OPTIONAL.test(name));
  if (missing.length > 0)
    throw new EdgeError('query.parameter', `missing query parameter ${missing.map((name) => `$${name}`).join(', ')}`);
  return values;
}

function objectText(json: string): string {
  try {
    const text = checkJson(json);
    if (text.startsWith('{')) return text;
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    throw new EdgeError('query.parameter', `the parameters: ${error.message}`, { cause: error });
  }
  throw new EdgeError('query.parameter', 'the parameters have to be a JSON object');
}
