import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepare } from '../check/checker.js';
import { QueryError } from '../query-error.js';
import { goldenCases, goldenContext } from '../testing/golden.js';
import { LIMITS } from './limits.js';
import { parse } from './parser.js';
import { print } from '../testing/printer.js';

const context = goldenContext('people');

/** The error of a statement, which is one of the dialect's if there is any. */
function refusal(text: string): QueryError | undefined {
  try {
    prepare(text, context);
    return undefined;
  } catch (error) {
    if (error instanceof QueryError) return error;
    throw error;
  }
}

const statements = goldenCases().map(({ query }) => query);

/** A statement of the golden cases with pieces cut out, doubled, moved in from others, or replaced. */
const mutant = fc
  .tuple(
    fc.constantFrom(...statements),
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        length: fc.nat(12),
        piece: fc.oneof(
          fc.constantFrom(
            '',
            '(',
            ')',
            '[',
            ']',
            "'",
            '"',
            '`',
            '.',
            '*',
            '-',
            '$',
            ':',
            ',',
            ';',
            ' NOT ',
            ' COLLATE ',
          ),
          fc.constantFrom(...statements).map((other) => other.slice(other.length / 2)),
          fc.string({ unit: 'binary', maxLength: 3 }),
        ),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  )
  .map(([statement, edits]) =>
    edits.reduce((text, { at, length, piece }) => {
      const offset = Math.floor(at * text.length);
      return text.slice(0, offset) + piece + text.slice(offset + length);
    }, statement),
  );

describe('hostile statements', () => {
  test('a damaged statement is answered or refused by the dialect’s own error', () => {
    fc.assert(
      fc.property(mutant, (text) => {
        refusal(text);
      }),
      { numRuns: 5_000 },
    );
  });

  test('any text is refused by the dialect’s own error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(refusal(text)).toBeInstanceOf(QueryError);
      }),
      { numRuns: 2_000 },
    );
  });

  const nest = (open: string, close: string, inner = '1', count = 50_000): string =>
    `SELECT ${open.repeat(count)}${inner}${close.repeat(count)} AS r FROM _`.slice(0, LIMITS.length);

  test.each([
    ['parentheses', nest('(', ')')],
    ['arrays', nest('[', ']')],
    ['objects', nest("{'a':", '}', '1', 30_000)],
    ['calls', nest('ABS(', ')', '1', 40_000)],
    ['NOT', nest('NOT ', '')],
    ['minus', nest('-', '', 'x')],
    ['plus', nest('+', '', 'x')],
    ['CASE', nest('CASE WHEN ', ' THEN 1 END', '1', 10_000)],
    ['ELSE', nest('CASE WHEN 1 THEN 2 ELSE ', ' END', '1', 9_000)],
    ['quantifiers', nest('ANY a IN ', ' SATISFIES 1 END', 'x', 10_000)],
    ['EXISTS', nest('EXISTS (SELECT 1 FROM _ WHERE ', ')', 'x', 8_000)],
    ['lists', nest('1 IN (', ')', '1', 30_000)],
  ])('%s nested too deep are refused at their place', (_, text) => {
    expect(refusal(text)).toMatchObject({ code: 'query.invalid', place: { line: 1 } });
    expect(refusal(text)?.message).toMatch(/deeper|longer/);
  });

  test.each([
    ['OR', Array.from({ length: 50_000 }, () => 'a').join(' OR ')],
    ['AND', Array.from({ length: 50_000 }, () => 'a').join(' AND ')],
    ['sums', Array.from({ length: 50_000 }, () => 'a').join('+')],
    ['comparisons', Array.from({ length: 50_000 }, () => 'a').join('=')],
    ['chains of chains', `${'('.repeat(90)}${`a${'+b'.repeat(140)})`.repeat(90).replaceAll(')a', ')')}`],
  ])('%s that are too long are refused', (_, condition) => {
    expect(refusal(`SELECT 1 FROM _ WHERE ${condition}`)).toMatchObject({ code: 'query.invalid' });
  });

  test('aliases that double each other are refused before they fill memory', () => {
    const columns = Array.from({ length: 60 }, (_, column) =>
      column === 0 ? 'x AS a0' : `a${column - 1} || a${column - 1} AS a${column}`,
    );
    expect(refusal(`SELECT ${columns.join(', ')} FROM _`)?.message).toMatch('too large');
  });

  test('aliases that build on each other are refused before they exhaust the stack', () => {
    const columns = Array.from({ length: 900 }, (_, column) =>
      column === 0 ? 'x AS a0' : `NOT NOT a${column - 1} AS a${column}`,
    );
    expect(refusal(`SELECT ${columns.join(', ')} FROM _`)?.message).toMatch('too large');
  });

  test.each([
    ['characters', `SELECT '${'x'.repeat(LIMITS.length)}' FROM _`],
    ['columns', `SELECT ${'a,'.repeat(LIMITS.columns)}a FROM _`],
    [
      'JOIN and UNNEST',
      `SELECT 1 FROM people p ${Array.from({ length: LIMITS.joins + 1 }, (_, n) => `UNNEST p.tags t${n}`).join(' ')}`,
    ],
    ['parameters', `SELECT [${Array.from({ length: LIMITS.parameters + 1 }, (_, n) => `$p${n}`).join()}] FROM _`],
  ])('a statement with too many %s is refused', (what, text) => {
    expect(refusal(text)?.message).toMatch(what);
  });

  test.each([
    ['a chain of OR', Array.from({ length: LIMITS.depth - 2 }, (_, n) => `age = ${n}`).join(' OR ')],
    ['a list', `age IN (${Array.from({ length: 20_000 }, (_, n) => n).join()})`],
    ['nesting', `${'('.repeat(LIMITS.nesting - 1)}age${')'.repeat(LIMITS.nesting - 1)}`],
    ['a chain of operators', Array.from({ length: LIMITS.chain }, () => '1').join(' + ')],
  ])('%s within the bounds is checked and printed', (_, condition) => {
    const text = `SELECT 1 FROM _ WHERE ${condition}`;
    expect(refusal(text)).toBeUndefined();
    expect(parse(print(parse(text))).where?.type).toBe(parse(text).where?.type);
  });
});
