import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient } from '../testing/checked-client.js';
import { rawExchange } from '../testing/raw-exchange.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

const UNKNOWN_REV = `1-${'0'.repeat(40)}`;
const MB20 = 20 * 1024 * 1024;

let gateway: TestGateway;
let client: CheckedClient;
let next = 0;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const fresh = (): string => `/db/doc-${next++}`;
const typed = (type: string) => ({ headers: { 'content-type': type } });
const JSON_TYPE = typed('application/json');

async function create(body: object | string): Promise<{ path: string; rev: string }> {
  const path = fresh();
  return { path, rev: (await client.put(path, body)).json.rev };
}

// docs/protocol/rest.md#properties
describe('properties', () => {
  it('returns the value as JSON of any type', async () => {
    const { path, rev } = await create('{"a":{"b":[1]},"s":"x","n":9007199254740993,"t":true,"z":null,"e":""}');
    for (const [key, text] of Object.entries({
      a: '{"b":[1]}',
      s: '"x"',
      n: '9007199254740993',
      t: 'true',
      z: 'null',
      e: '""',
    })) {
      const answer = await client.get(`${path}/${key}`);
      expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([200, text, 'application/json']);
      expect(answer.headers.etag).toBe(`"${rev}"`);
    }
  });

  it('answers 404 if the document or the key is missing', async () => {
    const { path } = await create({ a: { inner: 1 } });
    for (const missing of [`${path}/b`, `${path}/inner`, `${path}/_id`, `${path}/toString`, `${fresh()}/a`])
      expect((await client.get(missing)).status).toBe(404);
  });

  it('reads the revision that rev names, and knows If-None-Match', async () => {
    const { path, rev } = await create({ a: 1 });
    expect((await client.get(`${path}/a?rev=${rev}`)).text).toBe('1');
    expect((await client.get(`${path}/a?rev=${UNKNOWN_REV}`)).status).toBe(404);
    expect((await client.get(`${path}/a`, { headers: { 'if-none-match': `"${rev}"` } })).status).toBe(304);
  });

  it('stores the body verbatim as the value', async () => {
    const { path, rev } = await create({ a: 1 });
    const answer = await client.put(`${path}/k?rev=${rev}`, '{"k": 18446744073709551615}', JSON_TYPE);
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ ok: true, rev: expect.stringMatching(/^2-/) });
    expect((await client.get(path)).text).toContain('"a":1,"k":{"k":18446744073709551615}}');
  });

  it.each(['"x"', '1', 'null', '[]', 'true', '{}'])('stores %s', async (text) => {
    const path = fresh();
    expect((await client.put(`${path}/k`, text, typed('application/json; charset=utf-8'))).status).toBe(201);
    expect((await client.get(`${path}/k`)).text).toBe(text);
  });

  it.each(['', '{', 'x', '1 2'])('refuses %j with 400', async (text) => {
    expect((await client.put(`${fresh()}/k`, text, JSON_TYPE)).status).toBe(400);
  });

  it.each(['a b', 'a/b', 'ü', '%', 'a?b#c', '\u{1f600}', '"', '.', 'constructor', 'x'.repeat(300)])(
    'takes the key %j',
    async (key) => {
      const path = fresh();
      const url = `${path}/${encodeURIComponent(key).replaceAll('.', '%2E')}`;
      const { rev } = (await client.put(url, '1', JSON_TYPE)).json;
      expect((await client.get(url)).text).toBe('1');
      expect((await client.get(path)).json[key]).toBe(1);
      expect((await client.delete(`${url}?rev=${rev}`)).status).toBe(200);
      expect((await client.get(url)).status).toBe(404);
    },
  );

  it('refuses to write metadata with 400', async () => {
    const { path, rev } = await create({});
    for (const key of ['_id', '_rev', '_deleted', '_attachments', '_x']) {
      expect((await client.put(`${path}/${key}?rev=${rev}`, '1', JSON_TYPE)).status).toBe(400);
      expect((await client.delete(`${path}/${key}?rev=${rev}`)).status).toBe(400);
    }
  });

  it('PUT: creates without rev, 404 with rev and no document, 409 unless the rev is current', async () => {
    const path = fresh();
    expect((await client.put(`${path}/k?rev=${UNKNOWN_REV}`, '1', JSON_TYPE)).status).toBe(404);
    const { rev } = (await client.put(`${path}/k`, '1', JSON_TYPE)).json;
    expect((await client.put(`${path}/k`, '2', JSON_TYPE)).status).toBe(409);
    expect((await client.put(`${path}/k?rev=${UNKNOWN_REV}`, '2', JSON_TYPE)).status).toBe(409);
    expect(
      (await client.put(`${path}/k`, '2', { headers: { ...JSON_TYPE.headers, 'if-match': `"${rev}"` } })).status,
    ).toBe(201);
    expect((await client.put(`${path}/k`, '3', { headers: { ...JSON_TYPE.headers, 'if-match': '*' } })).status).toBe(
      201,
    );
  });

  it('PUT: creates on a tombstone', async () => {
    const { path, rev } = await create({});
    await client.delete(`${path}?rev=${rev}`);
    expect((await client.put(`${path}/k`, '1', JSON_TYPE)).json.rev).toMatch(/^3-/);
  });

  it('DELETE: removes the property; 404 without document or key, 409 unless the rev is current', async () => {
    const { path, rev } = await create({ a: 1, b: 2 });
    expect((await client.delete(`${fresh()}/a`)).status).toBe(404);
    expect((await client.delete(`${path}/c?rev=${rev}`)).status).toBe(404);
    expect((await client.delete(`${path}/a`)).status).toBe(409);
    expect((await client.delete(`${path}/a?rev=${UNKNOWN_REV}`)).status).toBe(409);
    const answer = await client.delete(`${path}/a?rev=${rev}`);
    expect([answer.status, answer.json.rev.slice(0, 2)]).toEqual([200, '2-']);
    expect((await client.get(path)).json).not.toHaveProperty('a');
    expect((await client.get(`${path}/b`)).text).toBe('2');
  });

  it('answers 403 where writing is disabled', async () => {
    expect((await client.put('/frozen/x/k', '1', JSON_TYPE)).status).toBe(403);
    expect((await client.delete('/frozen/x/k')).status).toBe(403);
  });

  it('refuses a value that makes the document larger than 20 MB', { timeout: 60_000 }, async () => {
    const { path, rev } = await create({ a: 'x'.repeat(11 * 1024 * 1024) });
    const value = JSON.stringify('y'.repeat(11 * 1024 * 1024));
    expect((await client.put(`${path}/b?rev=${rev}`, value, JSON_TYPE)).status).toBe(413);
  });
});

// docs/protocol/rest.md#properties
describe('blobs', () => {
  const digestOf = (bytes: Buffer): string => `sha1-${createHash('sha1').update(bytes).digest('base64')}`;

  it('stores other types as a blob and puts its description into the document', async () => {
    const { path, rev } = await create({ a: 1 });
    const bytes = randomBytes(100_000);
    expect((await client.put(`${path}/pic?rev=${rev}`, bytes, typed('image/png'))).status).toBe(201);
    expect((await client.get(path)).json.pic).toEqual({
      '@type': 'blob',
      content_type: 'image/png',
      digest: digestOf(bytes),
      length: bytes.length,
    });
    const answer = await client.get(`${path}/pic`);
    expect(answer.bytes.equals(bytes)).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': '100000',
      'accept-ranges': 'bytes',
    });
    expect(answer.headers['content-disposition']).toBeUndefined();
  });

  it('takes application/octet-stream if no type is given', async () => {
    const path = fresh();
    await client.put(`${path}/k`, 'hello');
    expect((await client.get(`${path}/k`)).headers['content-type']).toBe('application/octet-stream');
  });

  it('takes an empty blob', async () => {
    const path = fresh();
    await client.put(`${path}/k`, '', typed('text/plain'));
    expect((await client.get(path)).json.k).toMatchObject({ digest: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=', length: 0 });
    const answer = await client.get(`${path}/k`);
    expect([answer.status, answer.headers['content-length']]).toEqual([200, '0']);
  });

  it.each(['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/javascript'])(
    'has browsers save %s',
    async (type) => {
      const path = fresh();
      await client.put(`${path}/k`, '<b>', typed(type));
      const { headers } = await client.get(`${path}/k`);
      expect(headers['content-disposition']).toBe('attachment');
      expect(headers['x-content-type-options']).toBe('nosniff');
    },
  );

  it('answers HEAD with type and length', async () => {
    const path = fresh();
    await client.put(`${path}/k`, 'hello', typed('text/plain'));
    const { status, headers } = await client.head(`${path}/k`);
    expect([status, headers['content-type'], headers['content-length']]).toEqual([200, 'text/plain', '5']);
  });

  it('takes just under 20 MB, and refuses 20 MB with 413, declared or not', { timeout: 60_000 }, async () => {
    const bytes = randomBytes(MB20);
    const path = fresh();
    const { rev } = (await client.put(`${path}/k`, bytes.subarray(1), typed('image/png'))).json;
    expect((await client.get(`${path}/k`)).bytes.equals(bytes.subarray(1))).toBe(true);
    expect((await client.put(`${path}/k?rev=${rev}`, bytes, typed('image/png'))).status).toBe(413);
    const head = `PUT ${fresh()}/k HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunked = Buffer.concat([
      Buffer.from(`${head}${MB20.toString(16)}\r\n`),
      bytes,
      Buffer.from('\r\n0\r\n\r\n'),
    ]);
    expect(await rawExchange(gateway.port, chunked)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    ['bytes=0-4', 206, 'bytes 0-4/10', '01234'],
    ['bytes=5-', 206, 'bytes 5-9/10', '56789'],
    ['bytes=-3', 206, 'bytes 7-9/10', '789'],
    ['bytes=8-100', 206, 'bytes 8-9/10', '89'],
    ['bytes=-100', 206, 'bytes 0-9/10', '0123456789'],
    ['bytes=3-3', 206, 'bytes 3-3/10', '3'],
    ['bytes=0-1,3-4', 200, undefined, '0123456789'],
    ['bytes=4-2', 200, undefined, '0123456789'],
    ['lines=1-2', 200, undefined, '0123456789'],
    ['bytes=x', 200, undefined, '0123456789'],
  ])('serves the range %s', async (range, status, contentRange, text) => {
    const path = fresh();
    await client.put(`${path}/k`, '0123456789', typed('text/plain'));
    const answer = await client.get(`${path}/k`, { headers: { range } });
    expect([answer.status, answer.headers['content-range'], answer.text]).toEqual([status, contentRange, text]);
    expect(answer.headers['content-length']).toBe(String(text.length));
  });

  it.each(['bytes=10-', 'bytes=-0'])('answers 416 to the range %s', async (range) => {
    const path = fresh();
    await client.put(`${path}/k`, '0123456789', typed('text/plain'));
    const answer = await client.get(`${path}/k`, { headers: { range } });
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */10']);
  });

  it.each(['bytes=0-1', 'bytes=10-', 'bytes=-3'])(
    'answers HEAD with the whole, whatever the range: %s',
    async (range) => {
      const path = fresh();
      await client.put(`${path}/k`, '0123456789', { headers: { 'content-type': 'text/plain' } });
      const { status, headers } = await client.head(`${path}/k`, { headers: { range } });
      expect([status, headers['content-length'], headers['content-range']]).toEqual([200, '10', undefined]);
    },
  );

  it('serves the whole if If-Range names another revision', async () => {
    const path = fresh();
    const { rev } = (await client.put(`${path}/k`, '0123456789', typed('text/plain'))).json;
    const ask = (ifRange: string) => client.get(`${path}/k`, { headers: { range: 'bytes=0-1', 'if-range': ifRange } });
    expect((await ask(`"${rev}"`)).status).toBe(206);
    expect((await ask(`"${UNKNOWN_REV}"`)).status).toBe(200);
  });

  it('refuses a document that refers to a blob which is not stored', async () => {
    const blob = { '@type': 'blob', digest: digestOf(randomBytes(8)), length: 8 };
    expect((await client.put(fresh(), { blob })).status).toBe(400);
  });

  it('does not look at the content before the revision is right', async () => {
    const { path } = await create({});
    const before = `PUT ${path}/k HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n`;
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(before);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 409 /);
    socket.destroy();
  });

  it('keeps nothing of an upload that breaks off', async () => {
    const path = fresh();
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(`PUT ${path}/k HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 1000000\r\n\r\n`);
    await new Promise<void>((resolve) => socket.write(Buffer.alloc(500_000), () => resolve()));
    const faults = gateway.log.filter((line) => line.includes('ERROR')).length;
    socket.destroy();
    await once(socket, 'close');
    expect((await client.get(path)).status).toBe(404);
    expect((await client.put(`${path}/k`, 'x', typed('text/plain'))).status).toBe(201);
    expect(gateway.log.filter((line) => line.includes('ERROR'))).toHaveLength(faults);
  });

  it('redirects to an attachment that only _attachments has', async () => {
    const bytes = Buffer.from('legacy');
    await gateway.storage.putBlob('db', bytes);
    const attachment = {
      content_type: 'text/plain',
      digest: digestOf(bytes),
      length: bytes.length,
      stub: true,
      revpos: 1,
    };
    const { path } = await create({ a: 1, _attachments: { 'old file': attachment } });
    const answer = await client.get(`${path}/old%20file?x=1`);
    expect([answer.status, answer.headers.location]).toEqual([302, `${path}/_attachments/old%20file?x=1`]);
    const content = await client.get(answer.headers.location!);
    expect([content.status, content.text, content.headers['content-type']]).toEqual([200, 'legacy', 'text/plain']);
    expect((await client.get(`${path}/_attachments/nothing`)).status).toBe(404);
  });
});
