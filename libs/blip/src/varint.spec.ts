import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlipProtocolError } from './protocol-error.js';
import { fromHex, toHex } from './testing/bytes.js';
import { vectors } from './testing/vectors.js';
import { VarintReader, varintSize, writeVarint } from './varint.js';

const encode = (value: number): Uint8Array => {
  const bytes = new Uint8Array(varintSize(value));
  expect(writeVarint(bytes, 0, value)).toBe(bytes.length);
  return bytes;
};

// docs/protocol/blip.md#varints
describe('varints', () => {
  it.each(vectors.varint)('$value is $hex', ({ value, hex }) => {
    expect(toHex(encode(value))).toBe(hex);
    const reader = new VarintReader(fromHex(hex));
    expect(reader.read()).toBe(value);
    expect(reader.offset).toBe(hex.length / 2);
  });

  it('come back as they went, one after the other', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat()), (values) => {
        const reader = new VarintReader(Uint8Array.from(values.flatMap((value) => [...encode(value)])));
        expect(values.map(() => reader.read())).toEqual(values);
      }),
    );
  });

  it('may be padded with zero groups', () => {
    expect(new VarintReader(fromHex('8180808080808080' + '8000')).read()).toBe(1);
  });

  it.each([
    ['nothing at all', ''],
    ['a group that promises more', '80'],
    ['ten groups that promise more', 'ffffffffffffffffffff01'],
    ['2^53', '8080808080808010'],
    ['2^64 - 1', 'ffffffffffffffffff01'],
  ])('refuses %s', (_, hex) => {
    expect(() => new VarintReader(fromHex(hex)).read()).toThrow(BlipProtocolError);
  });
});
