import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_APP_NESTING,
  MAX_DOCUMENT_BYTES,
  MAX_NESTING,
  readBody,
  readPeerBody,
  readProperty,
  withMetadata,
} from './index.js';

const error = (code: string, reason = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(reason) });
const json = (text: string) => readPeerBody(text).json;
const nested = (levels: number) => '{"a":'.repeat(levels - 1) + '{}' + '}'.repeat(levels - 1);

describe('reading a body keeps values exactly', () => {
  it.each([
    '{}',
    '{"n":9007199254740993}',
    '{"n":18446744073709551615}',
    '{"n":[1.5e300,0.1,-0,1.0,1E+2,1e400,123456789012345678901234567890.5]}',
    '{"s":"\\u0000\\u001f\\"\\\\\\n"}',
    '{"s":"\\ud800"}',
    '{"s":"温度 😀 \u2028 \u007f"}',
    '{"b":1,"2":2,"1":3,"a":{"9":1,"8":2}}',
    '{"x":{"__proto__":{"y":1},"constructor":2}}',
    '{"":{"":[]}}',
    '{"t":true,"f":false,"n":null,"e":[[],{},[{}]]}',
  ])('%s', (text) => {
    expect(json(text)).toBe(text);
  });

  it('drops white space between tokens and no other', () => {
    expect(json(' {\n\t"a b" : [ 1 ,\r\n { "c" : " d " } , [ ] , { } ] , "e":-0 }\n')).toBe(
      '{"a b":[1,{"c":" d "},[],{}],"e":-0}',
    );
  });

  it('spells strings in one way', () => {
    expect(json('{"\\u0061":"\\/\\u00e9\\ud83d\\ude00\\u000A"}')).toBe('{"a":"/é😀\\n"}');
    expect(json('{"a":"\ud800"}')).toBe('{"a":"\\ud800"}');
    expect(json('{"a":"\\uD800"}')).toBe('{"a":"\\ud800"}');
  });

  it('reads any JSON, however spaced, as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(4), (value, indent) => {
        const properties = Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('_')));
        expect(json(JSON.stringify(value, null, indent))).toBe(JSON.stringify(properties));
      }),
    );
  });

  it('accepts and refuses the same texts as JSON.parse', () => {
    const token = fc.constantFrom(
      ...'{}[],:"\\',
      '"a"',
      '1',
      '-',
      '.5',
      'e',
      '0',
      'tru',
      'true',
      'null',
      ' ',
      '\n',
      '\u0001',
      '\\u12',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        const text = `{"a":${tokens.join('')}}`;
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (valid) expect(JSON.parse(json(text))).toEqual(JSON.parse(text));
        else expect(() => json(text)).toThrow(error('request.json'));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('readBody and duplicate keys', () => {
  it('takes the last value, at every level', () => {
    expect(json('{"a":1,"b":2,"a":3}')).toBe('{"a":3,"b":2}');
    expect(json('{"x":[{"k":1,"k":{"l":1,"l":2}}],"n":9007199254740993}')).toBe(
      '{"x":[{"k":{"l":2}}],"n":9007199254740993}',
    );
    expect(json('{"a":1,"\\u0061":2}')).toBe('{"a":2}');
    expect(readBody('{"_id":"x","_id":"y"}').metadata.id).toBe('y');
  });

  it('notices them in objects of any size', () => {
    const keys = fc.array(fc.constantFrom(...Array.from({ length: 60 }, (_, index) => `key${index}`)), {
      maxLength: 90,
    });
    fc.assert(
      fc.property(keys, (names) => {
        const text = `{"x":{${names.map((name, index) => `"${name}":${index}`).join()}}}`;
        expect(json(text)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('does not mistake keys of one outline for each other', () => {
    expect(json('{"abxcd":1,"abxed":2,"aqxcd":3}')).toBe('{"abxcd":1,"abxed":2,"aqxcd":3}');
  });
});

describe('readBody and metadata', () => {
  it('takes it out wherever it stands', () => {
    const members = ['"_id":"d"', '"a":1', '"_rev":"1-ab"', '"b":[2]', '"_deleted":true', '"_unknown":{"x":[1]}'];
    fc.assert(
      fc.property(fc.shuffledSubarray(members, { minLength: 6 }), fc.constantFrom(',', ' , \n'), (order, comma) => {
        const { json: body, metadata } = readBody(`{ ${order.join(comma)} }`);
        expect(metadata).toEqual({ id: 'd', rev: '1-ab', deleted: true, removed: false });
        expect(body).toBe(`{${order.filter((member) => !member.startsWith('"_')).join()}}`);
      }),
    );
  });

  it('leaves out what it does not know, but only at the top', () => {
    expect(json('{"_exp":5,"_sync":{},"_cv":"1@x","a":{"_id":1}}')).toBe('{"a":{"_id":1}}');
    expect(json('{"\\u005fid":"x"}')).toBe('{}');
  });

  it('reads revisions as a list, newest first', () => {
    expect(readBody('{"_revisions":{"start":3,"ids":["c","b"]}}').metadata.revisions).toEqual(['3-c', '2-b']);
    expect(() => json('{"_revisions":{"start":1,"ids":["c","b"]}}')).toThrow(error('doc.invalid', '_revisions'));
    expect(() => json('{"_revisions":null}')).toThrow(error('doc.invalid', '_revisions'));
  });

  it('takes null for absent and refuses other types', () => {
    expect(readBody('{"_id":null,"_rev":null,"_deleted":null}').metadata).toEqual({ deleted: false, removed: false });
    expect(() => json('{"_id":5}')).toThrow(error('doc.invalid', '"_id" must be a string'));
    expect(() => json('{"_rev":[]}')).toThrow(error('doc.invalid', '"_rev"'));
    expect(() => json('{"_deleted":1}')).toThrow(error('doc.invalid', '"_deleted"'));
  });

  it('shows it before the properties', () => {
    expect(withMetadata('{"a":1}', { id: 'x"y', rev: '1-a' })).toBe('{"_id":"x\\"y","_rev":"1-a","a":1}');
    expect(withMetadata('{}', { id: 'x', rev: '2-b', deleted: true, cv: '1@s' })).toBe(
      '{"_id":"x","_rev":"2-b","_deleted":true,"_cv":"1@s"}',
    );
  });

  it('reads back what it shows, but for the version', () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), fc.boolean(), (id, value, deleted) => {
        const body = json(JSON.stringify(value));
        const read = readPeerBody(withMetadata(body, { id, rev: '1-a', deleted, cv: '1@s' }));
        expect(read).toEqual({ json: body, metadata: { id, rev: '1-a', deleted, removed: false } });
      }),
    );
  });
});

describe('readBody refuses', () => {
  it.each(['[]', '1', '"x"', 'null', ' true '])('%s, which is no object', (text) => {
    expect(() => readBody(text)).toThrow(error('doc.invalid', 'must be a JSON object'));
  });

  it.each([
    ['', 'offset 0: expected a value'],
    ['{"a":1', 'offset 6: expected "," or "}"'],
    ['{"a":1}}', 'offset 7: there is text after'],
    ['{"a" 1}', 'offset 5: expected ":"'],
    ['{a:1}', 'offset 1: expected a key'],
    ['{"a":1,}', 'offset 7: expected a key'],
    ['{"a":[1,]}', 'offset 8: expected a value'],
    ['{"a":[1 2]}', 'offset 8: expected "," or "]"'],
    ['{"a":01}', 'offset 6'],
    ['{"a":1.}', 'offset 7: expected a digit'],
    ['{"a":-}', 'offset 6: expected a digit'],
    ['{"a":"\n"}', 'offset 6: a string contains an unescaped control character'],
    ['{"a":"\\x"}', 'offset 6: unknown escape'],
    ['{"a":"\\u12g4"}', 'offset 6: a \\u escape takes'],
    ['{"a":"', 'the string does not end'],
    ['{"a":NaN}', 'expected a value'],
    ['\ufeff{}', 'offset 0'],
  ])('%j, naming the place', (text, reason) => {
    expect(() => readBody(text)).toThrow(error('request.json', reason));
  });

  it('nesting beyond the limit, from peers too', () => {
    expect(json(nested(MAX_NESTING))).toHaveLength(nested(MAX_NESTING).length);
    expect(() => json(nested(MAX_NESTING + 1))).toThrow(error('doc.invalid', '500 levels'));
    expect(() => json(`{"a":${'['.repeat(200_000)}`)).toThrow(error('doc.invalid', '500 levels'));
  });

  it('documents beyond the limit, counted in bytes and without white space', () => {
    const frame = '{"a":""}'.length;
    expect(json(`{ "a" : "${'x'.repeat(MAX_DOCUMENT_BYTES - frame)}" }`)).toHaveLength(MAX_DOCUMENT_BYTES);
    expect(() => json(`{"a":"${'x'.repeat(MAX_DOCUMENT_BYTES - frame + 1)}"}`)).toThrow(error('doc.too-large'));
    expect(() => json(`{"a":"${'€'.repeat(MAX_DOCUMENT_BYTES / 3)}"}`)).toThrow(error('doc.too-large'));
  });
});

describe('what no Couchbase Lite app can read', () => {
  const unreadable: [what: string, text: string, reason: string][] = [
    ['half a surrogate pair in a value', '{"a":"x\\ud800"}', 'half of a surrogate pair at offset 7'],
    ['half a surrogate pair in a key', '{"a":1,"\\uDFFF":1}', 'half of a surrogate pair at offset 8'],
    ['half a pair in an inner key', '{"a":[{"b\\ud83d":1}]}', 'half of a surrogate pair at offset 9'],
    ['two halves in the wrong order', '{"a":"\\ude00\\ud83d"}', 'half of a surrogate pair at offset 6'],
    ['the same half twice', '{"a":"\\ud83d\\ud83d"}', 'half of a surrogate pair at offset 6'],
    ['a half that is not escaped', '{"a":"\ud83d"}', 'half of a surrogate pair at offset 6'],
    ['a half in metadata that is dropped', '{"_x":"\\ud83d"}', 'half of a surrogate pair at offset 7'],
    ['an empty property name', '{ "a":1, "":2}', 'an empty property name at offset 9'],
    ['too many levels', nested(MAX_APP_NESTING + 1), 'more than 100 levels of nesting at offset 500'],
  ];

  it.each(unreadable)('%s is refused with its place when a client writes it', (_what, text, reason) => {
    expect(() => readBody(text)).toThrow(error('doc.invalid', reason));
  });

  it.each(unreadable)('%s is taken from a peer', (_what, text) => {
    expect(readPeerBody(text).json).toBe(readPeerBody(readPeerBody(text).json).json);
  });

  it.each([
    ['"\\ud800"', 'half of a surrogate pair at offset 1'],
    ['{"\\ud800":1}', 'half of a surrogate pair at offset 2'],
    [nested(MAX_APP_NESTING), 'more than 100 levels of nesting at offset 495'],
  ])('%s is refused as a property', (text, reason) => {
    expect(() => readProperty(text)).toThrow(error('doc.invalid', reason));
  });

  it.each([
    '{"a":{"":1}}',
    '{"a":"\\ud83d\\ude00"}',
    '{"a":"\\uD83D\\uDE00","b":"\\ue000\\ud7ff"}',
    nested(MAX_APP_NESTING),
  ])('%s can be read', (text) => {
    expect(readBody(text)).toEqual(readPeerBody(text));
  });

  it('of any JSON is exactly what has a key or string that is not well-formed', () => {
    const string = fc.string({ unit: fc.constantFrom('a', '\ud83d', '\ude00', '😀', '\\') });
    fc.assert(
      fc.property(
        fc.dictionary(
          string.map((key) => `k${key}`),
          string,
        ),
        (value) => {
          const text = JSON.stringify(value);
          const isReadable = Object.entries(value).every((member) => member.every((one) => one.isWellFormed()));
          const read = () => readBody(text).json;
          if (isReadable) expect(read()).toBe(text);
          else expect(read).toThrow(error('doc.invalid', 'half of a surrogate pair'));
        },
      ),
    );
  });
});
