import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sealer } from './sealer.js';

const SECRET = 'a secret that gateways and workers share';
const sealer = new Sealer(SECRET, 'test');

describe('what is sealed', () => {
  it('opens to the same text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const written = Buffer.from(text).toString();
        expect(new Sealer(SECRET, 'test').open(sealer.seal(text))).toBe(written);
      }),
    );
  });

  it('shows nothing of the text, and is never the same twice', () => {
    const [one, other] = [sealer.seal('geheim geheim'), sealer.seal('geheim geheim')];
    expect(Buffer.from(one).includes('geheim')).toBe(false);
    expect(Buffer.from(one)).not.toEqual(Buffer.from(other));
  });

  it('does not open with another secret, for another purpose, or changed in any byte', () => {
    const sealed = sealer.seal('geheim');
    expect(() => new Sealer(`${SECRET}!`, 'test').open(sealed)).toThrow();
    expect(() => new Sealer(SECRET, 'other').open(sealed)).toThrow();
    for (let at = 0; at < sealed.byteLength; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at]! ^= 1;
      expect(() => sealer.open(changed)).toThrow();
      expect(() => sealer.open(sealed.subarray(0, at))).toThrow();
    }
  });
});

describe('a fingerprint', () => {
  it('is that of one text under one secret', () => {
    expect(sealer.fingerprint('a')).toBe(new Sealer(SECRET, 'test').fingerprint('a'));
    expect(sealer.fingerprint('a')).not.toBe(sealer.fingerprint('b'));
    expect(sealer.fingerprint('a')).not.toBe(new Sealer(`${SECRET}!`, 'test').fingerprint('a'));
  });
});
