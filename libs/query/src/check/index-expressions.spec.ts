import { describe, expect, test } from 'vitest';
import { QueryError } from '../query-error.js';
import { checkArrayPath, checkIndexExpression } from './index-expressions.js';

describe('an expression of an index', () => {
  test('reads properties of one document', () => {
    expect(checkIndexExpression('address.lines[0]')).toEqual({
      type: 'property',
      source: 0,
      path: ['address', 'lines', 0],
    });
    expect(checkIndexExpression('META().id')).toEqual({ type: 'meta', source: 0, member: 'id' });
    expect(checkIndexExpression("type = 'person' AND ANY t IN tags SATISFIES LENGTH(t) > 2 END")).toMatchObject({
      operator: 'AND',
    });
  });

  test.each([
    ['COUNT(*)', 'COUNT()'],
    ['age = $min', 'the parameter $min'],
    ["MATCH(i, 'x')", 'MATCH()'],
    ['EXISTS (SELECT 1 FROM _)', 'EXISTS'],
    ['META().expiration', 'META() but its id'],
    ['_deleted', 'META() but its id'],
    ['META()', 'META() but its id'],
    ['1', 'a constant'],
    ['city COLLATE NOCASE', 'a collation'],
    ['city, age', 'expected'],
    ['', 'expected an expression'],
    ['NOSUCH(city)', 'no function NOSUCH()'],
  ])('%s: refused for %s', (text, reason) => {
    expect(() => checkIndexExpression(text)).toThrow(QueryError);
    expect(() => checkIndexExpression(text)).toThrow(reason);
  });
});

describe('the path of an array index', () => {
  test.each([
    ['tags', [['tags']]],
    ['tags[]', [['tags']]],
    ['contacts[].phones', [['contacts'], ['phones']]],
    ['a.b[].c[0].`d e`[].f', [['a', 'b'], ['c', 0, 'd e'], ['f']]],
  ])('%s', (text, levels) => {
    expect(checkArrayPath(text)).toEqual(levels);
  });

  test.each(['', 'a[', 'a[]b', 'a.[]', '[]', 'a[].', 'a b', 'a[x]'])('%j is malformed', (text) => {
    expect(() => checkArrayPath(text)).toThrow(QueryError);
  });
});
