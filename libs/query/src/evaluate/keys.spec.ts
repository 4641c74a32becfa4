import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decode, type PresentValue } from '../values.js';
import { equalValues } from './compare.js';
import { compositeKey, keyOf, rowKey } from './keys.js';

const number = fc.oneof(
  fc.integer({ min: -2, max: 2 }).map(String),
  fc.constantFrom('0.0', '-0.0', '1.0', '1.5', '9007199254740993', '9007199254740992.0', '9007199254740992', '1e300'),
);
const scalar = fc.oneof(
  number,
  fc.constantFrom('true', 'false', 'null'),
  fc.constantFrom('', '1', 'm', 's1:a', '\0', '\0c[]', '\0s\0c[]', '1;', 'é').map((text) => JSON.stringify(text)),
);
const json = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2 },
    { weight: 3, arbitrary: scalar },
    fc.array(tie('node'), { maxLength: 2 }).map((items) => `[${items.join()}]`),
    fc
      .uniqueArray(fc.constantFrom('a', 'b'), { maxLength: 2 })
      .chain((names) => fc.tuple(...names.map((name) => tie('node').map((value) => `"${name}":${value}`))))
      .map((members) => `{${members.join()}}`),
  ),
})).node;

const valueOf = (text: string): PresentValue => decode(text) as PresentValue;

it('two values have the same key exactly if they are equal', () => {
  fc.assert(
    fc.property(json, json, (left, right) => {
      const keys = new Set([keyOf(valueOf(left)), keyOf(valueOf(right))]);
      expect(keys.size === 1).toBe(equalValues(valueOf(left), valueOf(right)));
    }),
    { numRuns: 3000 },
  );
});

it('lists of values have the same key exactly if all are equal', () => {
  const list = fc.array(fc.option(json, { nil: undefined }), { minLength: 2, maxLength: 2 });
  const read = (texts: readonly (string | undefined)[]) =>
    texts.map((text) => (text === undefined ? undefined : valueOf(text)));
  fc.assert(
    fc.property(list, list, (left, right) => {
      const [a, b] = [read(left), read(right)];
      const isEqual = a.every((value, index) => {
        const other = b[index];
        return value === undefined || other === undefined ? value === other : equalValues(value, other);
      });
      const isSameRow =
        isEqual && a.every((value, index) => (typeof value === 'boolean') === (typeof b[index] === 'boolean'));
      expect(compositeKey(a) === compositeKey(b)).toBe(isEqual);
      expect(rowKey(a) === rowKey(b)).toBe(isSameRow);
    }),
    { numRuns: 3000 },
  );
});
