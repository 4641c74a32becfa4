import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  blobDictionary,
  findBlobs,
  getMember,
  isBlob,
  isBlobDigest,
  isUnsafeInBrowser,
  readBlob,
  readBody,
  withAttachments,
} from './index.js';

const vectors = JSON.parse(readFileSync(new URL('../fixtures/blob-digests.json', import.meta.url), 'utf8')) as {
  length: number;
  digest: string;
}[];
const [EMPTY, WORLD, HELLO] = vectors.map(({ digest }) => digest) as [string, string, string];
const blob = (digest: string) => ({ '@type': 'blob', content_type: 'text/plain', digest, length: 11 });
const body = (value: object) => readBody(JSON.stringify(value)).json;

describe('blob digests', () => {
  it.each(vectors)('$digest is one', ({ digest }) => {
    expect(isBlobDigest(digest)).toBe(true);
  });

  it.each([
    '',
    'sha1-',
    'sha1-abc=',
    `md5-${HELLO.slice(5)}`,
    HELLO.slice(0, -1),
    HELLO.replace('+', '-'),
    `${HELLO} `,
    HELLO.replace('A=', 'B='),
  ])('%j is not one', (text) => {
    expect(isBlobDigest(text)).toBe(false);
  });
});

describe('findBlobs', () => {
  it('finds them at any depth, with their JSON pointer', () => {
    const json = body({ pic: blob(HELLO), a: [1, { 'x/y~': [blob(EMPTY)] }], text: '"@type":"blob"' });
    expect(findBlobs(json)).toEqual([
      { digest: HELLO, length: 11, contentType: 'text/plain', pointer: '/pic' },
      { digest: EMPTY, length: 11, contentType: 'text/plain', pointer: '/a/1/x~1y~0/0' },
    ]);
  });

  it('finds those whose text is spelt with escapes or white space', () => {
    const { json } = readBody(
      `{"p":{"\\u0040type" : "bl\\u006fb","digest":${JSON.stringify(HELLO).replaceAll('/', '\\/')}}}`,
    );
    expect(findBlobs(json)).toEqual([{ digest: HELLO, pointer: '/p' }]);
  });

  it('takes a dictionary without a proper digest for data', () => {
    expect(
      findBlobs(body({ a: { '@type': 'blob' }, b: { '@type': 'blob', digest: 'sha1-x' }, c: { digest: HELLO } })),
    ).toEqual([]);
  });

  it('finds kept attachments', () => {
    const json = body({
      _attachments: { note: { stub: true, digest: WORLD, length: 11, content_type: 'text/plain' } },
    });
    expect(findBlobs(json)).toEqual([
      { digest: WORLD, length: 11, contentType: 'text/plain', pointer: '/_attachments/note' },
    ]);
  });
});

describe('_attachments of a document', () => {
  const stub = (digest: string) => ({ stub: true, digest, revpos: 1 });

  it('are left out where they mirror a blob, whatever their name', () => {
    expect(body({ a: blob(HELLO), _attachments: { 'blob_/a': stub(HELLO), other: stub(HELLO) } })).toBe(
      body({ a: blob(HELLO) }),
    );
    expect(body({ _attachments: { 'blob_/gone': stub(HELLO) } })).toBe('{}');
  });

  it('are kept where they are the only reference, exactly as written', () => {
    const { json } = readBody(
      `{"_attachments":{"blob_/a":{"digest":"${HELLO}"}, "n":{"digest":"${WORLD}", "x":9007199254740993}},"a":1}`,
    );
    expect(json).toBe(`{"a":1,"_attachments":{"n":{"digest":"${WORLD}","x":9007199254740993}}}`);
    expect(readBody(json).json).toBe(json);
  });

  it('are left out where they name no content', () => {
    expect(body({ _attachments: { a: { stub: true }, b: 5, c: { digest: 'md5-x' } } })).toBe('{}');
    expect(body({ _attachments: [] })).toBe('{}');
  });

  it('are refused with inline data, which would be lost', () => {
    expect(() => body({ _attachments: { a: { data: 'aGk=' } } })).toThrow(
      expect.objectContaining({ code: 'doc.invalid', message: expect.stringContaining('inline') }),
    );
  });

  it('are made complete for a peer that wants them, and read back to the same body', () => {
    const json = body({ a: [blob(HELLO)], _attachments: { note: stub(WORLD) } });
    const complete = withAttachments(json, 3);
    expect(JSON.parse(getMember(complete, '_attachments')!)).toEqual({
      note: stub(WORLD),
      'blob_/a/0': { content_type: 'text/plain', length: 11, digest: HELLO, stub: true, revpos: 3 },
    });
    expect(readBody(complete).json).toBe(json);
    expect(withAttachments('{"a":1}')).toBe('{"a":1}');
    expect(withAttachments(body({ a: blob(HELLO) }))).not.toContain('revpos');
  });
});

describe('blob dictionaries', () => {
  it('are written as they are found', () => {
    const text = blobDictionary({ digest: HELLO, length: 11, contentType: 'text/plain' });
    expect(text).toBe(JSON.stringify(blob(HELLO)));
    expect(isBlob(text)).toBe(true);
    expect(readBlob(text)).toEqual({ digest: HELLO, length: 11, contentType: 'text/plain', pointer: '' });
    expect(readBlob(blobDictionary({ digest: EMPTY, length: 0 }))).toEqual({ digest: EMPTY, length: 0, pointer: '' });
  });

  it.each(['1', '"@type"', '[{"@type":"blob"}]', '{"@type":"blob"}', '{"a":{"@type":"blob"}}', '{}'])(
    '%s is not one',
    (text) => {
      expect(isBlob(text)).toBe(false);
      expect(readBlob(text)).toBeUndefined();
    },
  );

  it('holding another is not itself one', () => {
    expect(isBlob(JSON.stringify({ digest: HELLO, inner: blob(HELLO) }))).toBe(false);
  });
});

describe('isUnsafeInBrowser', () => {
  it.each([
    'text/html',
    'TEXT/HTML; charset=utf-8',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/xml',
    'text/javascript',
    'application/x-javascript',
    'application/pdf',
    'multipart/mixed',
    'image/png,text/html',
    'image/png;x=,text/html',
    'html',
    '',
    undefined,
  ])('%s is', (type) => expect(isUnsafeInBrowser(type)).toBe(true));
  it.each([
    'image/png',
    'text/plain',
    'application/octet-stream',
    'application/json',
    'video/mp4',
    'text/csv; charset=utf-8',
  ])('%s is not', (type) => expect(isUnsafeInBrowser(type)).toBe(false));
});
