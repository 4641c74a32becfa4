import { createHash } from 'node:crypto';
import { readJsonTree } from '@edgesync/document';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BundleError, checkpointId, FleeceReader, SharedKeys, SharedKeyTable, writeFleece } from './index.js';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const read = (data: Uint8Array, sharedKeys?: SharedKeys): string => {
  const reader = new FleeceReader(data, sharedKeys ? { sharedKeys } : {});
  return reader.json(reader.root());
};
const write = (json: string, keys?: SharedKeyTable): Uint8Array => writeFleece(readJsonTree(json), keys);

describe('Fleece', () => {
  it.each([
    ['1f ffffffffffffffff 00 8005', '18446744073709551615'],
    ['16 01000000000020 8004', '9007199254740993'],
    ['2400 0000c03f 8003', '1.5'],
    ['2000 cdcccc3d 8003', '0.1'],
    ['2400 00004040 8003', '3.0'],
    ['2800 0000000000000080 8005', '-0.0'],
    ['0fff', '-1'],
    ['0800', '-2048'],
    ['7000', '{}'],
    ['53 010203 8002', '"AQID"'],
    ['3000', 'null'],
    ['45 68656c6c6f 8003', '"hello"'],
  ])('reads %s as %s', (hex, json) => {
    expect(read(bytes(hex))).toBe(json);
  });

  it.each([
    '18446744073709551615',
    '9007199254740993',
    '1.5',
    '-1',
    '{}',
    '"hello"',
    'true',
    '[]',
    '-2049',
    '-9223372036854775808',
  ])('writes %s so that it reads back the same', (json) => expect(read(write(json))).toBe(json));

  const scalar = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(tie('value'), { maxLength: 8 }),
      fc.dictionary(fc.string({ unit: 'binary', maxLength: 20 }), tie('value'), { maxKeys: 8 }),
    ),
  }));
  const text = (item: unknown): string => {
    if (typeof item === 'bigint') return String(item);
    if (typeof item === 'number')
      return /[.e]/.test(String(item)) ? String(item) : `${Object.is(item, -0) ? '-0' : item}.0`;
    if (Array.isArray(item)) return `[${item.map(text).join()}]`;
    if (typeof item === 'object' && item !== null) {
      const members = Object.entries(item).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${text(member)}`).join()}}`;
    }
    return JSON.stringify(item);
  };

  it('reads back every value it writes, exactly, with and without shared keys', () => {
    fc.assert(
      fc.property(value, fc.boolean(), (item, shared) => {
        const json = text(item);
        const table = shared ? new SharedKeyTable() : undefined;
        const data = write(json, table);
        expect(read(data, table && new SharedKeys(table.keys))).toBe(json);
      }),
    );
  });

  it('spans more than a narrow pointer reaches', () => {
    const json = `[${Array.from({ length: 3000 }, (_, index) => `"item number ${index} of a long array"`).join()}]`;
    expect(read(write(json))).toBe(json);
    const large = `{"a":"${'x'.repeat(100_000)}","b":[1,"${'y'.repeat(70_000)}"]}`;
    expect(read(write(large))).toBe(large);
  });

  it('shares at most 2,048 short keys and writes the others as strings', () => {
    const json = `{${Array.from({ length: 3000 }, (_, index) => `"k${String(index).padStart(4, '0')}":${index}`).join()}}`;
    const table = new SharedKeyTable();
    const data = write(json, table);
    expect(table.keys).toHaveLength(2048);
    expect(read(data, new SharedKeys(table.keys))).toBe(json);
  });

  it('answers any damage with a value or an error of its own', () => {
    const whole = write('{"name":{"first":"Anna","last":"Berg"},"tags":["a","bb","ccc"],"n":123456,"f":1.25,"z":null}');
    const attempt = (data: Uint8Array): void => {
      try {
        read(data);
      } catch (error) {
        expect(error).toBeInstanceOf(BundleError);
      }
    };
    for (let length = 0; length < whole.length; length++) attempt(whole.subarray(0, length));
    for (let at = 0; at < whole.length; at++)
      for (let byte = 0; byte < 256; byte++)
        attempt(Uint8Array.from(whole, (old, index) => (index === at ? byte : old)));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (data) => attempt(data)),
      { numRuns: 2000 },
    );
  });

  it('refuses a small value that unfolds into gigabytes', () => {
    const levels: number[] = [0x61, 0x01, 0x00, 0x01];
    let previous = 0;
    for (let level = 0; level < 40; level++) {
      const at = levels.length;
      levels.push(0x60, 0x02);
      for (let item = 0; item < 2; item++) {
        const offset = levels.length - previous;
        levels.push(0x80 | (offset >> 9), (offset >> 1) & 0xff);
      }
      previous = at;
    }
    const offset = levels.length - previous;
    levels.push(0x80 | (offset >> 9), (offset >> 1) & 0xff);
    expect(() => read(Uint8Array.from(levels))).toThrow(BundleError);
  });

  it('names a shared key that the table lacks', () => {
    expect(() => read(bytes('7001 0005 0001 8003'))).toThrow('shared key 5');
  });
});

describe('the checkpoint ID of a client', () => {
  const privateUuid = Uint8Array.from({ length: 16 }, (_, index) => index);
  const url = 'ws://edge.example:59840/shop/_blipsync';
  const hash = (algorithm: string, data: Uint8Array): string => createHash(algorithm).update(data).digest('base64');

  it.each([
    ['_default', '_default', 'cp-KVf+KtWH++cmMYlT8U+i52UFQTs='],
    ['inventory', 'hotel', 'cp-dFNb747Es/rlXf/u+avJqPbu9723WxMfm5oiuxbHg7g='],
  ])('is what Couchbase Lite uses for %s.%s', (scope, collection, id) => {
    expect(checkpointId({ privateUuid, scope, collection, url, pull: true, push: true }, hash)).toBe(id);
  });
});
