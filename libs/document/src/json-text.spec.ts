import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkJson, getMember, removeMember, setMember, topLevelMembers } from './index.js';

const object = fc
  .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }))
  .map((value) => checkJson(JSON.stringify(value)));
const value = fc.jsonValue().map((any) => JSON.stringify(any));

describe('checkJson', () => {
  it.each([' 1 ', '-0', '"x"', 'null', '[ 1 , 2 ]', '9007199254740993', '{"_id" : 1}'])(
    'takes any value: %s',
    (text) => {
      expect(checkJson(text)).toBe(text.replaceAll(' ', ''));
    },
  );

  it('is the identity on what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.nat(3), (any, indent) => {
        expect(checkJson(JSON.stringify(any, null, indent))).toBe(JSON.stringify(any));
      }),
    );
  });

  it('gives text that is final', () => {
    fc.assert(
      fc.property(object, (json) => {
        expect(checkJson(json)).toBe(json);
      }),
    );
  });

  it.each(['', ' ', '1 2', '[', '{]'])('refuses %j', (text) => {
    expect(() => checkJson(text)).toThrow(expect.objectContaining({ code: 'request.json' }));
  });
});

describe('members of an object', () => {
  it('are listed in the order of the text, with their exact text', () => {
    const json = '{"b":{"x":"}"},"2":[1,"]"],"1":9007199254740993,"":"\\\\","q\\"":-1.0,"t":true}';
    expect([...topLevelMembers(json)]).toEqual([
      { key: 'b', valueText: '{"x":"}"}' },
      { key: '2', valueText: '[1,"]"]' },
      { key: '1', valueText: '9007199254740993' },
      { key: '', valueText: '"\\\\"' },
      { key: 'q"', valueText: '-1.0' },
      { key: 't', valueText: 'true' },
    ]);
    expect([...topLevelMembers('{}')]).toEqual([]);
  });

  it('make up the object again', () => {
    fc.assert(
      fc.property(object, (json) => {
        const members = [...topLevelMembers(json)];
        expect(`{${members.map(({ key, valueText }) => `${JSON.stringify(key)}:${valueText}`).join()}}`).toBe(json);
        for (const { key, valueText } of members) expect(getMember(json, key)).toBe(valueText);
      }),
    );
  });

  it('are found by key, not by text elsewhere', () => {
    expect(getMember('{"x":{"a":1},"s":"\\"a\\":2","a":3}', 'a')).toBe('3');
    expect(getMember('{"x":{"a":1},"y":"a"}', 'a')).toBeUndefined();
    expect(getMember('{"ab":1}', 'a')).toBeUndefined();
    expect(getMember('{"__proto__":1}', '__proto__')).toBe('1');
    expect(getMember('{}', 'toString')).toBeUndefined();
  });

  it('read back as set, others untouched and in place', () => {
    fc.assert(
      fc.property(object, fc.string(), value, (json, key, valueText) => {
        const changed = setMember(json, key, valueText);
        expect(getMember(changed, key)).toBe(valueText);
        expect(checkJson(changed)).toBe(changed);
        expect(removeMember(changed, key)).toBe(removeMember(json, key));
        const before = getMember(json, key);
        if (before !== undefined) expect(setMember(changed, key, before)).toBe(json);
      }),
    );
  });

  it('are gone when removed, others untouched and in place', () => {
    fc.assert(
      fc.property(object, fc.nat(), (json, pick) => {
        const members = [...topLevelMembers(json)];
        if (members.length === 0) return;
        const { key } = members.splice(pick % members.length, 1)[0]!;
        const rest = removeMember(json, key);
        expect([...topLevelMembers(rest)]).toEqual(members);
        expect(checkJson(rest)).toBe(rest);
      }),
    );
    expect(removeMember('{"a":1}', 'b')).toBe('{"a":1}');
  });

  it('are found behind long strings with escapes', () => {
    for (let length = 15; length < 35; length++)
      for (const tail of ['\\', '"', '\\"', '\\\\', ',"a":1', '']) {
        const text = 'x'.repeat(length) + tail;
        const json = JSON.stringify({ [text]: text, a: text });
        expect(getMember(json, 'a')).toBe(JSON.stringify(text));
      }
  });
});
