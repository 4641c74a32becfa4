import fc from 'fast-check';
import JSON5 from 'json5';
import { describe, expect, it } from 'vitest';
import { hasComments, parseJson5, quoteHyphenatedKeys } from './json5-text.js';
import { INVALID, Report } from './shape.js';

const parse = (text: string) => {
  const report = new Report('edge.json5');
  return {
    value: parseJson5(text, report.root),
    issues: report.issues.map(({ path, problem }) => `${path} ${problem}`),
  };
};

/** Pieces of JSON5 text, put together at random: many combinations are JSON5, the others are near misses. */
const fragment = fc.constantFrom(
  ...['{', '}', '[', ']', ',', ':', ' ', '\n', '"', "'", '\\', '//', '/*', '*/', 'a', '-', '-1', '+', '.5', '0x1F'],
  ...['a-b', 'a-b:', '"a-b"', "'x-y'", 'key:', '$k:', 'ü_1:', '{a:1}', '{a-b:1}', '[1,-2]', '// a-b:\n', '/* {a-b: */'],
  ...['"\\"a-b:"', "'\\\n'", 'true', 'null', '-Infinity', 'NaN', '{"a": "b-c:", d: [{e:-1}]}'],
);
const anyJson5 = fc.oneof(
  fc.array(fragment, { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.jsonValue().map((value) => JSON5.stringify(value, null, 2)),
  fc.json(),
);

describe('JSON5 with hyphens in keys', () => {
  it('leaves alone whatever JSON5 accepts', () => {
    fc.assert(
      fc.property(anyJson5, (text) => {
        let value: unknown;
        try {
          value = JSON5.parse(text);
        } catch {
          return;
        }
        expect(quoteHyphenatedKeys(text).text).toBe(text);
        expect(parse(text).value).toEqual(value);
      }),
      { numRuns: 3000 },
    );
  });

  it('reads every unquoted key made of identifier characters and hyphens', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-zäß_$][\w$-]{0,20}$/), fc.jsonValue(), (key, value) => {
        const inner = JSON5.stringify({ [key]: value }).replace(/^\{'?"?[^:'"]+['"]?:/, '');
        expect(parse(`{${key}:${inner}`).value).toEqual(JSON5.parse(`{'${key}':${inner}`));
      }),
    );
  });

  it.each([
    ['{a-b:1}', { 'a-b': 1 }],
    ['{ x: 1, a-b /* c-d: */ : 2, /* e-f: */ g-h: [{i-j: -1}] }', { x: 1, 'a-b': 2, 'g-h': [{ 'i-j': -1 }] }],
    ['{a-b: \'c-d: {e-f:1}\', // g-h: 2\n i: "\\"j-k:"}', { 'a-b': 'c-d: {e-f:1}', i: '"j-k:' }],
    ['{// x-y: 1\u2028a-b: 2}', { 'a-b': 2 }],
    ['\ufeff{1-2: true}', { '1-2': true }],
  ])('%j', (text, value) => expect(parse(text)).toEqual({ value, issues: [] }));

  it.each(['{a-b 1}', '[a-b]', '{x: a-b}', '{-: }', '{a-b: 1', '', '{"a" "b"}', '/* {a-b:1}'])('refuses %j', (text) => {
    expect(parse(text)).toEqual({ value: INVALID, issues: [expect.stringContaining('not valid JSON5')] });
  });

  it('names the place in the text as the operator wrote it', () => {
    expect(parse('{\n  my-db: {other-key: 1 oops: 2}\n}').issues).toEqual([
      " is not valid JSON5 at line 2, column 24: invalid character 'o'",
    ]);
  });
});

it.each([
  ['{a: 1}', false],
  ['\ufeff{"a": "// no comment"}', false],
  ["{a: '/* \\' */'}", false],
  ['{a: 1} // one', true],
  ['{/* one */}', true],
])('%j has comments: %s', (text, expected) => expect(hasComments(text)).toBe(expected));

describe('a key that an object has twice', () => {
  it.each([
    ['{a: 1, b: {a: 2}, c: [{a: 3}, {a: 4}]}', []],
    ['{a: 1,\n a: 2}', ['a is there twice, at line 1, column 2 and at line 2, column 2']],
    ['{a: 1, a: 2, a: 3}', [expect.stringContaining('column 8'), expect.stringContaining('column 14')]],
    ['{travel-db: {}, "travel-db": {}}', ['travel-db is there twice, at line 1, column 2 and at line 1, column 17']],
    [String.raw`{a: 1, '\u0061': 2, \u0061: 3}`, [expect.stringMatching(/^a is/), expect.stringMatching(/^a is/)]],
    ['{x: {y: [0, {z: 1, /* z: */ z: 2}]}}', [expect.stringMatching(/^x\.y\[1\]\.z is there twice/)]],
    ['{a: "{a: 1, a: 2}", b: /* a: 1 */ 2}', []],
  ])('of %j is reported with both places', (text, issues) => expect(parse(text).issues).toEqual(issues));

  it('is reported exactly where one is', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'x-y', '_z', '"q"');
    const { value } = fc.letrec<{ value: string; object: string }>((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, fc.constantFrom('1', '"a:1"', '[]', '/**/null'), tie('object')),
      object: fc
        .array(fc.tuple(key, tie('value')), { maxLength: 4 })
        .map((members) => `{${members.map(([name, member]) => `${name}: ${member}`).join(',\n')}}`),
    }));
    fc.assert(
      fc.property(value, (text) => {
        // A list of all members of all objects as the text has them, against what is left after parsing.
        const written = text.match(/[a-z"_-]+: /g)?.length ?? 0;
        const { value: parsed, issues } = parse(text);
        if (issues.length === 0) expect(countMembers(parsed)).toBe(written);
        else expect(countMembers(parsed)).toBeLessThan(written);
      }),
    );
  });
});

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members = Object.values(value);
  return (Array.isArray(value) ? 0 : members.length) + members.reduce<number>((sum, one) => sum + countMembers(one), 0);
}
