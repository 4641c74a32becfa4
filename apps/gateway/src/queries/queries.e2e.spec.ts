import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('queries', () => {
  it.each([
    ['POST', '/db/_query'],
    ['POST', '/db.shop.orders/_query/'],
    ['GET', '/db/_query/hotels?city=Oslo'],
    ['HEAD', '/db/_query/hotels'],
    ['POST', '/db.things/_query/hotels'],
  ])('are refused like those of a database that has none: %s %s', async (method, path) => {
    const { status, text } = await client.request(method, path, {
      ...(method === 'POST' && { body: { query: 'SELECT 1' } }),
    });
    expect(status).toBe(403);
    if (method !== 'HEAD')
      expect(JSON.parse(text)).toMatchObject({
        reason: 'queries are not enabled: this version does not support them yet',
      });
  });

  it.each(['/nowhere/_query', '/db.nothing/_query/hotels', '/partial/_query'])(
    'of a keyspace that does not exist are 404: %s',
    async (path) => {
      expect((await client.post(path, {})).status).toBe(404);
    },
  );
});
