import { describe, expect, it } from 'vitest';
import { ArrayValue, decode, encode, isArray, isObject, ObjectValue, type PresentValue } from './values.js';

describe('decode', () => {
  it.each([
    ['1', 1n],
    ['-0', 0n],
    ['1.0', 1],
    ['1e2', 100],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', 2 ** 64],
    ['-9223372036854775809', -(2 ** 63)],
    ['123456789012345678901234567890', 123456789012345678901234567890],
    ['"a\\"\\n"', 'a"\n'],
    ['""', ''],
    ['true', true],
    ['false', false],
    ['null', null],
    [null, undefined],
  ])('reads %s', (json, value) => {
    expect(decode(json)).toBe(value);
  });

  it('keeps the text of containers and reads them when asked', () => {
    const json = '{"a":[1,2.50,{"b":"}"}],"":{},"c\\"d":null}';
    const value = decode(json);
    if (!isObject(value)) throw new Error('not an object');
    expect(value.json).toBe(json);
    const a = value.member('a');
    if (!isArray(a)) throw new Error('not an array');
    expect(a.items.slice(0, 2)).toEqual([1n, 2.5]);
    expect(a.item(-2)).toBe(2.5);
    expect(a.item(3)).toBeUndefined();
    expect(a.item(-4)).toBeUndefined();
    expect(encode(a)).toBe('[1,2.50,{"b":"}"}]');
    for (let look = 0; look < 5; look++) {
      expect(value.member('c"d')).toBeNull();
      expect(value.member('b')).toBeUndefined();
    }
    expect([...value.members.keys()]).toEqual(['a', '', 'c"d']);
    expect(ArrayValue.fromJson('[]').items).toEqual([]);
    expect(ObjectValue.fromJson('{}').members.size).toBe(0);
  });
});

describe('encode', () => {
  it.each<[PresentValue, string]>([
    [1n, '1'],
    [1, '1.0'],
    [-0, '-0.0'],
    [1.5, '1.5'],
    [1e300, '1e+300'],
    [Infinity, 'null'],
    [NaN, 'null'],
    ['é"', '"é\\""'],
    [true, 'true'],
    [null, 'null'],
    [ArrayValue.of([1n, undefined, 'x', ArrayValue.of([])]), '[1,"x",[]]'],
    [
      ObjectValue.of([
        ['a', 1],
        ['b', undefined],
        ['c', ObjectValue.of([])],
      ]),
      '{"a":1.0,"c":{}}',
    ],
  ])('writes %o', (value, json) => {
    expect(encode(value)).toBe(json);
  });
});
