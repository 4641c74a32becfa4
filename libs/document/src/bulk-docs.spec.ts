import { EdgeError } from '@edgesync/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBody, splitBulkDocs } from './index.js';

const error = (code: string, reason = '') =>
  expect.objectContaining({ code, message: expect.stringContaining(reason) });

describe('splitBulkDocs', () => {
  it('reads every item as readBody does', () => {
    const document = fc
      .dictionary(fc.string({ minLength: 1 }), fc.jsonValue())
      .map((value) => JSON.stringify({ _id: 'x', ...value, _rev: '1-a' }));
    fc.assert(
      fc.property(fc.array(document), fc.constantFrom('', ' ', '\n  '), (documents, space) => {
        const text = `{${space}"docs"${space}:[${space}${documents.join(`${space},${space}`)}${space}]${space}}`;
        expect(splitBulkDocs(text).docs).toEqual(documents.map((item) => readBody(item)));
      }),
    );
  });

  it('keeps numbers and gives the other members as text', () => {
    const { docs, members } = splitBulkDocs('{"new_edits" : false,"docs":[{"n":9007199254740993}],"x":[1, "\\/"]}');
    expect(docs).toEqual([readBody('{"n":9007199254740993}')]);
    expect([...members]).toEqual([
      ['new_edits', 'false'],
      ['x', '[1,"/"]'],
    ]);
  });

  it('gives an error with the place in place of an item that no app could read, and reads on', () => {
    const { docs } = splitBulkDocs('{"docs":[{"a":"\\ud800"},{"":1},{"a":1}]}');
    expect(docs.map((item) => (item instanceof EdgeError ? item.message : item.json))).toEqual([
      'half of a surrogate pair at offset 15: no Couchbase Lite app could read this',
      'an empty property name at offset 25: no Couchbase Lite app could read this',
      '{"a":1}',
    ]);
  });

  it('gives an error in place of an item that is no document, and reads on', () => {
    const { docs } = splitBulkDocs('{"docs":[{"a":1},3,{"_id":4},[{}],{"a":1,"a":2}]}');
    expect(docs.map((item) => (item instanceof EdgeError ? item.code : item.json))).toEqual([
      '{"a":1}',
      'doc.invalid',
      'doc.invalid',
      'doc.invalid',
      '{"a":2}',
    ]);
  });

  it('takes the last of two lists', () => {
    expect(splitBulkDocs('{"docs":[{"a":1}],"docs":[]}').docs).toEqual([]);
  });

  it.each([
    ['[]', 'request.invalid', 'must be a JSON object'],
    ['{}', 'request.invalid', 'array "docs"'],
    ['{"docs":{}}', 'request.invalid', 'array "docs"'],
    ['{"docs":[{}', 'request.json', 'expected "," or "]"'],
    ['{"docs":[{},]}', 'request.json', 'expected a value'],
    ['{"docs":[]', 'request.json', 'expected "," or "}"'],
    ['{"docs":[]} x', 'request.json', 'after the end'],
  ])('refuses %s', (text, code, reason) => {
    expect(() => splitBulkDocs(text)).toThrow(error(code, reason));
  });
});
