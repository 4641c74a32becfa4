import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatIssue } from './config-issue.js';
import type { DatabaseConfig } from './edge-config.js';
import { readConfig, type ReadConfig } from './read-config.js';

const read = (database: object): ReadConfig =>
  readConfig(JSON.stringify({ databases: { plant: { path: 'plant.cblite2', ...database } } }), {
    file: 'edge.json5',
    unsupported: [],
  });

const issues = (database: object): string => {
  const result = read(database);
  return result.ok ? '' : result.issues.map(formatIssue).join('\n');
};

const warnings = (database: object): string[] => {
  const result = read(database);
  if (!result.ok) throw new Error(result.issues.map(formatIssue).join('\n'));
  return result.warnings.map(formatIssue).filter((line) => line.includes('databases.plant.'));
};

const plant = (database: object): DatabaseConfig => {
  const result = read(database);
  if (!result.ok) throw new Error(result.issues.map(formatIssue).join('\n'));
  return result.value.databases.get('plant')!;
};

describe('named queries', () => {
  it.each([
    [{ q: 'SELECT a FROM' }, 'databases.plant.queries.q: is not a valid statement: syntax error at line 1, column 14'],
    [{ q: 'SELECT a\nFROM _\nGROUP city' }, 'line 3, column 7'],
    [{ q: 'SELECT 1' }, 'the statement has no FROM (line 1, column 1). Correct it.'],
    [{ q: { statement: 'SELECT META().cas FROM _' } }, 'databases.plant.queries.q.statement: is not a valid statement'],
    [{ 'a b': 'DELETE FROM _' }, 'databases.plant.queries["a b"]: is not a valid statement'],
  ])('%j is refused with its place', (queries, message) => {
    expect(issues({ queries })).toContain(message);
  });

  it('may read any collection of a database whose collections are not listed', () => {
    expect(warnings({ queries: { q: 'SELECT 1 FROM a.b JOIN travel.inventory.hotel h ON 1' } })).toEqual([]);
  });

  it('are warned of if they read a collection that is not shared', () => {
    const queries = {
      here: 'SELECT 1 FROM _',
      own: 'SELECT 1 FROM plant',
      shared: 'SELECT 1 FROM x.notes.a',
      other: 'SELECT 1 FROM _ WHERE EXISTS (SELECT 1 FROM notes.b)',
    };
    expect(warnings({ collections: ['_default', 'notes.a'], queries })).toEqual([
      'edge.json5: databases.plant.queries.other: reads the collection notes.b, which is not shared. Add it to collections.',
    ]);
  });

  it('are warned of if they use an index that is not defined', () => {
    const queries = { q: "SELECT 1 FROM _ WHERE MATCH(words, 'x') AND MATCH(other, 'x')" };
    const indexes = { words: { type: 'fulltext', expressions: ['body'] } };
    expect(warnings({ queries, indexes })).toEqual([expect.stringContaining('the full-text index "other"')]);
    expect(warnings({ queries })).toHaveLength(2);
  });
});

describe('indexes', () => {
  it('have defaults', () => {
    expect([...plant({ indexes: { i: { expressions: ['city'] } } }).indexes!]).toEqual([
      ['i', { collection: { scope: '_default', collection: '_default' }, type: 'value', expressions: ['city'] }],
    ]);
  });

  it('may use every documented key', () => {
    const text = readFileSync(new URL('../fixtures/every-key.json5', import.meta.url), 'utf8');
    const result = readConfig(text, { file: 'edge.json5', unsupported: [] });
    if (!result.ok) throw new Error(result.issues.map(formatIssue).join('\n'));
    expect([...result.value.databases.get('plant')!.indexes!.values()]).toEqual([
      {
        collection: { scope: 'line1', collection: 'sensors' },
        type: 'value',
        expressions: ['kind', 'LOWER(name)'],
        where: 'active',
      },
      {
        collection: { scope: '_default', collection: '_default' },
        type: 'fulltext',
        expressions: ['title', 'body'],
        where: 'TYPE(body) = "string"',
        language: 'de',
        ignoreAccents: true,
        disableStemming: false,
        stopWords: ['und'],
      },
      {
        collection: { scope: '_default', collection: '_default' },
        type: 'array',
        path: 'contacts[].phones',
        expressions: ['kind', 'number'],
      },
    ]);
    expect(result.value.databases.get('plant')!.queryLimits).toEqual({
      timeout: 10_000,
      running: 4,
      waiting: 16,
      heldRows: 1_000,
      heldBytes: 1_048_576,
      slow: 100,
      liveInterval: 500,
    });
  });

  it.each([
    [{}, 'i.expressions: has no expressions.'],
    [{ expressions: [] }, 'i.expressions: has no expressions.'],
    [{ expressions: ['a', 'b +'] }, 'i.expressions[1]: is not a valid expression: syntax error at line 1, column 4'],
    [{ expressions: ['a'], where: 'COUNT(*) > 1' }, 'i.where: is not a valid expression: an index cannot use COUNT()'],
    [{ expressions: ['a'], path: 'b' }, 'i.path: means nothing for an index of type "value". Remove it.'],
    [{ expressions: ['a'], language: 'en' }, 'i.language: means nothing for an index of type "value".'],
    [{ type: 'array' }, 'i.path: is missing.'],
    [{ type: 'array', path: 'a[' }, 'i.path: is not the path of an array'],
    [{ type: 'array', path: 'a', where: 'b' }, 'i.where: means nothing for an index of type "array".'],
    [{ type: 'fulltext', expressions: ['LOWER(a)'] }, 'i.expressions[0]: is not the path of a property.'],
    [{ type: 'fulltext', expressions: ['a'], language: 'klingon' }, 'i.language: is "klingon". It must be one of da,'],
    [{ type: 'vector', expressions: ['a'] }, 'i.type: is "vector". It must be "value", "fulltext" or "array".'],
    [{ expressions: ['a'], collection: '_x' }, 'i.collection: is "_x". It must be "collection"'],
    [{ expression: ['a'] }, 'i.expression: is not a known key. Did you mean "expressions"?'],
  ])('%j is refused', (index, message) => {
    expect(issues({ indexes: { i: index } })).toContain(message);
  });

  it('are warned of if their collection is not shared', () => {
    expect(warnings({ collections: ['a'], indexes: { i: { collection: 'b', expressions: ['x'] } } })).toEqual([
      'edge.json5: databases.plant.indexes.i: is for the collection _default.b, which is not shared. Add it to collections.',
    ]);
  });
});
