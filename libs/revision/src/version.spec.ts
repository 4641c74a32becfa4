import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import encoding from '../fixtures/legacy-encoding.json' with { type: 'json' };
import {
  compareTimes,
  compareVersionsByTime,
  formatVersion,
  isLegacyVersion,
  isVersionSyntax,
  isWireVersion,
  legacyVersionOf,
  parseVersion,
} from './version.js';

const time = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n });

describe('versions', () => {
  it('V1: text and value convert both ways', () => {
    fc.assert(
      fc.property(time, (value) => {
        const version = { time: value, source: 'H0J8SAyCSjSjE+PxM4NQrQ' };
        expect(parseVersion(formatVersion(version))).toEqual(version);
      }),
    );
  });

  test.each([
    '',
    '@',
    '1@',
    '@abc',
    '01@abc',
    'A1@abc',
    '1@*',
    '1@a b',
    '1@a,b',
    '1@a;b',
    '12345678901234567@abc',
    '1@a@b',
  ])('V1: "%s" is no version', (text) => {
    expect(isVersionSyntax(text)).toBe(false);
    expect(() => parseVersion(text)).toThrow(expect.objectContaining({ code: 'version.invalid' }));
  });

  it('V1: only versions with a 16-byte source go on the wire', () => {
    expect(isWireVersion('18ea827e79930000@ieKr4/PpQES+KFFxgN28Ng')).toBe(true);
    expect(isWireVersion('24@def')).toBe(false);
    expect(isWireVersion('18ea827e79930000@AAAAAAAAAAAAAAAAAAAAAA')).toBe(false);
    expect(isWireVersion('18ea827e79930000@*')).toBe(false);
  });

  it('V3: hex times compare as the numbers they are', () => {
    fc.assert(
      fc.property(time, time, (left, right) => {
        const expected = left === right ? 0 : left < right ? -1 : 1;
        expect(Math.sign(compareTimes(left.toString(16), right.toString(16)))).toBe(expected);
      }),
    );
    expect(compareTimes('', '1')).toBeLessThan(0);
  });

  it('V3: equal times rank by source', () => {
    expect(compareVersionsByTime('5@abc', '5@abd')).toBeLessThan(0);
    expect(compareVersionsByTime('10@abc', 'f@abd')).toBeGreaterThan(0);
    expect(compareVersionsByTime('5@abc', '5@abc')).toBe(0);
  });

  test.each(encoding)('V4: $revID is known as $version', ({ revID, version }) => {
    expect(legacyVersionOf(revID)).toBe(version);
    expect(isLegacyVersion(version)).toBe(true);
  });
});
