import { checkJson, getMember } from '@edgesync/document';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import type { QueryParameters } from '../http/query-string.js';

/** A statement as a client sends it, or the name of one. Parameters are a JSON object in the spelling of the client. */
export interface AskedStatement {
  readonly query?: string;
  readonly name?: string;
  readonly parameters?: string;
}

/**
 * Reads `{"query": …, "parameters": {…}}`; `params` is another name for `parameters`, null is the same as absent. Values
 * keep their spelling: integers beyond 2^53 stay exact.
 * @throws EdgeError `request.json`, `request.invalid`
 */
export function readAskedStatement(text: string): AskedStatement {
  const json = object(text, 'the body');
  return {
    ...stringMember(json, 'query'),
    ...stringMember(json, 'name'),
    ...parametersMember(json),
  };
}

/**
 * Reads a body that is an object of parameters; an empty one has none.
 * @throws EdgeError `request.json`, `request.invalid`
 */
export function readParametersBody(text: string): string | undefined {
  return /^\s*$/.test(text) ? undefined : object(text, 'the body');
}

/** Parameters of a URL: a value that is a JSON scalar means that, any other is text. */
export function readParametersOfUrl(query: QueryParameters): string {
  const members = Object.entries(query).map(([name, value]) => `${JSON.stringify(name)}:${scalar(value)}`);
  return `{${members.join()}}`;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function scalar(text: string): string {
  if (NUMBER.test(text) || text === 'true' || text === 'false' || text === 'null') return text;
  if (!text.startsWith('"')) return JSON.stringify(text);
  try {
    return checkJson(text);
  } catch {
    return JSON.stringify(text);
  }
}

function object(text: string, what: string): string {
  let json: string;
  try {
    json = checkJson(text);
  } catch (error) {
    if (isEdgeError(error, 'doc.invalid')) throw new EdgeError('request.invalid', error.message);
    throw error;
  }
  if (!json.startsWith('{')) throw new EdgeError('request.invalid', `${what} must be a JSON object`);
  return json;
}

function stringMember<Name extends string>(json: string, name: Name): Partial<Record<Name, string>> {
  const member = getMember(json, name) ?? 'null';
  if (member === 'null') return {};
  if (!member.startsWith('"')) throw new EdgeError('request.invalid', `"${name}" must be a string`);
  return { [name]: JSON.parse(member) as string } as Record<Name, string>;
}

function parametersMember(json: string): { parameters?: string } {
  for (const name of ['parameters', 'params']) {
    const member = getMember(json, name) ?? 'null';
    if (member === 'null') continue;
    if (!member.startsWith('{')) throw new EdgeError('request.invalid', `"${name}" must be an object`);
    return { parameters: member };
  }
  return {};
}
