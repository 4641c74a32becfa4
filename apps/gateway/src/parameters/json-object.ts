import { EdgeError } from '@edgesync/errors';

/**
 * Reads a body that carries parameters. Of a repeated name the last one counts, as usual in JSON; no name means anything
 * beyond itself.
 * @throws EdgeError `request.json`, `request.invalid` if it is no object
 */
export function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new EdgeError('request.json');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EdgeError('request.invalid', 'the body must be a JSON object');
  return value as Record<string, unknown>;
}
