import { describe, expect, test } from 'vitest';
import { QueryError } from '../query-error.js';
import { parse, parseExpression } from './parser.js';
import { printExpression } from '../testing/printer.js';

function errorOf(text: string): QueryError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
  throw new Error(`parsed: ${text}`);
}

describe('precedence', () => {
  test.each([
    // Concatenation binds tighter than arithmetic, COLLATE takes all on its left.
    ['2 * 3 || 4', '2 * (3 || 4)'],
    ['a + b < c + d = e', '((a + b) < (c + d)) = e'],
    ['a = b OR c AND d', '(a = b) OR (c AND d)'],
    ['1 < 2 < 3', '(1 < 2) < 3'],
    ['a - b - c', '(a - b) - c'],
    ['NOT a = b', 'NOT (a = b)'],
    ['NOT a IN (1)', 'NOT (a IN (1))'],
    ['NOT a IS VALUED', 'NOT (a IS VALUED)'],
    ['NOT a AND b', '(NOT a) AND b'],
    ['NOT NOT a = b', 'NOT (NOT (a = b))'],
    ['2 * NOT a + 1', '2 * (NOT (a + 1))'],
    ['a BETWEEN 1 AND 2 AND b', '(a BETWEEN 1 AND 2) AND b'],
    ['a BETWEEN 1 + 1 AND 2 || 3', 'a BETWEEN (1 + 1) AND (2 || 3)'],
    ['-a.b + 1', '(-(a.b)) + 1'],
    ['a = 1 OR b = 2 COLLATE NOCASE', '(a = 1 OR b = 2) COLLATE NOCASE'],
    ['a IS 1 IS NOT b', '(a IS 1) IS NOT b'],
    ['a = b IS NULL', '(a = b) IS (NULL)'],
  ])('%s means %s', (text, meaning) => {
    expect(printExpression(parseExpression(text))).toBe(printExpression(parseExpression(meaning)));
  });
});

describe('literals', () => {
  test.each([
    ['007', 7n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['9223372036854775808', 2n ** 63n - 1n],
    ['-99999999999999999999', -(2n ** 63n)],
    ['5.', 5],
    ['-.5', -0.5],
    ['1e3', 1000],
    ["'it''s'", "it's"],
    ['"a\\n"', 'a\\n'],
    ['TrUe', true],
    ['null', null],
    ['missing', undefined],
  ])('%s', (text, value) => {
    expect(parseExpression(text)).toEqual({ type: 'literal', value, position: 0 });
  });
});

describe('errors of syntax', () => {
  test('name the place by line, column and character, and what was expected there', () => {
    const error = errorOf('SELECT name\nFROM _\nWHERE age >');
    expect(error.place).toEqual({ line: 3, column: 12, character: 31 });
    expect(error.message).toBe(
      'syntax error at line 3, column 12 (character 31): expected an expression, found the end of the statement',
    );
  });

  test.each([
    ['SELECT name FROM _ GROUP city', 'expected BY, found city'],
    ['SELECT name FROM _ extra words', 'WHERE, GROUP, ORDER, LIMIT, OFFSET or the end, found words'],
    ['SELECT name FROM _ WHERE a = "x', 'has no closing "'],
    ['SELECT naïve FROM _', 'needs back-ticks'],
    ['SELECT 12abc FROM _', 'unexpected "a" behind a number'],
    ['SELECT MEDIAN(age) FROM _', 'the dialect has no function MEDIAN()'],
    ['SELECT $limit FROM _', '"limit" is a reserved word'],
    ['SELECT 1 FROM _ -- all of them', 'comments are not part of the dialect'],
    ['SELECT 1 /* one */ FROM _', 'comments are not part of the dialect'],
    ['SELECT 1 FROM _ # end', 'comments are not part of the dialect'],
    ['SELECT a FROM _ UNION SELECT b FROM _', 'the dialect has no UNION'],
    ['SELECT a FROM _ USE KEYS "x"', 'the dialect has no USE'],
    ['SELECT a FROM x NEST y ON KEYS z', 'the dialect has no NEST'],
    ['SELECT a FROM (SELECT b FROM _) AS s', 'expected a collection'],
    ['SELECT (SELECT 1 FROM _) FROM _', 'the dialect has no such subqueries'],
    ['SELECT a FROM _ WHERE a IN (SELECT 1 FROM _)', 'the dialect has no such subqueries'],
    ['SELECT a FROM x FULL JOIN y ON 1', 'the dialect has no FULL'],
    ['SELECT a FROM x, y', 'found ,'],
    ['SELECT a FROM a.b.c.d', 'three names at most'],
    ['SELECT a FROM _ WHERE a LIKE "x" ESCAPE "!"', 'the dialect has no ESCAPE'],
    ['SELECT a FROM _ ORDER BY a NULLS FIRST', 'the dialect has no NULLS'],
    ['SELECT a FROM _ HAVING COUNT(*) > 1', 'found HAVING'],
    ['DELETE FROM _', 'the dialect has no DELETE'],
    ['CREATE INDEX i ON _ (a)', 'the dialect has no CREATE'],
    ['SELECT a FROM _; SELECT b FROM _', 'expected the end'],
  ])('%s: %s', (text, detail) => {
    expect(errorOf(text)).toMatchObject({ code: 'query.syntax' });
    expect(errorOf(text).message).toContain(detail);
  });

  test.each([
    ['SELECT name', 'the statement has no FROM'],
    ['hello world', 'a statement begins with SELECT'],
    ['SELECT 1 FROM _ WHERE a = "x" COLLATE UNICODE:e', '"e" is not a locale'],
    ['SELECT 1 FROM _ WHERE ANY `a b` IN x SATISFIES 1 END', 'cannot be a variable'],
  ])('%s is invalid: %s', (text, detail) => {
    expect(errorOf(text)).toMatchObject({ code: 'query.invalid' });
    expect(errorOf(text).message).toContain(detail);
  });
});
