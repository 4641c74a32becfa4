import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword } from '@edgesync/platform';
import { CheckedClient, type Answer } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

const APP = 'https://app.example';
const CORS = {
  origin: [APP, 'http://localhost:3000/'],
  headers: ['Content-Type', 'Authorization', 'If-Match'],
  max_age: 600,
};
const from = (origin: string, more: Record<string, string> = {}) => ({ headers: { origin, ...more } });
const corsHeaders = ({ headers }: Answer): string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

let gateway: TestGateway;
let alice: CheckedClient;
let stranger: CheckedClient;

beforeAll(async () => {
  const users = { alice: { password: await hashPassword('geheim') } };
  const config = { users: 'users.json', enable_anonymous_users: false, cors: CORS };
  gateway = await startGateway({ config, users });
  const authorization = `Basic ${Buffer.from('alice:geheim').toString('base64')}`;
  alice = new CheckedClient(gateway.url, { authorization });
  stranger = new CheckedClient(gateway.url);
  const docs = Array.from({ length: 2_000 }, (_, index) => ({ _id: `${index}`, text: 'x'.repeat(200) }));
  await alice.post('/db/_bulk_docs', { docs });
});
afterAll(() => gateway[Symbol.asyncDispose]());

// docs/protocol/edge-server.md#cors
describe('a preflight request', () => {
  const ask = { 'access-control-request-method': 'PUT', 'access-control-request-headers': 'if-match' };

  it.each(['/db/doc', '/', '/nowhere', '/_unknown/x/y/z', '*'])(
    'to %s is answered without credentials',
    async (path) => {
      const answer = await stranger.request('OPTIONS', path, from(APP, ask));
      expect(answer.status).toBe(204);
      expect(answer.text).toBe('');
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': APP,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE, OPTIONS',
        'access-control-allow-headers': 'Content-Type, Authorization, If-Match',
        'access-control-max-age': '600',
        vary: 'Origin',
      });
    },
  );

  it.each(['https://evil.example', 'https://app.example:8443', 'null'])(
    'from %s gets no CORS header',
    async (origin) => {
      const answer = await stranger.request('OPTIONS', '/db/doc', from(origin, ask));
      expect([answer.status, answer.headers.vary, corsHeaders(answer)]).toEqual([204, 'Origin', []]);
    },
  );

  it('leaves the connection usable, also when it has a body', async () => {
    const answer = await stranger.request('OPTIONS', '/db', { ...from(APP, ask), body: 'x'.repeat(100_000) });
    expect(answer.status).toBe(204);
  });
});

// docs/protocol/edge-server.md#cors
describe('a reply', () => {
  it.each<[number, string, string, () => Promise<Answer>]>([
    [200, 'a document', APP, () => alice.get('/db/1', from(APP))],
    [200, 'a listing that is streamed', APP, () => alice.get('/db/_all_docs?include_docs=true', from(APP))],
    [201, 'a write', APP, () => alice.post('/db', {}, from(APP))],
    [
      304,
      'no news',
      APP,
      async () => alice.get('/db', from(APP, { 'if-none-match': (await alice.get('/db')).headers.etag! })),
    ],
    [400, 'a malformed path', APP, () => alice.get('/db/%ff', from(APP))],
    [401, 'no credentials', APP, () => stranger.get('/db', from(APP))],
    [403, 'a refusal', APP, () => alice.put('/frozen/x', {}, from(APP))],
    [404, 'an unknown path', APP, () => alice.get('/_unknown', from(APP))],
    [405, 'a wrong method', APP, () => alice.delete('/', from(APP))],
    [409, 'a conflict', APP, () => alice.put('/db/1', {}, from(APP))],
    [
      200,
      'a page named with a final slash',
      'http://localhost:3000',
      () => alice.get('/', from('http://localhost:3000')),
    ],
  ])('%i to %s from a listed page can be read by it', async (status, _, origin, send) => {
    const answer = await send();
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'ETag, Location, Retry-After, Content-Range',
      vary: 'Origin',
    });
  });

  it('to others is the same without the headers', async () => {
    for (const options of [from('https://evil.example'), {}]) {
      const answer = await alice.get('/db/1', options);
      expect([answer.status, answer.headers.vary, corsHeaders(answer)]).toEqual([200, 'Origin', []]);
    }
  });
});

// docs/protocol/edge-server.md#cors
describe('pages of any origin', () => {
  it('may use the server, but not in the name of the person at the browser', async () => {
    await using open = await startGateway({ config: { cors: { origin: ['*'], headers: ['*'] } } });
    const client = new CheckedClient(open.url);
    const answer = await client.get('/db', from('https://any.example'));
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    const preflight = await client.request(
      'OPTIONS',
      '/db/doc',
      from('https://any.example', { 'access-control-request-headers': 'x-one, x-two' }),
    );
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'x-one, x-two',
    });
    expect(preflight.headers['access-control-max-age']).toBeUndefined();
  });
});

// docs/protocol/edge-server.md#cors
describe('without the block', () => {
  it('there is no CORS header, and OPTIONS is a method like any other', async () => {
    await using closed = await startGateway();
    const client = new CheckedClient(closed.url);
    const answers = [
      await client.get('/db', from(APP)),
      await client.request('OPTIONS', '/db', from(APP, { 'access-control-request-method': 'PUT' })),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 405]);
    for (const answer of answers) expect([answer.headers.vary, corsHeaders(answer)]).toEqual([undefined, []]);
  });
});
