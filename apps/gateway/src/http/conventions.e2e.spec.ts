import { connect } from 'node:net';
import { once } from 'node:events';
import { EdgeError } from '@edgesync/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient } from '../testing/checked-client.js';
import { rawExchange } from '../testing/raw-exchange.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

const MB20 = 20 * 1024 * 1024;

let gateway: TestGateway;
let client: CheckedClient;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
  await client.put('/db/doc', { n: 1 });
});
afterAll(() => gateway[Symbol.asyncDispose]());

// docs/protocol/rest.md#connections
describe('connections', () => {
  it('keeps an HTTP/1.1 connection', async () => {
    const answer = await client.get('/', { headers: { connection: 'keep-alive' } });
    expect(answer.headers.connection).toBe('keep-alive');
  });

  it('closes an HTTP/1.0 connection, unless asked to keep it', async () => {
    const text = await rawExchange(gateway.port, 'GET / HTTP/1.0\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text).toMatch(/connection: close/i);
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/connection: keep-alive/i);
    socket.destroy();
  });

  it('answers 400 with a body to what is not HTTP', async () => {
    const text = await rawExchange(gateway.port, 'BLAH\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('{"status":400,"error":"Invalid Request","reason":"malformed HTTP request"}');
    expect(text).toMatch(/^server: CouchbaseEdgeServer/im);
  });

  it('answers 431 to endless headers', async () => {
    const text = await rawExchange(gateway.port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('takes long lists of keys in a URL', async () => {
    const keys = Array.from({ length: 1000 }, (_, index) => `document-number-${index}`);
    const answer = await client.get(`/db/_all_docs?keys=${encodeURIComponent(JSON.stringify(keys))}`);
    expect(answer.status).toBe(200);
  });

  it('answers 400 if HTTP/1.1 comes without Host', async () => {
    const text = await rawExchange(gateway.port, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('the Host header is missing');
  });

  it('answers 400 if there is more than one Host', async () => {
    const text = await rawExchange(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\nHOST: b\r\nConnection: close\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('more than one Host');
  });

  it('refuses WebSocket upgrades elsewhere than at _blipsync with 403', async () => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'x',
      'sec-websocket-version': '13',
    };
    for (const path of ['/', '/db', '/db/doc', '/db/_changes', '/nope'])
      expect((await client.get(path, { headers })).status).toBe(403);
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const atSync = await rawExchange(gateway.port, `GET /db/_blipsync HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\n`);
    expect(atSync).toMatch(new RegExp(`^HTTP/1.1 ${gateway.withoutSync} `));
  });

  it('ignores offers to upgrade to HTTP/2', async () => {
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' };
    expect((await client.get('/db/doc', { headers })).status).toBe(200);
  });

  it('asks a client that waits for it to send its body, and refuses one before it does', async () => {
    const head = (path: string, length: number): string =>
      `PUT ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`;
    const accepted = connect(gateway.port, '127.0.0.1');
    accepted.write(head('/db/expected', 2));
    const [first] = (await once(accepted, 'data')) as [Buffer];
    expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    accepted.write('{}');
    const [second] = (await once(accepted, 'data')) as [Buffer];
    expect(second.toString()).toMatch(/^HTTP\/1\.1 201 /);
    const refused = connect(gateway.port, '127.0.0.1');
    refused.write(head('/frozen/expected', 2));
    const [only] = (await once(refused, 'data')) as [Buffer];
    expect(only.toString()).toMatch(/^HTTP\/1\.1 403 /);
    accepted.destroy();
    refused.destroy();
  });
});

// docs/protocol/rest.md#paths-and-methods
describe('paths and methods', () => {
  it.each(['/_nothing', '/_replicate/1/2', '/a/b/c/d', '/a/b/c/d/e', '//doc', '/db//key', '/_all_dbs/x/y/z'])(
    'answers 404 to the unknown path %s',
    async (path) => {
      expect((await client.get(path)).status).toBe(404);
    },
  );

  it.each(['_bulk_get', '_revs_diff', '_local', '_purge', '_design', '_session', '_security'])(
    'does not take %s for a document',
    async (name) => {
      for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'])
        expect((await client.request(method, `/db/${name}`)).status).toBe(404);
    },
  );

  it.each([
    ['POST', '/', 'GET, HEAD'],
    ['DELETE', '/_all_dbs', 'GET, HEAD'],
    ['PUT', '/db', 'GET, HEAD, POST'],
    ['DELETE', '/db', 'GET, HEAD, POST'],
    ['PUT', '/db/_all_docs', 'GET, HEAD, POST'],
    ['PUT', '/db/_changes', 'GET, HEAD, POST'],
    ['POST', '/_active_tasks', 'GET, HEAD'],
    ['DELETE', '/db/_bulk_docs', 'POST'],
    ['PATCH', '/db/doc', 'GET, HEAD, PUT, DELETE'],
    ['POST', '/db/doc', 'GET, HEAD, PUT, DELETE'],
    ['POST', '/db/doc/key', 'GET, HEAD, PUT, DELETE'],
    ['OPTIONS', '/db/doc', 'GET, HEAD, PUT, DELETE'],
    ['POST', '/db/_blipsync', 'GET, HEAD'],
    ['DELETE', '/db/_query', 'GET, HEAD, POST'],
    ['GET', '/db/_explain', 'POST'],
    ['PUT', '/db/_query/name', 'GET, HEAD, POST'],
  ])('answers 405 to %s %s and names the methods there are', async (method, path, allow) => {
    const answer = await client.request(method, path);
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe(allow);
  });

  it.each(['PUT /newdb', 'PUT /newdb/', 'PUT /db', 'DELETE /db', 'DELETE /db.things', 'PUT /newdb?q=8'])(
    'says to %s where databases come from',
    async (line) => {
      const [method, path] = line.split(' ') as [string, string];
      const { status, json } = await client.request(method, path);
      expect([status, json.reason]).toEqual([405, expect.stringContaining('come from the configuration file')]);
    },
  );

  it.each(['PUT /_all_dbs', 'DELETE /db/_changes', 'POST /db/doc'])('says nothing of that to %s', async (line) => {
    const [method, path] = line.split(' ') as [string, string];
    expect((await client.request(method, path)).json.reason).toBe('the endpoint does not take this method');
  });

  it.each(['/', '/_all_dbs', '/db', '/db/_all_docs', '/db/doc', '/db/doc/n', '/_openapi.json', '/_docs'])(
    'serves HEAD %s like GET, without the body',
    async (path) => {
      const [get, head] = [await client.get(path), await client.head(path)];
      expect(head.status).toBe(get.status);
      expect(head.bytes.length).toBe(0);
      for (const name of ['content-type', 'content-length', 'etag'] as const)
        expect(head.headers[name]).toBe(get.headers[name]);
    },
  );

  it('ignores one trailing slash', async () => {
    for (const path of ['/_all_dbs/', '/db/', '/db/doc/', '/db/_all_docs/', '/db/doc/n/'])
      expect((await client.get(path)).status).toBe(200);
  });

  it.each(['/db/%', '/db/%zz', '/db/%ff', '/db/%c3%28', '/db/%ed%a0%80', '/%e0%a4%a', '/db/doc/%80'])(
    'answers 400 to the malformed percent-encoding of %s',
    async (path) => {
      expect((await client.get(path)).status).toBe(400);
    },
  );

  it('answers 400 to malformed percent-encoding in parameters', async () => {
    expect((await client.get('/db/doc?rev=%zz')).status).toBe(400);
  });
});

// docs/protocol/rest.md#api-version
describe('API-Version', () => {
  it.each(['1', '1.0', '1.9', ' 1.0 '])('serves %s', async (version) => {
    expect((await client.get('/', { headers: { 'api-version': version } })).status).toBe(200);
  });

  it.each(['0.9', '2', '2.0', '10.0', 'x', '1.x', ''])('refuses %j with 400', async (version) => {
    expect((await client.get('/', { headers: { 'api-version': version } })).status).toBe(400);
  });
});

// docs/protocol/rest.md#parameters
describe('parameters', () => {
  it.each([
    ['?descending', true],
    ['?descending=', true],
    ['?descending=true', true],
    ['?descending=yes', true],
    ['?descending=1', true],
    ['?descending=false', false],
    ['?descending=0', false],
    ['', false],
  ])('reads the boolean in %j as %s', async (query, descending) => {
    await client.put('/db.things/a', {});
    await client.put('/db.things/b', {});
    const { json } = await client.get(`/db.things/_all_docs${query}`);
    expect(json.rows[0].id).toBe(descending ? 'b' : 'a');
  });

  it.each(['limit=x', 'limit=1.5', 'limit=', 'skip=-1', 'limit=-1', 'skip=1e3', 'limit=99999999999999999999'])(
    'refuses the integer %s with 400',
    async (query) => {
      expect((await client.get(`/db/_all_docs?${query}`)).status).toBe(400);
    },
  );

  it('takes the first of repeated parameters and ignores unknown ones', async () => {
    const { json } = await client.get('/db.things/_all_docs?limit=1&limit=2&whatever=3');
    expect(json.rows).toHaveLength(1);
  });
});

// docs/protocol/rest.md#request-bodies
describe('bodies', () => {
  it('takes 20 MB and refuses more with 413', { timeout: 60_000 }, async () => {
    const fill = (size: number): string => `{"x":"${'y'.repeat(size - 8)}"}`;
    expect((await client.put('/db/large', fill(MB20))).status).toBe(201);
    expect((await client.put('/db/larger', fill(MB20 + 1))).status).toBe(413);
    expect((await client.get('/db/larger')).status).toBe(404);
  });

  it('refuses an endless chunked body with 413', async () => {
    const chunk = `${(1 << 20).toString(16)}\r\n${' '.repeat(1 << 20)}\r\n`;
    const head = 'PUT /db/endless HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
    const text = await rawExchange(gateway.port, `${head}${chunk.repeat(22)}0\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/vnd.x+json',
    'text/json',
  ])('takes documents of type %s', async (type) => {
    expect((await client.post('/db', '{}', { headers: { 'content-type': type } })).status).toBe(201);
  });

  it('takes documents without a type', async () => {
    expect((await client.post('/db', '{}')).status).toBe(201);
    expect((await client.post('/db', '{}', { headers: { 'content-type': '' } })).status).toBe(201);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/related', 'application/jsonp', 'nonsense'])(
    'refuses documents of type %s with 415',
    async (type) => {
      const headers = { 'content-type': type };
      expect((await client.post('/db', '{}', { headers })).status).toBe(415);
      expect((await client.put('/db/typed', '{}', { headers })).status).toBe(415);
    },
  );

  it.each([
    ['PUT', '/db/encoded', 'application/json'],
    ['POST', '/db', 'application/json'],
    ['POST', '/db/_bulk_docs', 'application/json'],
    ['POST', '/db/_all_docs', 'application/json'],
    ['POST', '/db/_changes', 'application/json'],
    ['PUT', '/db/encoded/value', 'application/json'],
    ['PUT', '/db/encoded/blob', 'image/png'],
    ['PUT', '/db/encoded/blob', ''],
  ])('refuses an encoded body of %s %s as %j with 415', async (method, path, type) => {
    for (const encoding of ['gzip', 'identity, br', 'x']) {
      const headers = { 'content-encoding': encoding, 'content-type': type };
      expect((await client.request(method, path, { body: '{"docs":[]}', headers })).status).toBe(415);
    }
    expect((await client.get('/db/encoded')).status).toBe(404);
  });

  it('takes bodies whose encoding is identity, or empty', async () => {
    for (const encoding of ['identity', 'Identity', '']) {
      const headers = { 'content-encoding': encoding, 'content-type': 'application/json' };
      expect((await client.post('/db', '{}', { headers })).status).toBe(201);
    }
  });

  it.each(['foo, chunked', 'gzip\r\nTransfer-Encoding: chunked'])('refuses the transfer coding %j', async (coding) => {
    const paths = ['PUT /db/coded', 'POST /db', 'PUT /db/coded/blob', 'POST /db/_bulk_docs', 'GET /none', 'GET /'];
    for (const path of paths) {
      const head = `${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ${coding}\r\n\r\n`;
      const text = await rawExchange(gateway.port, `${head}2\r\n{}\r\n0\r\n\r\n`);
      expect(text).toMatch(/^HTTP\/1\.1 400 [^]*transfer coding/);
    }
    expect((await client.get('/db/coded')).status).toBe(404);
  });

  it.each([
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['half a surrogate pair', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
    ['cut JSON', '{"a":'],
    ['two values', '{}{}'],
    ['nothing', ''],
    ['an array', '[]'],
    ['a number', '1'],
    ['a string', '"x"'],
    ['null', 'null'],
  ])('refuses %s as a document with 400', async (_, body) => {
    expect((await client.put('/db/malformed', body)).status).toBe(400);
    expect((await client.post('/db', body)).status).toBe(400);
  });

  it('ignores a byte order mark', async () => {
    expect((await client.put('/db/marked', '\ufeff{"a":1}')).status).toBe(201);
  });
});

// docs/protocol/rest.md#errors
describe('in a terminal', () => {
  const curl = { headers: { 'user-agent': 'curl/8.14.1' } };

  it.each([
    '/',
    '/_all_dbs',
    '/db',
    '/db/doc',
    '/db/doc/n',
    '/db/none',
    '/unknown/path/of/many/parts',
    '/db/_all_docs',
    '/db/_changes',
    '/db/_changes?feed=longpoll',
    '/_active_tasks',
  ])('the reply to curl at %s ends with a newline, and is the same JSON', async (path) => {
    const [plain, shown] = [await client.get(path), await client.get(path, curl)];
    const withoutAge = (text: string): string => text.replaceAll(/"age_secs":\d+/g, '');
    expect(withoutAge(shown.text)).toBe(`${withoutAge(plain.text)}\n`);
    const { 'content-length': announced = shown.headers['content-length'] } = (await client.head(path, curl)).headers;
    expect(announced).toBe(String(shown.bytes.length));
  });

  it('the reply to a listing that is streamed ends with a newline', async () => {
    const docs = Array.from({ length: 2_000 }, (_, n) => ({ _id: `row-${n}` }));
    await client.post('/db.shop.orders/_bulk_docs', { docs });
    const [plain, shown] = [
      await client.get('/db.shop.orders/_all_docs'),
      await client.get('/db.shop.orders/_all_docs', curl),
    ];
    expect(shown.text).toBe(`${plain.text}\n`);
  });

  it('blobs and lines of a feed are what they are', async () => {
    await client.put('/db/with-blob/blob', 'bytes');
    expect((await client.get('/db/with-blob/blob', curl)).text).toBe('bytes');
    const feed = await client.get('/db/_changes?feed=continuous&timeout=1', curl);
    expect(feed.text).toMatch(/\}\n$/);
  });
});

describe('errors', () => {
  it('gives status, text and reason', async () => {
    expect((await client.get('/db/none')).json).toEqual({ status: 404, error: 'Not Found', reason: 'missing' });
    expect((await client.put('/db/doc', {})).json).toEqual({
      status: 409,
      error: 'Conflict',
      reason: 'Document update conflict',
    });
  });

  it.each([
    ['storage.full', 507, 'the disk is full', 'ENOSPC: no space left on device'],
    ['storage.unavailable', 503, 'storage is unavailable', 'CONNECTION_CLOSED'],
  ] as const)('logs %s in one line, with its cause and without a stack', async (code, status, reason, cause) => {
    await using failing = await startGateway({
      wrap: (storage) =>
        Object.assign(Object.create(storage), {
          write: () => Promise.reject(new EdgeError(code, undefined, { cause: new Error(cause) })),
        }),
    });
    const answer = await new CheckedClient(failing.url).put('/db/doc', {});
    expect([answer.status, answer.json.reason]).toEqual([status, reason]);
    expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
    const lines = failing.log.filter((line) => line.includes(cause));
    expect(lines).toEqual([expect.stringMatching(`REST WARNING PUT /db/doc failed: ${reason}: ${cause}$`)]);
  });

  it('hides and logs what is unexpected', async () => {
    await using faulty = await startGateway({
      wrap: (storage) =>
        Object.assign(Object.create(storage), { read: () => Promise.reject(new Error('secret path /x')) }),
    });
    const answer = await new CheckedClient(faulty.url).get('/db/doc');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('secret');
    const reference = /reference ([0-9a-f-]{36})/.exec(answer.json.reason)![1]!;
    expect(faulty.log.find((line) => line.includes(reference))).toContain('secret path /x');
  });
});

describe('when the server stops', () => {
  it('finishes what is in flight, and then does not wait for connections that could be reused', async () => {
    const asked = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    await using stopping = await startGateway({
      wrap: (storage) =>
        Object.assign(Object.create(storage), {
          databases: async () => {
            asked.resolve();
            await released.promise;
            return ['db'];
          },
        }),
    });
    const idle = connect(stopping.port, '127.0.0.1');
    await once(idle, 'connect');
    const inFlight = fetch(`${stopping.url}/_all_dbs`);
    await asked.promise;
    const closed = stopping.app.close();
    released.resolve();
    expect(await (await inFlight).json()).toEqual(['db']);
    await closed;
  });
});
