import { configShape } from './config-schema.js';
import type { JsonSchema } from './json-schema.js';
import { NOT_SUPPORTED_YET } from './supported.js';
import { usersShape } from './users-schema.js';

const DRAFT = 'http://json-schema.org/draft-07/schema#';

/** The JSON schema of the configuration file, for editors and other tools. */
export function configJsonSchema(): JsonSchema {
  const schema = NOT_SUPPORTED_YET.reduce(
    (described, path) => markUnsupported(described, path.split('.')),
    configShape.json,
  );
  return {
    $schema: DRAFT,
    title: 'edgesync configuration',
    description: 'The configuration file of edgesync, compatible with Couchbase Edge Server 1.1.',
    ...schema,
  };
}

/** The JSON schema of the users file. */
export function usersJsonSchema(): JsonSchema {
  return {
    $schema: DRAFT,
    title: 'edgesync users',
    description: 'The users file of edgesync: user names and what the users may do.',
    ...usersShape.json,
    properties: { $schema: { type: 'string', description: 'Where editors find the schema of this file.' } },
  };
}

/** Adds to the description of the key at `path` that it cannot be used yet. */
function markUnsupported(schema: JsonSchema, [key, ...rest]: string[]): JsonSchema {
  if (key === undefined) return { ...schema, description: `${schema.description ?? ''} Not supported yet.` };
  if (key === '*')
    return { ...schema, additionalProperties: markUnsupported(schema.additionalProperties as JsonSchema, rest) };
  return { ...schema, properties: { ...schema.properties, [key]: markUnsupported(schema.properties![key]!, rest) } };
}
