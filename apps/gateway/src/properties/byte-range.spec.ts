import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRange } from './byte-range.js';

describe('byte ranges', () => {
  it('lie within the content and are never empty', () => {
    const number = fc.nat({ max: 50 });
    fc.assert(
      fc.property(fc.option(number), fc.option(number), fc.nat({ max: 40 }), (from, to, length) => {
        let range;
        try {
          range = readRange(`bytes=${from ?? ''}-${to ?? ''}`, length);
        } catch {
          return;
        }
        if (!range) return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeLessThan(length);
        expect(range.start).toBeLessThanOrEqual(range.end);
      }),
    );
  });

  it.each(['bytes=0-', 'bytes=-1', 'bytes=0-0'])('cannot be had of nothing: %s', (header) => {
    expect(() => readRange(header, 0)).toThrow('outside');
  });

  it('are the whole content if there is no usable header', () => {
    for (const header of [undefined, '', 'bytes=-', 'bytes=a-b', 'bytes=1-2,3-4', 'items=0-1'])
      expect(readRange(header, 10)).toBeUndefined();
  });

  it('are read whatever blanks are around them, and however many', () => {
    expect(readRange(' Bytes = 1 - 3 ', 10)).toEqual({ start: 1, end: 3 });
    expect(readRange('bytes= -3', 10)).toEqual({ start: 7, end: 9 });
    const blanks = ' '.repeat(60_000);
    expect(readRange(`bytes=${blanks}x`, 10)).toBeUndefined();
    expect(readRange(`bytes=1${blanks}-${blanks}x`, 10)).toBeUndefined();
  });
});
