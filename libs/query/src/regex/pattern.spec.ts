import { RegExpParser } from '@eslint-community/regexpp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pattern } from './pattern.js';
import { compileProgram } from './program.js';
import { search } from './search.js';

/** The offsets of all groups, by the counting engine. */
function counted(source: string, text: string, unicode = true): (number[] | undefined)[] | undefined {
  const pattern = new RegExpParser({ ecmaVersion: 2024 }).parsePattern(source, 0, source.length, { unicode });
  const captures = search(compileProgram(pattern, unicode)!, text, 0);
  if (!captures) return undefined;
  return Array.from({ length: captures.length / 2 }, (_, group) =>
    captures[2 * group + 1]! < 0 ? undefined : [captures[2 * group]!, captures[2 * group + 1]!],
  );
}

/** The same, by the engine of the platform. */
function native(source: string, text: string, flags = 'u'): (number[] | undefined)[] | undefined {
  const match = new RegExp(source, `${flags}d`).exec(text);
  return match?.indices && Array.from(match.indices, (pair) => pair && [...pair]);
}

describe('the counting engine', () => {
  it.each([
    ['(a|ab)(c|bcd)(d*)', 'abcd'],
    ['(z)((a+)?(b+)?(c))*', 'zaacbbbcac'],
    ['(a*)*', 'b'],
    ['(?=(a+))a*b\\1', 'baaabac'],
    ['(?!foo)...', 'foobar'],
    ['(.*?)a(?!(a+)b\\2c)\\2(.*)', 'baaabaac'],
    ['\\b\\w+\\b$', 'one two'],
    ['^(?:a?){3}a{3}$', 'aaaa'],
    ['(?<year>\\d{4})-(?<month>\\d\\d)', 'on 2024-03-10'],
    ['[^\\p{L}]+', 'é日1😀b'],
    ['😀.', 'a😀😀b'],
    ['\\B', 'ab'],
    ['(a{2,3}?)(a*)', 'aaaaa'],
    ['()|', ''],
    ['x*', ''],
    ['.', '\n\r\u2028'],
  ])('finds /%s/ where ECMAScript does', (source, text) => {
    expect(counted(source, text)).toEqual(native(source, text));
  });

  const atom = fc.constantFrom('a', 'b', 'ab', '.', '[ab]', '[^a]', '\\w', '\\b', '^', '$', '(?:)', '\\1');
  const pattern = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.tuple(tie('node'), tie('node')).map(([left, right]) => left + right),
      fc.tuple(tie('node'), tie('node')).map(([left, right]) => `(?:${left}|${right})`),
      tie('node').map((inner) => `(${inner})`),
      fc
        .tuple(tie('node'), fc.constantFrom('*', '+', '?', '*?', '+?', '??', '{2}', '{0,2}', '{1,}?'))
        .map(([inner, repeat]) => `(?:${inner})${repeat}`),
      tie('node').map((inner) => `(?=${inner})`),
      tie('node').map((inner) => `(?!${inner})`),
    ),
  })).node;

  it('agrees with ECMAScript on random patterns and texts', () => {
    fc.assert(
      fc.property(pattern, fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\n'), maxLength: 8 }), (inner, text) => {
        const source = `(x?)${inner}`;
        expect(counted(source, text)).toEqual(native(source, text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a pattern', () => {
  it('that could run away ends with an error', () => {
    const text = 'a'.repeat(5000);
    for (const source of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(.*)*x', 'a*a*a*a*b', '(a?){100}b'])
      expect(() => new Pattern(source).test(`${text}!`), source).toThrow(/too many steps/);
  });

  it('that looks behind works while it is cheap', () => {
    expect(new Pattern('(?<=a)b').test('ab')).toBe(true);
    expect(() => new Pattern('(?<=(a|b)*)c').test('ab')).toThrow(/too costly/);
  });

  it.each(['(', '[', 'a**', '(?<n>a)(?<n>b)', 'a{2,1}', '\\'])('is refused if it is malformed: %s', (source) => {
    expect(() => new Pattern(source)).toThrow(/Invalid regular expression/);
  });

  it.each([
    ['\\-', '-'],
    ["\\'", "'"],
    ['{', '{'],
    ['a{,2}', 'a{,2}'],
  ])('may have the escapes and braces of the older grammar: %s', (source, text) => {
    expect(new Pattern(source).test(text)).toBe(true);
  });

  it('is limited in length and in what its repeats grow to', () => {
    expect(() => new Pattern('a'.repeat(5001))).toThrow(/at most/);
    expect(() => new Pattern('((a{100}){100}){100}').test('a'.repeat(100))).toThrow(/too costly/);
  });

  it('gives groups and names from both engines', () => {
    for (const source of ['(?<word>b+)(c)?', '(?<word>(?:b|bb)+)(c)?']) {
      const match = new Pattern(source).exec('abb')!;
      expect(match.groups).toEqual(['bb', 'bb', undefined]);
      expect(match.named['word']).toBe('bb');
      expect([match.start, match.end]).toEqual([1, 3]);
    }
  });
});
