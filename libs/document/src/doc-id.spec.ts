import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDocId, generateDocId, utf8Length } from './index.js';

describe('checkDocId', () => {
  it.each(['a', 'a/b?c#d e', '温度', '~x', 'x'.repeat(240), '€'.repeat(80), '😀'.repeat(60)])('accepts %s', (id) => {
    expect(checkDocId(id)).toBe(id);
  });

  it.each([
    ['', 'empty'],
    ['_design', 'underscore'],
    ['x'.repeat(241), '240 bytes'],
    ['€'.repeat(81), '240 bytes'],
    ['a\u0000b', 'control'],
    ['a\nb', 'control'],
    ['a\u007f', 'control'],
    ['a\ud800', 'Unicode'],
  ])('refuses %j', (id, reason) => {
    expect(() => checkDocId(id)).toThrow(
      expect.objectContaining({ code: 'doc-id.invalid', message: expect.stringContaining(reason) }),
    );
  });
});

describe('generateDocId', () => {
  it('writes 16 bytes as a tilde and 22 URL-safe characters', () => {
    expect(generateDocId(new Uint8Array(16))).toBe(`~${'A'.repeat(22)}`);
    expect(generateDocId(new Uint8Array(16).fill(0xff))).toBe(`~${'_'.repeat(21)}w`);
    expect(generateDocId(new Uint8Array(16).fill(0xfb))).toBe('~-_v7-_v7-_v7-_v7-_v7-w');
  });

  it('always gives a legal ID, one per input', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, (input) => {
        const id = checkDocId(generateDocId(input));
        expect(Buffer.from(id.slice(1), 'base64url')).toEqual(Buffer.from(input));
      }),
    );
  });

  it('takes exactly 16 bytes', () => {
    expect(() => generateDocId(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe('utf8Length', () => {
  it('is the number of bytes an encoder writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
  });
});
