import fc from 'fast-check';
import JSON5 from 'json5';
import { describe, expect, it } from 'vitest';
import { parseJson5, quoteHyphenatedKeys } from './json5-text.js';

const parse = (text: string) => parseJson5(text, 'edge.json5');

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
        expect(parse(text)).toEqual({ value });
      }),
      { numRuns: 3000 },
    );
  });

  it('reads every unquoted key made of identifier characters and hyphens', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-zäß_$][\w$-]{0,20}$/), fc.jsonValue(), (key, value) => {
        const inner = JSON5.stringify({ [key]: value }).replace(/^\{'?"?[^:'"]+['"]?:/, '');
        expect(parse(`{${key}:${inner}`)).toEqual({ value: JSON5.parse(`{'${key}':${inner}`) });
      }),
    );
  });

  it.each([
    ['{a-b:1}', { 'a-b': 1 }],
    ['{ x: 1, a-b /* c-d: */ : 2, /* e-f: */ g-h: [{i-j: -1}] }', { x: 1, 'a-b': 2, 'g-h': [{ 'i-j': -1 }] }],
    ['{a-b: \'c-d: {e-f:1}\', // g-h: 2\n i: "\\"j-k:"}', { 'a-b': 'c-d: {e-f:1}', i: '"j-k:' }],
    ['{// x-y: 1\u2028a-b: 2}', { 'a-b': 2 }],
    ['\ufeff{1-2: true}', { '1-2': true }],
  ])('%j', (text, value) => expect(parse(text)).toEqual({ value }));

  it.each(['{a-b 1}', '[a-b]', '{x: a-b}', '{-: }', '{a-b: 1', '', '{"a" "b"}', '/* {a-b:1}'])('refuses %j', (text) => {
    expect(parse(text)).toMatchObject({
      file: 'edge.json5',
      path: '',
      problem: expect.stringContaining('not valid JSON5'),
    });
  });

  it('tells the place in the text as the operator wrote it', () => {
    expect(parse('{\n  my-db: {other-key: 1 oops: 2}\n}')).toMatchObject({
      problem: "is not valid JSON5 at line 2, column 24: invalid character 'o'",
    });
  });
});
