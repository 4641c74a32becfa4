import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyDelta, canonicalJson, createDelta, readPeerBody } from './index.js';

interface Vector {
  old: unknown;
  delta: unknown;
  new: unknown;
  why?: string;
}
const { applies, fails } = JSON.parse(
  readFileSync(new URL('../fixtures/json-deltas.json', import.meta.url), 'utf8'),
) as { applies: Vector[]; fails: Vector[] };

const text = (value: unknown) => JSON.stringify(value);
const invalid = expect.objectContaining({ code: 'delta.invalid' });
const ALWAYS = Infinity;

describe('applyDelta', () => {
  it.each(applies)('makes $new', ({ old, delta, new: expected }) => {
    expect(JSON.parse(applyDelta(text(old), text(delta)))).toEqual(expected);
  });

  it.each(fails)('fails: $why', ({ old, delta }) => {
    expect(() => applyDelta(text(old), text(delta))).toThrow(invalid);
  });

  it.each([
    ['{"a":1}', '{"a":[1,2]}', '{"a":2}'],
    ['{"a":1}', '{"a":[1,0,0]}', '{}'],
    ['{"a":[1,2,3]}', '{"a":{"2-":[4],"0":9}}', '{"a":[9,2,4]}'],
    [
      '{"n":9007199254740993,"m":-0}',
      '{"k":18446744073709551615}',
      '{"n":9007199254740993,"m":-0,"k":18446744073709551615}',
    ],
    ['{"2":1,"1":{"__proto__":1}}', '{"1":{"__proto__":1.0}}', '{"2":1,"1":{"__proto__":1.0}}'],
    ['{"a":{"b":1}}', ' { "a" : { } } ', '{"a":{"b":1}}'],
    ['{"a":1}', '{"a":null}', '{"a":null}'],
    ['{"t":"€é"}', '{"t":["3=2-1+e|",0,2]}', '{"t":"€e"}'],
    ['{"t":"a"}', '{"t":["1=3+x|y|",0,2]}', '{"t":"ax|y"}'],
  ])('%s and %s give %s', (old, delta, expected) => {
    expect(applyDelta(old, delta)).toBe(expected);
  });

  it.each([
    ['{}', '{"a":{"b":1}}', 'missing value'],
    ['{"a":1}', '{"a":["x",0,3]}', 'unknown kind'],
    ['{"a":1}', '{"a":["x",1,2]}', 'unknown kind'],
    ['{"a":1}', '{"a":["1=",0,2]}', 'a value that is not text'],
    ['{"a":1}', '{"a":[1,2,3,4]}', 'too long'],
    ['{}', '{"a":[1,0,0]}', 'missing value'],
    ['{"a":[1]}', '{"a":{"1":2}}', 'beyond the end'],
    ['{"a":[1]}', '{"a":{"x":2}}', 'no index'],
    ['{"a":[1]}', '{"a":{"01":2}}', 'no index'],
    ['{"a":[1]}', '{"a":{"0":[]}}', 'deletes an item'],
    ['{"a":[1]}', '{"a":{"2-":[]}}', 'end of an array'],
    ['{"a":[1]}', '{"a":{"0-":1}}', 'end of an array'],
    ['{"t":"abc"}', '{"t":["4=",0,2]}', 'more bytes'],
    ['{"t":"abc"}', '{"t":["99999999999999999999-",0,2]}', 'more bytes'],
    ['{"t":"abc"}', '{"t":["3=1+xy|",0,2]}', 'does not end'],
    ['{"t":"abc"}', '{"t":["3=1+x",0,2]}', 'does not end'],
    ['{"t":"abc"}', '{"t":["3*",0,2]}', 'unknown operation'],
    ['{"t":"abc"}', '{"t":["=",0,2]}', 'starts with a count'],
    ['{"t":"abc"}', '{"t":["3",0,2]}', 'unknown operation'],
    ['{"t":"€"}', '{"t":["1=2-",0,2]}', 'splits a character'],
    ['{"t":"\\ud800"}', '{"t":["3=",0,2]}', 'valid Unicode'],
    ['{}', '[]', 'deletes the whole'],
    ['{"k":{"":1}}', '{"k":{"":1,"":[],"a":2}}', 'an empty key'],
    ['{}', '{"a"', 'invalid JSON'],
    ['{}', `{"a":${'['.repeat(600)}`, '500 levels'],
  ])('%s with %s fails, saying why', (old, delta, reason) => {
    expect(() => applyDelta(old, delta)).toThrow(
      expect.objectContaining({ code: 'delta.invalid', message: expect.stringContaining(reason) }),
    );
  });
});

describe('createDelta', () => {
  const unit = fc.constantFrom('a', 'b', '|', '=', '1', 'é', 'è', '€', '😀', '😁', '\ud800');
  const longText = fc.string({ unit, minLength: 40, maxLength: 80 });
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      longText,
      fc.constantFrom('9007199254740993', 'x', 1, -0.5, true, null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c', '0', '1', '1-', ' '), tie('value')),
    ),
  }));
  const body = fc
    .dictionary(fc.constantFrom('a', 'b', 'c', 'd', '0'), value)
    .map((document) => readPeerBody(text(document)).json);

  it('makes what applyDelta turns into the new body', () => {
    fc.assert(
      fc.property(body, body, (old, next) => {
        const delta = createDelta(old, next, ALWAYS)!;
        expect(canonicalJson(applyDelta(old, delta))).toBe(canonicalJson(next));
      }),
      { numRuns: 1000 },
    );
  });

  it('patches long text exactly', () => {
    fc.assert(
      fc.property(longText, fc.string({ unit }), fc.nat(40), fc.nat(20), (start, insert, from, length) => {
        const next = start.slice(0, from) + insert + start.slice(from + length);
        const [old, changed] = [text({ start }), text({ start: next })];
        expect(applyDelta(old, createDelta(old, changed, ALWAYS)!)).toBe(changed);
      }),
      { numRuns: 1000 },
    );
  });

  it('agrees with LiteCore on a change at the end of a text', () => {
    const { old, delta, new: next } = applies.at(-1)!;
    expect(createDelta(text(old), text(next))).toBe(text(delta));
  });

  it('never splits a character', () => {
    const padding = 'x'.repeat(60);
    expect(createDelta(text({ t: `${padding}é` }), text({ t: `${padding}è` }))).toBe('{"t":["60=2-2+è|",0,2]}');
    expect(createDelta(text({ t: `é${padding}` }), text({ t: `ũ${padding}` }))).toBe('{"t":["2-2+ũ|60=",0,2]}');
  });

  it('is exact about numbers', () => {
    const padding = `"p":"${'x'.repeat(60)}"`;
    expect(createDelta(`{"n":9007199254740993,${padding}}`, `{"n":9007199254740992,${padding}}`)).toBe(
      '{"n":9007199254740992}',
    );
  });

  it.each([
    [{ k: { '': 1 } }, { k: { '': 2 } }],
    [{ k: { '': 1 } }, { k: {} }],
    [{ k: {} }, { k: { '': 1 } }],
  ])('makes none that names an empty key, which Couchbase Lite gets wrong: %j to %j', (old, next) => {
    expect(createDelta(text(old), text(next), ALWAYS)).toBeUndefined();
  });

  it('has the whole dictionary of a blob that is another one', () => {
    const blob = (digest: string, type = 'text/plain') =>
      `{"@type":"blob","content_type":"${type}","digest":"${digest}","length":11}`;
    const [first, second] = ['sha1-+/5OEWyiOCR+4+FV9BerKsYPaxA=', 'sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00='];
    const stub = (digest: string) =>
      `{"_attachments":{"a":{"content_type":"text/plain","digest":"${digest}","length":11}}}`;
    for (const [old, next, delta] of [
      [`{"p":${blob(first)}}`, `{"p":${blob(second)}}`, `{"p":[${blob(second)}]}`],
      [`{"l":[{"p":${blob(first)}}]}`, `{"l":[{"p":${blob(second)}}]}`, `{"l":{"0":{"p":[${blob(second)}]}}}`],
      [stub(first), stub(second), stub(second).replace(/"a":(.*)\}\}$/, '"a":[$1]}}')],
      // The same blob, described otherwise, is no other one.
      [`{"p":${blob(first)}}`, `{"p":${blob(first, 'a/b')}}`, '{"p":{"content_type":"a/b"}}'],
    ] as const) {
      expect(createDelta(old, next, ALWAYS)).toBe(delta);
      expect(applyDelta(old, delta)).toBe(next);
    }
  });

  it('makes none that is no shorter than the body', () => {
    expect(createDelta('{"a":1}', '{"a":2}')).toBeUndefined();
    expect(createDelta('{"a":1}', '{"a":1}')).toBe('{}');
    expect(createDelta('{}', '{}')).toBeUndefined();
  });
});
