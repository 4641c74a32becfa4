import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { parseCollectionName, checkDatabaseName } from '@edgesync/document';
import { parseKeyspacePattern } from '@edgesync/access';
import { describe, expect, it } from 'vitest';
import { configJsonSchema, usersJsonSchema } from './json-schemas.js';
import { parseJson5 } from './json5-text.js';
import { ACCESS_PATTERN, COLLECTION_NAME, DATABASE_NAME } from './names.js';
import { readConfig } from './read-config.js';
import { readUsers } from './read-users.js';
import { Report } from './shape.js';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
const shipped = (name: string) =>
  JSON.parse(readFileSync(new URL(`../schema/${name}`, import.meta.url), 'utf8')) as object;
const valueOf = (text: string) => parseJson5(text, new Report('x').root);

const ajv = new Ajv({ allErrors: true });
const acceptsConfig = ajv.compile(shipped('edgesync.config.schema.json'));
const acceptsUsers = ajv.compile(shipped('users.schema.json'));

describe('the shipped JSON schemas', () => {
  it('are current (libs/config/scripts/write-json-schemas.mjs writes them)', () => {
    expect(shipped('edgesync.config.schema.json')).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
    expect(shipped('users.schema.json')).toEqual(JSON.parse(JSON.stringify(usersJsonSchema())));
  });

  it('describe every key', () => {
    const undescribed: string[] = [];
    const visit = (schema: unknown, path: string) => {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [key, member] of Object.entries((schema as { properties?: object }).properties ?? {}))
        if (!(member as { description?: string }).description) undescribed.push(`${path}.${key}`);
      for (const [key, member] of Object.entries(schema)) visit(member, `${path}.${key}`);
    };
    visit(shipped('edgesync.config.schema.json'), 'config');
    visit(shipped('users.schema.json'), 'users');
    expect(undescribed).toEqual([]);
  });

  const path = 'a.cblite2';
  it.each([
    fixture('documented-example.json5'),
    fixture('every-key.json5'),
    '{databases: {}}',
    `{databases: {a: {path: '${path}', enable_client_sync: true, collections: ['x', 'y.z']}}}`,
    '{}',
    '[]',
    '{databases: []}',
    '{databases: {}, database: {}}',
    `{databases: {'a.b': {path: '${path}'}}}`,
    '{databases: {a: {path: "a.db"}}}',
    `{databases: {a: {path: '${path}', create: 'true'}}}`,
    `{databases: {a: {path: '${path}', create: null}}}`,
    `{databases: {a: {path: '${path}', enable_client_sync: 'both'}}}`,
    `{databases: {a: {path: '${path}', collections: {x: 1}}}}`,
    `{databases: {a: {path: '${path}', collections: ['_x']}}}`,
    '{databases: {}, interface: "::1"}',
    '{databases: {}, https: {}}',
    '{databases: {}, logging: {file: {dir: "x", maxSize: 1}}}',
    '{databases: {}, logging: {file: {dir: "x", format: "binary"}}}',
    '{databases: {}, logging: {file: {dir: "x", format: "text"}}}',
    '{databases: {}, logging: {audit: {enable: "x"}}}',
    '{databases: {}, cors: {headers: ["Content Type"]}}',
    '{databases: {}, replications: [{source: "a", target: "b", auth: {openid_token: {}}}]}',
  ])('judge the configuration %j as the reader does', (text) => {
    const read = readConfig(text, { file: 'x', unsupported: [] });
    expect(acceptsConfig(valueOf(text))).toBe(read.ok);
  });

  const hash = '$2y$05$abcdefghijklmnopqrstuuu3t5BQqTXJZlEfJFqZ4l2Ii1bZbmXSe';
  it.each([
    '{}',
    `{$schema: 'x', alice: {password: '${hash}', roles: ['admin', 'replicate'], access: {'*': ['read', 'write'], a: []}}}`,
    '{alice: {}}',
    '{alice: {password: "x"}}',
    `{alice: {password: '${hash}x'}}`,
    '{alice: {roles: "admin"}}',
    '{alice: {roles: ["root"]}}',
    '{alice: {access: {"a.b.c.d": []}}}',
    '{alice: {access: {"a.*.c": []}}}',
    '{alice: {acess: {}}}',
    '{"a:b": {}}',
    '[]',
  ])('judge the users %j as the reader does', (text) => {
    expect(acceptsUsers(valueOf(text))).toBe(readUsers(text, 'x').ok);
  });
});

describe('the patterns of names', () => {
  const succeeds = (parse: (text: string) => unknown) => (text: string) => {
    try {
      parse(text);
      return true;
    } catch {
      return false;
    }
  };
  const name = fc
    .array(
      fc.constantFrom('a', 'Z', '0', '_', '-', '%', '.', '*', ' ', 'é', '_default', 'x'.repeat(239), 'y'.repeat(251)),
      {
        maxLength: 6,
      },
    )
    .map((pieces) => pieces.join(''));

  it.each([
    ['databases', DATABASE_NAME.pattern, succeeds(checkDatabaseName)],
    ['collections', COLLECTION_NAME.pattern, succeeds(parseCollectionName)],
    ['access rules', ACCESS_PATTERN.pattern, succeeds(parseKeyspacePattern)],
  ] as const)('accept what the parser of %s accepts', (_, pattern, parses) => {
    fc.assert(
      fc.property(name, (text) => {
        expect(pattern.test(text)).toBe(parses(text));
      }),
      { numRuns: 2000 },
    );
  });
});
