import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient, type Loose } from '../testing/checked-client.js';
import { rawExchange } from '../testing/raw-exchange.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
  await client.put('/db/doc', { n: 1 });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const statusesOf = (text: string): number[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
const JSON_TYPE = { headers: { 'content-type': 'application/json' } };

describe('clients that take their time', () => {
  const timeouts = { headers: 150, request: 400, check: 20 };

  it('get 408 when the headers do not come, and when the body does not', async () => {
    await using impatient = await startGateway({ timeouts });
    const starts = [
      'GET /db HTTP/1.1\r\nHost: x\r\nX-Slow: ',
      'PUT /db/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"a":',
    ];
    for (const start of starts) expect(statusesOf(await rawExchange(impatient.port, start))).toEqual([408]);
  });

  it('gain nothing by sending a byte now and then', async () => {
    await using impatient = await startGateway({ timeouts });
    const socket = connect(impatient.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /db HTTP/1.1\r\nHost: x\r\n');
    const timer = setInterval(() => socket.write('X: y\r\n'), 20);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    await once(socket, 'close');
    clearInterval(timer);
    expect(statusesOf(text)).toEqual([408]);
  });

  it('do not include those who wait for changes', async () => {
    await using impatient = await startGateway({ timeouts });
    const answer = await new CheckedClient(impatient.url).get('/db/_changes?feed=longpoll&timeout=900');
    expect(answer.json).toEqual({ results: [], last_seq: 0 });
  });
});

describe('too much', () => {
  it('is a head of more than 64 kB: many headers, a long one, a long URL', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => `X-Header-${index}: ${'x'.repeat(30)}\r\n`).join('');
    for (const head of [
      `GET / HTTP/1.1\r\nHost: x\r\n${many}\r\n`,
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`,
      `GET /db?${'x'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    ])
      // Who goes on sending may find the connection closed before the reply is read.
      expect(['431', '']).toContain(statusesOf(await rawExchange(gateway.port, head).catch(() => '')).join());
  });

  it('is a body of more than 20 MB, on every endpoint that takes one', async () => {
    const headers = { 'content-length': String(21 * 1024 * 1024), expect: '100-continue' };
    for (const [method, path] of [
      ['PUT', '/db/x'],
      ['POST', '/db'],
      ['POST', '/db/_bulk_docs'],
      ['POST', '/db/_all_docs'],
      ['POST', '/db/_changes'],
      ['PUT', '/db/fresh/blob'],
    ]) {
      const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const text = await rawExchange(
        gateway.port,
        `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${head.join('')}\r\n`,
      );
      expect(`${path} ${statusesOf(text).join()}`).toBe(`${path} 413`);
    }
  });

  it('is JSON as deep as a body is long', { timeout: 60_000 }, async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const depth = 2_000_000;
      const deep = open.repeat(depth) + (open === '[' ? '' : '1') + close.repeat(depth);
      const bodies: [string, string, string][] = [
        ['PUT', '/db/deep', `{"x":${deep}}`],
        ['PUT', '/db/fresh/deep', deep],
        ['POST', '/db/_bulk_docs', `{"docs":[{"x":${deep}}]}`],
        ['POST', '/db/_all_docs', `{"keys":${deep}}`],
        ['POST', '/db/_changes', `{"doc_ids":${deep}}`],
      ];
      for (const [method, path, body] of bodies) {
        const { status } = await client.request(method, path, { body, ...JSON_TYPE });
        expect(`${path} ${status}`).toMatch(/ (400|413)$/);
      }
    }
    expect((await client.get('/db/doc')).status).toBe(200);
  });

  it('is a list in a URL as deep as a URL is long', async () => {
    const deep = '['.repeat(60_000);
    expect((await client.get(`/db/_all_docs?keys=${deep}`)).status).toBe(400);
    expect((await client.get(`/db/_changes?doc_ids=${deep}`)).status).toBe(400);
  });
});

describe('names that mean something to JavaScript', () => {
  const NAMES = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf', '__defineGetter__'];

  it('are names like any other in documents', async () => {
    const text = '{"constructor":{"prototype":{"polluted":2}},"toString":3,"a":{"__proto__":{"polluted":1}}}';
    expect((await client.put('/db/names', text, JSON_TYPE)).status).toBe(201);
    const stored = (await client.get('/db/names')).text;
    expect(stored.replace(/^\{("_[^_"]+":"[^"]*",?)+/, '{')).toBe(text);
    expect((await client.get('/db/names/constructor')).json).toEqual({ prototype: { polluted: 2 } });
    expect((await client.get('/db/doc/__proto__')).status).toBe(404);
    expect((await client.get('/db/doc/hasOwnProperty')).status).toBe(404);
  });

  it.each(NAMES)('%s is no parameter and sets none', async (name) => {
    const value = { limit: 1, include_docs: true, feed: 'continuous', new_edits: false };
    const before = (await client.get('/db/_changes')).text;
    expect((await client.get(`/db/_changes?${name}=1&${name}[limit]=1&${name}.limit=1`)).text).toBe(before);
    const body = `{"${name}":${JSON.stringify(value)}}`;
    expect((await client.post('/db/_changes', body)).text).toBe(before);
    expect((await client.post('/db/_all_docs', body)).status).toBe(200);
    expect((await client.post('/db/_bulk_docs', `{"${name}":{"docs":[{}]}}`, JSON_TYPE)).status).toBe(400);
    expect(({} as Loose)['limit']).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it.each(NAMES)('%s is no database, and a document that does not exist', async (name) => {
    const database = await client.get(`/${name}`);
    expect([400, 404]).toContain(database.status);
    expect((await client.get(`/db.${name}/doc`)).status).toBeGreaterThanOrEqual(400);
    expect([400, 404]).toContain((await client.get(`/db/${name}`)).status);
  });

  it('come twice: of parameters in a URL the first counts, in a body the last, in a document the last', async () => {
    await client.put('/db.things/a', {});
    await client.put('/db.things/b', {});
    const count = async (answer: Promise<{ json: Loose }>): Promise<number> => (await answer).json.results.length;
    expect(await count(client.get('/db.things/_changes?limit=1&limit=2'))).toBe(1);
    expect(await count(client.post('/db.things/_changes', '{"limit":1,"limit":2}'))).toBe(2);
    await client.put('/db/twice', '{"a":1,"b":2,"a":3}', JSON_TYPE);
    const { text, json } = await client.get('/db/twice');
    expect([json.a, text.match(/"a":/g)!.length]).toEqual([3, 1]);
    expect((await client.post('/db', '{"_id":"first","_id":"second"}', JSON_TYPE)).json.id).toBe('second');
  });
});

describe('paths', () => {
  it.each([
    '/db/../../etc/passwd',
    '/../etc/passwd',
    '/db/..',
    '/db/../db',
    '/..%2f..%2fetc%2fpasswd',
    '/db/..%2f..%2f..%2fetc%2fpasswd',
    '/db/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '/db/..%5c..%5cetc',
    '/db/doc/..%2f..%2fdb.sqlite3',
    '/db/doc/_attachments/..%2f..%2f..%2fetc%2fpasswd',
    '//etc/passwd',
    '/db/%00',
    '/db%00/doc',
    '/db/doc%00.txt',
    '/db/doc/%00',
    '/db;x/doc',
    '/db/%c0%ae%c0%ae/',
    '/db/%c0%af',
    '/%c0%ae%c0%ae/etc',
    '/db/%e0%80%af',
    '/db/%f0%80%80%af',
    '/db/%ed%a0%80',
    '/db/%u002e',
  ])('lead nowhere else: %s', async (path) => {
    const answer = await client.get(path);
    expect([400, 404]).toContain(answer.status);
    expect(answer.text).not.toContain('root:');
    expect(answer.json).toHaveProperty('reason');
  });

  it.each(['a/b', '..', '../..', 'a\\b', '.', 'a b', '%2f', 'doc.cblite2', '~', 'C:'])(
    'name documents, not files: %j is an ID',
    async (id) => {
      const path = `/db.things/${encodeURIComponent(id).replaceAll('.', '%2e')}`;
      expect((await client.put(path, { id })).status).toBe(201);
      expect((await client.get(path)).json).toMatchObject({ _id: id, id });
    },
  );

  it('in absolute form or with a fragment are no way around anything', async () => {
    const target = (one: string) => `GET ${one} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    for (const one of ['http://other/db/doc', 'file:///etc/passwd', '*', 'db/doc', '\\etc\\passwd']) {
      const text = await rawExchange(gateway.port, target(one));
      expect(statusesOf(text)).toHaveLength(1);
      expect(text).not.toContain('root:');
    }
  });
});

describe('headers', () => {
  const INJECTED = 'x\r\nSet-Cookie: stolen=1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n<script>';

  it('take no line breaks from IDs: those are refused', async () => {
    const answer = await client.post('/db.things', { _id: INJECTED });
    expect(answer.status).toBe(400);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('have IDs that are not ASCII encoded', async () => {
    const answer = await client.post('/db.things', { _id: 'ü\u{1f600}\u010d\u010a' });
    expect(answer.headers.location).toMatch(/^[\x21-\x7e]+$/);
  });

  it.each([INJECTED, 'text/html\nX: y', 'tëxt/html', 'text/plain\0', '\u2028', 'a'.repeat(100_000), '', 5, {}, null])(
    'take no line breaks from types of blobs: %j',
    async (content_type) => {
      const stored = await client.put(`/db.things/typed-${Math.random()}`, { text: 'x' });
      const id = stored.json.id as string;
      const put = await client.put(`/db.things/${id}/blob?rev=${stored.json.rev}`, Buffer.from('<script>'), {
        headers: { 'content-type': 'application/x' },
      });
      const doc = (await client.get(`/db.things/${id}`)).json;
      doc.blob.content_type = content_type;
      expect((await client.put(`/db.things/${id}?rev=${put.json.rev}`, doc)).status).toBe(201);
      const { headers, text } = await client.get(`/db.things/${id}/blob`);
      expect(text).toBe('<script>');
      expect(headers['set-cookie']).toBeUndefined();
      expect(headers['content-type']).toMatch(/^[\x20-\x7e]+$/);
      expect(headers['content-disposition'] ?? headers['content-type']).toMatch(
        /^(attachment|application\/octet-stream)$/,
      );
    },
  );

  it('forbid browsers to guess, on every kind of reply', async () => {
    for (const path of [
      '/',
      '/db',
      '/db/doc',
      '/db/nothing',
      '/db/_all_docs',
      '/db/_changes',
      '/_docs',
      '/db/%ff',
      '/%',
    ])
      expect((await client.get(path)).headers['x-content-type-options']).toBe('nosniff');
    const live = await client.get('/db/_changes?feed=continuous&limit=1');
    expect(live.headers['x-content-type-options']).toBe('nosniff');
    expect(await rawExchange(gateway.port, 'nonsense\r\n\r\n')).toMatch(/x-content-type-options: nosniff/i);
  });

  it.each(['text/html', 'image/svg+xml', 'TEXT/HTML;charset=x', 'image/png;x=,text/html'])(
    'keep a browser from running a blob of type %s',
    async (type) => {
      const id = `active-${Math.random()}`;
      await client.put(`/db.things/${id}`, {});
      const { _rev } = (await client.get(`/db.things/${id}`)).json;
      const put = await client.put(`/db.things/${id}/blob?rev=${_rev}`, Buffer.from('<script>'), {
        headers: { 'content-type': type },
      });
      expect(put.status).toBe(201);
      const { headers } = await client.get(`/db.things/${id}/blob`);
      expect(headers).toMatchObject({
        'content-disposition': 'attachment',
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
      });
    },
  );
});

describe('patterns', () => {
  // A pattern that backtracks takes minutes or years for one of these; the server answers nobody meanwhile.
  const LONG = 60_000;
  const EVIL = [
    ' '.repeat(LONG) + 'x',
    'a'.repeat(LONG) + '!',
    '"'.repeat(LONG),
    ','.repeat(LONG),
    'a,'.repeat(LONG / 2) + '!',
    ' ,'.repeat(LONG / 2) + '"',
    '+'.repeat(LONG) + '!',
    'a/'.repeat(LONG / 2),
    'a/' + '+'.repeat(LONG),
    'a='.repeat(LONG / 2),
    ';'.repeat(LONG),
    '1.'.repeat(LONG / 2) + 'x',
    '0'.repeat(LONG) + 'x',
    'W/"a'.repeat(LONG / 4),
    'Basic '.repeat(LONG / 6),
    'token='.repeat(LONG / 6),
    'a_'.repeat(LONG / 2),
    '%41'.repeat(LONG / 3),
    '/'.repeat(LONG),
  ];
  const HEADERS = [
    'accept',
    'api-version',
    'authorization',
    'content-type',
    'cookie',
    'expect',
    'if-match',
    'if-none-match',
    'if-range',
    'last-event-id',
    'origin',
    'range',
    'sec-websocket-protocol',
    'upgrade',
    'access-control-request-headers',
  ];

  it.each(HEADERS)('stand any %s', { timeout: 60_000 }, async (name) => {
    await client.put('/db/blobbed', {});
    for (const evil of EVIL) {
      const headers = { [name]: evil, ...(name === 'upgrade' && { connection: 'upgrade' }) };
      for (const path of ['/db/doc', '/db/_changes?feed=sse&limit=1&timeout=1']) {
        const { status } = await client.get(path, { headers });
        expect(status).toBeGreaterThanOrEqual(200);
      }
    }
  });

  it('stand any path and parameter', { timeout: 60_000 }, async () => {
    for (const evil of EVIL.map((text) => encodeURIComponent(text.slice(0, 5_000)))) {
      for (const path of [`/${evil}`, `/db.${evil}/x`, `/db/${evil}`, `/db/doc/${evil}`, `/${evil}/_blipsync`])
        expect((await client.get(path)).status).toBeGreaterThanOrEqual(400);
      for (const name of ['rev', 'limit', 'since', 'doc_ids', 'filter', 'keys', 'heartbeat', evil])
        for (const path of ['/db/doc', '/db/_changes', '/db/_all_docs'])
          expect((await client.get(`${path}?${name}=${evil}`)).status).toBeLessThan(500);
    }
  });
});

describe('requests hidden in requests', () => {
  const HIDDEN = 'GET /db/doc HTTP/1.1\r\nHost: hidden\r\n\r\n';
  const chunked = `0\r\n\r\n${HIDDEN}`;
  const head = (...lines: string[]): string =>
    `POST /db/_all_docs HTTP/1.1\r\nHost: x\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;

  it.each([
    ['both lengths', head('Content-Length: 4', 'Transfer-Encoding: chunked') + chunked],
    ['both lengths, the other way round', head('Transfer-Encoding: chunked', 'Content-Length: 6') + chunked],
    ['two lengths', head('Content-Length: 0', `Content-Length: ${HIDDEN.length}`) + HIDDEN],
    ['a list of lengths', head(`Content-Length: 0, ${HIDDEN.length}`) + HIDDEN],
    ['a signed length', head('Content-Length: +0') + HIDDEN],
    ['a negative length', head('Content-Length: -1') + HIDDEN],
    ['a hexadecimal length', head('Content-Length: 0x0') + HIDDEN],
    ['a blank before the colon', head('Transfer-Encoding : chunked') + chunked],
    ['a blank in the name', head('Transfer Encoding: chunked') + chunked],
    ['an unknown coding at the end', head('Transfer-Encoding: chunked, identity') + chunked],
    ['an unknown coding before chunked', head('Transfer-Encoding: foo, chunked') + chunked],
    ['an unknown coding on a line of its own', head('Transfer-Encoding: gzip', 'Transfer-Encoding: chunked') + chunked],
    ['an empty coding before chunked', head('Transfer-Encoding: ,chunked') + chunked],
    ['a coding in HTTP/1.0', head('Transfer-Encoding: chunked').replace('/1.1', '/1.0') + chunked],
    ['chunked twice', head('Transfer-Encoding: chunked, chunked') + chunked],
    ['a folded header', head('Transfer-Encoding:\r\n chunked', 'Content-Length: 3') + chunked],
    ['a carriage return in a value', head('X: y\rTransfer-Encoding: chunked', 'Content-Length: 3') + chunked],
    ['a nul in a value', head('X: \0') + HIDDEN],
    ['an invalid size of a chunk', head('Transfer-Encoding: chunked') + `0x2\r\n{}\r\n${chunked}`],
    ['a size of a chunk with a sign', head('Transfer-Encoding: chunked') + `+2\r\n{}\r\n${chunked}`],
    ['a chunk longer than its size', head('Transfer-Encoding: chunked') + `2\r\n{}xx\r\n${chunked}`],
  ])('are not found behind %s', async (_what, request) => {
    const text = await rawExchange(gateway.port, request);
    expect(text).not.toContain('"_id":"doc"');
    expect(statusesOf(text)).toEqual([400]);
  });

  it('are found where they are sent openly, one after the other', async () => {
    const one = 'GET /db/doc HTTP/1.1\r\nHost: x\r\n\r\n';
    const last = 'GET /db/doc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect(statusesOf(await rawExchange(gateway.port, one + one + last))).toEqual([200, 200, 200]);
  });

  it('are worked on in their order: a read sees the write that was sent before it', async () => {
    const write = 'PUT /db/pipelined HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';
    const read = 'GET /db/pipelined HTTP/1.1\r\nHost: x\r\n\r\n';
    const last = 'DELETE /db/pipelined HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    expect(statusesOf(await rawExchange(gateway.port, write + read + read + read + last))).toEqual([
      201, 200, 200, 200, 409,
    ]);
  });

  it('behind an offer to upgrade are not read: the reply ends the connection', async () => {
    const next = 'GET /db/doc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    for (const path of ['/db/_blipsync', '/db', '/db/doc/_blipsync']) {
      const upgrade = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`;
      for (const request of [
        `${upgrade}\r\n${next}`,
        `${upgrade}Content-Length: ${next.length}\r\n\r\n${next}${next}`,
      ]) {
        const text = await rawExchange(gateway.port, request);
        expect(statusesOf(text)).toEqual([path === '/db/_blipsync' ? gateway.withoutSync : 403]);
        expect(text).toMatch(/connection: close/i);
      }
    }
  });
});
