import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '@edgesync/document';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BundleError, readDocument, readTreeRevId, readVector, writeTreeRevId, writeVector } from './index.js';
import { readSample, sampleNames, SAMPLES } from './testing/sample-rows.js';

type Line = Record<string, unknown> & { readonly _id: string; readonly _collection: string };

const lines = (file: string): Line[] =>
  readFileSync(join(SAMPLES, file), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"_id"'))
    .map((line) => JSON.parse(line) as Line);
const key = (collection: unknown, id: unknown): string => `${String(collection)}/${String(id)}`;
/** Numbers as the text they are written in, so that 1 and 1.0 differ. */
const exact = (json: string): unknown =>
  JSON.parse(
    json.replace(
      /("(?:\\.|[^"\\])*")|(-?[0-9][0-9.eE+-]*)/g,
      (_, text?: string, number?: string) => text ?? `"#${numberText(number!)}"`,
    ),
  );
/** One spelling for a float, whichever program printed it. */
const numberText = (text: string): string => (/[.e]/i.test(text) ? `float ${Number(text)}` : text);
const isFloatText = (name: string): boolean => existsSync(join(SAMPLES, `${name}.full.jsonl`));

describe('documents of bundles that real clients wrote', () => {
  it.each(sampleNames)('%s: live documents and their numbers are those the engine prints', (name) => {
    const own = `${name}.expected.jsonl`;
    const file = existsSync(join(SAMPLES, own)) ? own : 'expected.jsonl';
    const expected = readFileSync(join(SAMPLES, file), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const { _collection, _id } = JSON.parse(line) as Line;
        const { _collection: _c, _id: _i, ...body } = exact(line) as Line;
        return [key(_collection, _id), body];
      });
    const { rows, context } = readSample(name);
    const read = rows
      .map((row) => ({ row, document: readDocument(row, context) }))
      .filter(({ document }) => !document.deleted)
      .map(({ row, document }) => [key(row.collection, row.key), exact(document.body)]);
    expect(Object.fromEntries(read)).toEqual(Object.fromEntries(expected));
  });

  it.each(sampleNames.filter(isFloatText))(
    '%s: revisions, histories and conflicts are those the engine reports',
    (name) => {
      const { rows, context } = readSample(name);
      for (const line of lines(`${name}.full.jsonl`)) {
        const row = rows.find((row) => key(row.collection, row.key) === key(line._collection, line._id))!;
        const document = readDocument(row, context);
        const leaves = line['leaves'] as { readonly rev: string; readonly body: unknown }[];
        expect({
          rev: document.vector ?? document.revisions[0],
          sequence: row.sequence,
          deleted: document.deleted,
          body: JSON.parse(document.body) as unknown,
          losers: [...document.branches.map(({ revisions }) => revisions[0]), ...document.conflictingVersions],
        }).toEqual({
          rev: line['global'],
          sequence: line['seq'],
          deleted: ((line['flags'] as number) & 1) !== 0,
          body: line['body'],
          losers: leaves.slice(1).map(({ rev }) => rev),
        });
      }
    },
  );

  it('bodies have the members of every object in binary order, so that digests are stable', () => {
    const { rows, context } = readSample('sample-v4');
    for (const row of rows) {
      const { body } = readDocument(row, context);
      expect(canonicalJson(body)).toBe(body);
    }
  });

  it('every cut and every changed byte of a row gives a document or an error that names the damage', () => {
    for (const name of ['sample-conflict-v3', 'sample-conflict-v4', 'sample-upgraded']) {
      const { rows, context } = readSample(name);
      for (const row of rows)
        for (const column of ['body', 'extra', 'version'] as const) {
          const bytes = row[column];
          if (bytes === null) continue;
          const attempt = (changed: Uint8Array): void => {
            try {
              readDocument({ ...row, [column]: changed }, context);
            } catch (error) {
              expect(error).toBeInstanceOf(BundleError);
            }
          };
          for (let length = 0; length < bytes.length; length++) attempt(bytes.subarray(0, length));
          for (let at = 0; at < bytes.length; at++)
            for (const bit of [0x01, 0x02, 0x08, 0x10, 0x40, 0x80, 0xff]) {
              const changed = Uint8Array.from(bytes);
              changed[at]! ^= bit;
              attempt(changed);
            }
        }
    }
  });
});

describe('revision IDs in bytes', () => {
  const source = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => Buffer.from(bytes).toString('base64').slice(0, 22));
  const version = fc
    .tuple(fc.bigInt({ min: 1n, max: 2n ** 62n - 1n }), source)
    .map(([time, of]) => `${time.toString(16)}@${of}`);

  it('vectors read back as they were written, whatever the order of their times', () => {
    fc.assert(
      fc.property(
        version,
        fc.array(version, { maxLength: 3 }),
        fc.array(version, { maxLength: 5 }),
        (first, merged, rest) => {
          const head = [first, ...merged].join(', ');
          const text = rest.length > 0 ? `${head}; ${rest.join(', ')}` : merged.length > 0 ? `${head};` : head;
          expect(readVector(writeVector(text), 'unused')).toBe(text);
        },
      ),
    );
  });

  it('this database stands for its own source', () => {
    expect(readVector(Uint8Array.from([0, 0x02, 0x80]), 'in+maOqkQ6W2tEoIjze3Qg')).toBe('10000@in+maOqkQ6W2tEoIjze3Qg');
  });

  it.each(['1-09', '3-b528603100', `300-${'ab'.repeat(20)}`])('%s reads back as it was written', (rev) => {
    expect(readTreeRevId(writeTreeRevId(rev))).toBe(rev);
  });
});
