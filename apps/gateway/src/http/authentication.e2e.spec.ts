import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword } from '@edgesync/platform';
import { CheckedClient } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

beforeAll(async () => {
  const users = { müller: { password: await hashPassword('pässword') } };
  gateway = await startGateway({ config: { enable_anonymous_users: false, users: 'users.json' }, users });
});
afterAll(() => gateway[Symbol.asyncDispose]());

// docs/protocol/edge-server.md#authentication
describe('authentication', () => {
  it.each([
    '/',
    '/_all_dbs',
    '/db',
    '/db/doc',
    '/db/_all_docs',
    '/_openapi.json',
    '/_docs',
    '/unknown/path',
    '/_unknown',
    '/db/_changes',
  ])('asks for credentials at %s', async (path) => {
    const answer = await new CheckedClient(gateway.url).get(path);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Basic realm="edgesync", charset="UTF-8"');
    expect(answer.json).toEqual({ status: 401, error: 'Unauthorized', reason: 'authentication required' });
  });

  it('lets a user in', async () => {
    const client = new CheckedClient(gateway.url, basic('müller:pässword'));
    expect((await client.get('/')).status).toBe(200);
    expect((await client.put('/db/doc', {})).status).toBe(201);
    expect((await client.get('/unknown/path')).status).toBe(404);
  });

  it('names users, and only those who are known, in the log of requests', async () => {
    await new CheckedClient(gateway.url, basic('müller:pässword')).get('/db?mine');
    await new CheckedClient(gateway.url, basic('müller:wrong')).get('/db?refused');
    const lines = (): readonly string[] => gateway.log.filter((line) => /\?(mine|refused)/.test(line));
    await expect.poll(lines).toHaveLength(2);
    expect(lines()).toEqual([
      expect.stringMatching(/Info 127\.0\.0\.1:\d+ \(müller\) GET \/db\?mine -> 200 /),
      expect.stringMatching(/Info 127\.0\.0\.1:\d+ GET \/db\?refused -> 401 /),
    ]);
  });

  it.each([
    basic('müller:wrong'),
    basic('nobody:pässword'),
    { authorization: 'Bearer x' },
    { authorization: 'Basic !' },
    { authorization: '' },
  ])('refuses %j the same way', async (headers) => {
    const answer = await new CheckedClient(gateway.url, headers).get('/db');
    expect(answer.json).toEqual({ status: 401, error: 'Unauthorized', reason: 'authentication required' });
  });

  it('comes before every other check, and before the body', async () => {
    const client = new CheckedClient(gateway.url);
    expect((await client.put('/frozen/x', '{nonsense')).status).toBe(401);
    expect((await client.get('/', { headers: { 'api-version': '9' } })).status).toBe(401);
    expect((await client.post('/db', 'x'.repeat(100_000), { headers: { 'content-type': 'text/plain' } })).status).toBe(
      401,
    );
  });

  it('refuses wrong credentials also where anonymous users are let in', async () => {
    await using open = await startGateway();
    expect((await new CheckedClient(open.url).get('/')).status).toBe(200);
    expect((await new CheckedClient(open.url, basic('a:b')).get('/')).status).toBe(401);
  });
});
