import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkParameters, NO_PARAMETERS, parseQueryString } from './query-string.js';

describe('query strings', () => {
  it('read back what URLSearchParams writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })), (values) => {
        const names = Object.keys(values);
        fc.pre(!names.includes(''));
        const parsed = parseQueryString(new URLSearchParams(values).toString());
        expect(Object.entries(parsed)).toEqual(Object.entries(values));
      }),
    );
  });

  it.each([
    ['a', { a: '' }],
    ['a=', { a: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['a=1&a=2', { a: '1' }],
    ['&&a=1&', { a: '1' }],
    ['a=b+c%2B', { a: 'b c+' }],
    ['__proto__=1', JSON.parse('{"__proto__":"1"}')],
  ])('read %j', (text, values) => {
    expect(Object.entries(parseQueryString(text))).toEqual(Object.entries(values as object));
  });

  it('share one object when empty', () => {
    expect(parseQueryString('')).toBe(NO_PARAMETERS);
  });

  it.each(['a=%', 'a=%zz', '%ff=1', 'a=%c3'])('never throw while they are parsed, but when %j is used', (text) => {
    const parsed = parseQueryString(text);
    expect(() => checkParameters(parsed)).toThrow('percent-encoded');
  });
});
