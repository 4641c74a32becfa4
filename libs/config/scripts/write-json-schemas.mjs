// Writes the JSON schemas of the configuration and the users file to ../schema, from the built library.
// Usage, after a build: node libs/config/scripts/write-json-schemas.mjs
import { writeFileSync } from 'node:fs';
import { configJsonSchema, usersJsonSchema } from '../dist/json-schemas.js';

const write = (name, schema) =>
  writeFileSync(new URL(`../schema/${name}`, import.meta.url), `${JSON.stringify(schema, null, 2)}\n`);

write('edgesync.config.schema.json', configJsonSchema());
write('users.schema.json', usersJsonSchema());
