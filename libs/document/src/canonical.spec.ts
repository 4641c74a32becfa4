import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, checkJson } from './index.js';

const vectors = JSON.parse(readFileSync(new URL('../fixtures/canonical-json.json', import.meta.url), 'utf8')) as {
  body: unknown;
  hashedJSON: string;
  revID: string;
}[];

/** The slow and obvious way, for values whose numbers JavaScript holds exactly. */
function sortedByBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedByBytes);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, sortedByBytes(item)] as const);
  return new Map(entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(write).join()}]`;
  if (value instanceof Map) return `{${[...value].map(([key, item]) => `${spell(key)}:${write(item)}`).join()}}`;
  return typeof value === 'string' ? spell(value) : JSON.stringify(value);
}

function spell(text: string): string {
  return Array.from(
    JSON.stringify(text).matchAll(/\\?./gsu),
    ([part]) => ({ '\\b': '\\u0008', '\\f': '\\u000c', '\x7f': '\\u007f' })[part] ?? part,
  ).join('');
}

describe('canonicalJson', () => {
  it.each(vectors)('is what peers hash: $revID', ({ body, hashedJSON }) => {
    expect(canonicalJson(JSON.stringify(body))).toBe(hashedJSON);
  });

  const unit = fc.constantFrom(
    'a',
    'b',
    'A',
    '"',
    '\\',
    ' ',
    '!',
    '1',
    '\b',
    '\x7f',
    'é',
    '€',
    '\uffee',
    '😀',
    '\u0001',
  );
  const key = fc.string({ unit, maxLength: 4 });
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit }),
      fc.integer(),
      fc.boolean(),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 40, noNullPrototype: true }),
    ),
  }));

  it('sorts keys by their UTF-8 bytes at every level', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(canonicalJson(JSON.stringify(value))).toBe(write(sortedByBytes(value)));
      }),
    );
  });

  it('does not depend on the order of members, and is canonical itself', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(key, tree), { selector: ([name]) => name, maxLength: 40 }),
        fc.gen(),
        (members, generate) => {
          const text = (list: typeof members) =>
            `{${list.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`;
          const shuffled = generate(() => fc.shuffledSubarray(members, { minLength: members.length }));
          const canonical = canonicalJson(text(members));
          expect(canonicalJson(text(shuffled))).toBe(canonical);
          expect(canonicalJson(checkJson(canonical))).toBe(canonical);
        },
      ),
    );
  });

  it('returns canonical text as it is', () => {
    const text = '{"":[],"a":{"b":-1,"c":[1,{}]},"b":"x\\"y","ä":0.1}';
    expect(canonicalJson(text)).toBe(text);
  });

  it.each([
    ['9007199254740993', '9007199254740993'],
    ['18446744073709551615', '18446744073709551615'],
    ['-9223372036854775808', '-9223372036854775808'],
    ['18446744073709551616', '18446744073709552000'],
    ['0', '0'],
    ['-0', '0'],
    ['-0.0', '0'],
    ['1.0', '1'],
    ['1e5', '100000'],
    ['-12.50', '-12.5'],
    ['0.1', '0.1'],
    ['1E-7', '1e-7'],
    ['1.5e300', '1.5e+300'],
    ['1234567890123456768.0', '1234567890123456768'],
    ['1e400', '1e400'],
  ])('writes the number %s as %s', (text, expected) => {
    expect(canonicalJson(text)).toBe(expected);
    expect(canonicalJson(`{"b":[${text}],"a":${text}}`)).toBe(`{"a":${expected},"b":[${expected}]}`);
  });
});
