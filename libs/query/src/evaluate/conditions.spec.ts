import { describe, expect, it } from 'vitest';
import { prepare } from '../check/checker.js';
import type { Condition } from '../plan.js';
import type { Expression } from '../statement.js';
import { encode } from '../values.js';
import { compile } from './compile.js';

const context = {
  database: 'db',
  keyspace: { scope: '_default', collection: 'c' },
  collections: ['c', 'd'].map((collection) => ({ scope: '_default', collection })),
  fullTextIndexes: () => [],
};

const parameters = new Map([['p', 7n]]);

function spell(expression: Expression): string {
  switch (expression.type) {
    case 'property':
      return expression.path.join('.');
    case 'meta':
      return `#${expression.member}`;
    case 'variable':
      return ['item', ...expression.path].join('.') + String(expression.depth);
    case 'function':
      return `${expression.name}(${expression.arguments.map(spell).join()})`;
    default:
      return expression.type;
  }
}

function show(condition: Condition): string {
  switch (condition.type) {
    case 'compare':
      return `${spell(condition.operand)} ${condition.operator} ${encode(condition.value.value(parameters)!)}`;
    case 'in':
      return `${spell(condition.operand)} in ${condition.values.map((value) => encode(value.value(parameters)!)).join()}`;
    case 'in-array':
      return `${spell(condition.operand)} in-array ${encode(condition.array.value(parameters)!)}`;
    case 'like':
      return `${spell(condition.operand)} like ${encode(condition.pattern.value(parameters)!)}`;
    case 'test':
      return `${spell(condition.operand)} is ${condition.negated ? 'not ' : ''}${condition.test}`;
    case 'any':
      return `any${condition.depth} ${spell(condition.array)} (${condition.items.map(show).join(' & ')})`;
    case 'or':
      return condition.alternatives.map((conditions) => conditions.map(show).join(' & ')).join(' | ');
  }
}

const conditions = (query: string): string[][] =>
  compile(prepare(query, context)).sources.map(({ conditions: found }) => found.map(show));

const where = (condition: string): string[] => conditions(`SELECT 1 FROM c WHERE ${condition}`)[0]!;

describe('conditions that storage may use', () => {
  it.each([
    ["city = 'Oslo' AND age > $p + 1", ['city = "Oslo"', 'age > 8']],
    ["5 < age AND META().id >= UPPER('x')", ['age > 5', '#id >= "X"']],
    ['age BETWEEN 1 AND 9', ['age >= 1', 'age <= 9']],
    ["city IN ['a', 'b'] AND n IN $p", ['city in "a","b"', 'n in-array 7']],
    ["name.first LIKE 'A%' AND LOWER(name.last) = 'x'", ['name.first like "A%"', 'LOWER(name.last) = "x"']],
    ['a IS VALUED AND b IS NOT MISSING AND k IS NULL', ['a is VALUED', 'b is not MISSING', 'k is NULL']],
    ["ANY t IN tags SATISFIES t = 'x' AND t != city END", ['any0 tags (item0 = "x")']],
    [
      "ANY c IN contacts SATISFIES c.kind = 'home' AND ANY p IN c.phones SATISFIES p.number LIKE '+3%' END END",
      ['any0 contacts (item.kind0 = "home" & any1 item.phones0 (item.number1 like "+3%"))'],
    ],
    ["ARRAY_CONTAINS(tags, 'x') AND 'y' IN tags", ['any0 tags (item0 = "x")', 'any0 tags (item0 = "y")']],
    ["city = 'a' OR city = 'b' AND age > 1", ['city = "a" | city = "b" & age > 1']],
    ["city = 'a' OR age", []],
    ['NOT age = 1', []],
    ['age NOT IN [1] AND age NOT BETWEEN 1 AND 2', []],
    ['age = pay', []],
    ["city = 'a' COLLATE NOCASE", []],
    ["(city = 'a' COLLATE NOCASE) AND age = 1", ['age = 1']],
    ['EVERY t IN tags SATISFIES t = 1 END', []],
    ['active', []],
  ])('%s', (condition, expected) => {
    expect(where(condition)).toEqual(expected);
  });

  it('come from ON of inner joins too, and from each side for itself', () => {
    expect(
      conditions("SELECT 1 FROM c a JOIN d b ON a.k = b.k AND b.x = 1 AND a.y = 2 WHERE b.z > a.z AND a.n = 'n'"),
    ).toEqual([['y = 2', 'n = "n"'], ['x = 1']]);
  });

  it('narrow the inner side of a left join only where no absent row could pass', () => {
    expect(
      conditions(
        'SELECT 1 FROM c a LEFT JOIN d b ON a.k = b.k AND b.x = 1 AND a.y = 2 WHERE b.v = 1 AND b.w IS MISSING AND b.u IS NOT VALUED AND IFMISSING(b.t, 1) = 1 AND a.n = 1',
      ),
    ).toEqual([['n = 1'], ['v = 1', 'x = 1']]);
  });

  it('on items of an UNNEST are conditions on the array', () => {
    expect(
      conditions(
        "SELECT 1 FROM c a UNNEST a.items i UNNEST i.parts p WHERE i.sku = 'S' AND p > 3 AND a.n = 1 AND i.x = p",
      ),
    ).toEqual([['n = 1', 'any0 items (item.sku0 = "S" & any1 item.parts0 (item1 > 3))'], [], []]);
  });

  it.each([
    [
      'SELECT 1 FROM c a JOIN d b ON META(b).id = a.k AND a.x = LOWER(b.y) AND b.z = 1 AND a.u < b.u',
      ['#id = k', 'LOWER(y) = x'],
    ],
    ['SELECT 1 FROM c a CROSS JOIN d b WHERE a.x = b.y', ['y = x']],
    ['SELECT 1 FROM c a LEFT JOIN d b ON b.y = a.x WHERE b.z = a.z', ['y = x']],
    ['SELECT 1 FROM c a JOIN d b ON (b.y = a.x COLLATE NOCASE)', []],
    ['SELECT 1 FROM c a JOIN d b ON b.y = a.x OR b.z = a.z', []],
  ])('connect a source with those before it: %s', (query, expected) => {
    const [, joined] = compile(prepare(query, context)).sources;
    expect(joined!.keys.map(({ operand, value }) => `${spell(operand)} = ${spell(value)}`)).toEqual(expected);
  });
});
