import { describe, expect, test } from 'vitest';
import { goldenContext } from '../testing/golden.js';
import { prepare } from './checker.js';
import { statementCollections, statementParameters } from './summary.js';

const context = goldenContext('people');

test('a statement reads the collections of its sources and of every EXISTS, each once', () => {
  const statement = prepare(
    `SELECT EXISTS (SELECT 1 FROM text WHERE EXISTS (SELECT 1 FROM dates)) FROM _ p
     JOIN shop.orders o ON EXISTS (SELECT 1 FROM mixed) CROSS JOIN people q UNNEST p.tags`,
    context,
  );
  expect(
    statementCollections(statement)
      .map(({ scope, collection }) => `${scope}.${collection}`)
      .sort(),
  ).toEqual(['_default.dates', '_default.mixed', '_default.people', '_default.text', 'shop.orders']);
});

describe('parameters', () => {
  const statement = prepare('SELECT $a, $opt_b FROM _ WHERE c = $a LIMIT $d', context);

  test('are listed in order; those that begin with opt_ are optional', () => {
    expect(statement.parameters).toEqual(['a', 'opt_b', 'd']);
    expect(statementParameters(statement)).toEqual({ required: ['a', 'd'], optional: ['opt_b'] });
  });
});
