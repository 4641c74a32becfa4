import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitPayload } from './incoming-message.js';
import { MAX_PROPERTIES_BYTES, Properties } from './properties.js';
import { BlipProtocolError } from './protocol-error.js';
import { fromHex, fromText, toHex, toText } from './testing/bytes.js';
import { vectors } from './testing/vectors.js';

const decode = (text: string): Properties => Properties.decode(fromText(text));

describe('properties', () => {
  it.each(vectors.properties)('are encoded byte for byte: $hex', ({ properties, hex }) => {
    expect(toHex(Properties.from(properties).encode())).toBe(hex);
    const split = splitPayload(fromHex(hex))!;
    expect(split.properties.toRecord()).toEqual(properties);
    expect(split.body).toHaveLength(0);
  });

  it.each(vectors.messages)('stand before the body', ({ properties, body, hex }) => {
    const split = splitPayload(fromHex(hex))!;
    expect(split.properties.toRecord()).toEqual(properties);
    expect(toText(split.body)).toBe(body);
  });

  it('keep their order and come back as they went', () => {
    const string = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(string, string), { selector: ([name]) => name, maxLength: 40 }), (pairs) => {
        const split = splitPayload(Properties.of(...pairs.flat()).encode())!;
        expect([...split.properties]).toEqual(pairs);
      }),
    );
  });

  it('may have empty values, and names that differ only in case', () => {
    const properties = decode('rev\0\0Rev\0x\0');
    expect(properties.get('rev')).toBe('');
    expect(properties.get('Rev')).toBe('x');
    expect(properties.get('REV')).toBeUndefined();
    expect(properties.size).toBe(2);
  });

  it('keep a byte order mark', () => {
    expect(decode('\uFEFFa\0\uFEFFb\0').get('\uFEFFa')).toBe('\uFEFFb');
  });

  it('leave out what is undefined', () => {
    expect(Properties.from({ a: '1', b: undefined }).toRecord()).toEqual({ a: '1' });
  });

  // docs/protocol/blip.md#property-limits
  it('refuse to be sent with a NUL, twice the same name, or more than 100 KiB', () => {
    expect(() => Properties.of('a\0b', 'c').encode()).toThrow(TypeError);
    expect(() => Properties.of('a', 'b\0').encode()).toThrow(TypeError);
    expect(() => Properties.of('a', '1', 'b', '2', 'a', '3').encode()).toThrow(TypeError);
    expect(() => Properties.of('a', 'x'.repeat(MAX_PROPERTIES_BYTES)).encode()).toThrow(TypeError);
    expect(() => Properties.of('a', 'é'.repeat(MAX_PROPERTIES_BYTES / 2)).encode()).toThrow(TypeError);
    expect(() => Properties.of('a')).toThrow(TypeError);
    const largest = Properties.of('a', 'x'.repeat(MAX_PROPERTIES_BYTES - 3));
    expect(splitPayload(largest.encode())!.properties).toEqual(largest);
  });

  // docs/protocol/blip.md#property-limits
  it('refuse to be read with twice the same name, few or many', () => {
    const many = Array.from({ length: 40 }, (_, i) => `name${i}\0value\0`).join('');
    expect(decode(many).size).toBe(40);
    expect(() => decode('a\0x\0a\0y\0')).toThrow(BlipProtocolError);
    expect(() => decode(`${many}name7\0again\0`)).toThrow(BlipProtocolError);
  });

  it.each(vectors.invalidProperties.filter(({ why }) => !why.includes('exceeds') && !why.includes('truncated')))(
    'refuse a block where $why',
    ({ hex }) => {
      expect(() => splitPayload(fromHex(hex))).toThrow(BlipProtocolError);
    },
  );

  it.each(vectors.invalidProperties.filter(({ why }) => why.includes('exceeds') || why.includes('truncated')))(
    'wait for more where $why',
    ({ hex }) => {
      expect(splitPayload(fromHex(hex))).toBeUndefined();
    },
  );

  it('refuse bytes that are not UTF-8', () => {
    expect(() => Properties.decode(Uint8Array.of(0xff, 0, 0x61, 0))).toThrow(BlipProtocolError);
  });

  it('refuse a length of more than 100 KiB before the bytes have come', () => {
    expect(() => splitPayload(fromHex('81a006' + '61'))).toThrow(
      expect.objectContaining({ rule: 'properties-too-large' }),
    );
  });

  it('share no state when empty', () => {
    expect(() => Properties.none.append('a', 'b')).toThrow(TypeError);
    expect(Properties.from({}).append('a', 'b').size).toBe(1);
    expect(toHex(Properties.none.encode())).toBe('00');
  });
});
