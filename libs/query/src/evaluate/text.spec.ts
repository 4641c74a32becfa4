import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Collation } from '../ast.js';
import { containsCollated, Representatives, textOrder } from './collation.js';
import { compareBytes } from '@edgesync/document';
import { CollatedLike, likePattern } from './like.js';

const collation = (parts: Partial<Collation>): Collation => ({
  unicode: true,
  ignoreCase: false,
  ignoreAccents: false,
  ...parts,
});
const sorted = (texts: string[], parts: Partial<Collation>): string =>
  texts.sort(textOrder(collation(parts))).join(' ');
const isEqual = (left: string, right: string, parts: Partial<Collation>): boolean =>
  textOrder(collation(parts))(left, right) === 0;

describe('the order of text', () => {
  it('is that of its UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (left, right) => {
        const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(Math.sign(compareBytes(left, right))).toBe(bytes);
      }),
    );
    expect(compareBytes('\uffff', '😀')).toBeLessThan(0);
  });

  it('follows ICU under UNICODE, and a table for ASCII', () => {
    expect(sorted(['b', 'á', 'A', 'a'], {})).toBe('a A á b');
    expect(sorted(['a', '9', '$', '~', '`', '_', '-'], {})).toBe('` _ - ~ $ 9 a');
    expect(sorted(['ab', 'Aa', 'aB', 'AA'], {})).toBe('Aa AA ab aB');
  });

  it('knows strengths', () => {
    expect(isEqual('é', 'e\u0301', {})).toBe(true);
    expect(isEqual('e', 'E', {})).toBe(false);
    expect(isEqual('é', 'É', { ignoreCase: true })).toBe(true);
    expect(isEqual('é', 'e', { ignoreCase: true })).toBe(false);
    expect(isEqual('é', 'E', { ignoreCase: true, ignoreAccents: true })).toBe(true);
    expect(isEqual('é', 'e', { ignoreAccents: true })).toBe(true);
    expect(isEqual('é', 'E', { ignoreAccents: true })).toBe(false);
    expect(isEqual('ABC', 'abc', { unicode: false, ignoreCase: true })).toBe(true);
    expect(isEqual('É', 'é', { unicode: false, ignoreCase: true })).toBe(false);
  });

  it('follows a locale, and refuses one that does not exist', () => {
    expect(sorted(['z', 'ö', 'o'], { locale: 'de' })).toBe('o ö z');
    expect(sorted(['z', 'ö', 'o'], { locale: 'sv' })).toBe('o z ö');
    for (const locale of ['tlh', '!', 'xx_YY']) expect(() => textOrder(collation({ locale }))).toThrow(/locale/);
  });

  it('gives equal text one representative', () => {
    const representatives = new Representatives(textOrder(collation({ ignoreCase: true, ignoreAccents: true })));
    const words = ['cafe', 'tea', 'Café', 'CAFÉ', 'Tea', 'b'];
    expect(words.map((word) => representatives.of(word))).toEqual(['cafe', 'tea', 'cafe', 'cafe', 'tea', 'b']);
  });

  it('decides what contains what', () => {
    const contains = containsCollated(collation({ ignoreCase: true, ignoreAccents: true }));
    expect(contains('naïve café', 'CAFE')).toBe(true);
    expect(contains('naïve café', 'TEA')).toBe(false);
  });
});

describe('LIKE', () => {
  const characters = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\\', '😀'), maxLength: 8 });

  /** The pattern as a regular expression; undefined for a lone backslash at the end. */
  function asExpression(pattern: string): RegExp | undefined {
    let source = '';
    const rest = [...pattern];
    for (let character; (character = rest.shift()) !== undefined;) {
      if (character === '\\') character = rest.shift() ?? undefined;
      else if (character === '%') {
        source += '.*';
        continue;
      } else if (character === '_') {
        source += '.';
        continue;
      }
      if (character === undefined) return undefined;
      source += `\\u{${character.codePointAt(0)!.toString(16)}}`;
    }
    return new RegExp(`^${source}$`, 'us');
  }

  it('matches as its definition says', () => {
    fc.assert(
      fc.property(characters, characters, (pattern, text) => {
        expect(likePattern(pattern)(text)).toBe(asExpression(pattern)?.test(text) ?? false);
      }),
      { numRuns: 3000 },
    );
  });

  it('compares characters by the collation', () => {
    const like = new CollatedLike(collation({ ignoreCase: true, ignoreAccents: true }));
    expect(like.compile('i_MIR')('İzmir')).toBe(true);
    expect(like.compile('%É%')('these')).toBe(true);
    expect(like.compile('é\\%')('E%')).toBe(true);
    expect(like.compile('é\\%')('Ex')).toBe(false);
  });

  it('takes time in proportion to text and pattern', () => {
    expect(likePattern('%a'.repeat(500))('a'.repeat(20_000))).toBe(true);
    expect(likePattern(`${'%a_'.repeat(50)}b`)('a'.repeat(20_000))).toBe(false);
  });
});
