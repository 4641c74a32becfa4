import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goldenCases } from './golden.js';
import { arbitrarySelect, withoutPositions } from './arbitrary-syntax.js';
import { parse, parseExpression } from '../parse/parser.js';
import { print, printExpression } from './printer.js';

test('a printed syntax tree parses to the same tree', () => {
  fc.assert(
    fc.property(arbitrarySelect, (tree) => {
      expect(withoutPositions(parse(print(tree)))).toEqual(withoutPositions(tree));
    }),
    { numRuns: 1_000 },
  );
});

test('the printed form of a statement is its own printed form', () => {
  for (const { query, expect: outcome } of goldenCases()) {
    if ('error' in outcome) continue;
    const printed = print(parse(query));
    expect(print(parse(printed))).toBe(printed);
  }
});

test.each([
  ['a+b*c', 'a + b * c'],
  ['(a+b)*c', '(a + b) * c'],
  ['a-(b-c)', 'a - (b - c)'],
  ['NOT a = b AND c', 'NOT (a = b) AND c'],
  ['1 + NOT x = y', '1 + (NOT (x = y))'],
  ['a == b <> c', 'a = b != c'],
  ['a NOT NULL', 'a IS NOT NULL'],
  ['a IN [1, 2]', 'a IN (1, 2)'],
  ["`select`.`a b`[ -1 ]||'it''s'", "`select`.`a b`[-1] || 'it''s'"],
  ['- 5', '-(5)'],
  ['1--1', '1 - -1'],
  ['1e3', '1000.0'],
  ['a = b COLLATE (nocase unicode:de_AT)', 'a = b COLLATE (UNICODE:de-AT NOCASE)'],
  ['SOME AND EVERY x IN a SATISFIES x END', 'ANY AND EVERY x IN a SATISFIES x END'],
])('%s is printed as %s', (text, printed) => {
  expect(printExpression(parseExpression(text))).toBe(printed);
});
