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

describe('a browser at /', () => {
  it('gets a page with links to the manual and the databases', async () => {
    const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
    const { status, headers, text } = await client.get('/', { headers: { accept } });
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    for (const path of ['/_docs', '/_openapi.json', '/db', '/_active_tasks']) expect(text).toContain(`href="${path}"`);
    expect(text).not.toMatch(/<script|src=|href="http/);
  });

  it.each(['*/*', 'application/json', undefined])('is no client that accepts %s: that gets JSON', async (accept) => {
    const { json } = await client.get('/', accept === undefined ? {} : { headers: { accept } });
    expect(json.couchdb).toBe('Welcome');
  });
});

// docs/protocol/rest.md#keyspaces
describe('keyspaces', () => {
  it('reads db, db.collection and db.scope.collection', async () => {
    await client.put('/db.things/x', { in: 'things' });
    await client.put('/db.shop.orders/x', { in: 'orders' });
    expect((await client.get('/db._default.things/x')).json.in).toBe('things');
    expect((await client.get('/db.shop.orders/x')).json.in).toBe('orders');
    expect((await client.get('/db/x')).status).toBe(404);
    expect((await client.get('/db._default._default/x')).status).toBe(404);
  });

  it.each([
    '/db.',
    '/.x',
    '/db..c',
    '/db.a.b.c',
    '/db.%25x',
    '/db._x',
    '/db.a%20b',
    `/${'x'.repeat(241)}`,
    '/d%C3%BC',
    '/d%2Fb',
    '/%00',
  ])('refuses %s with 400', async (path) => {
    expect((await client.get(path)).status).toBe(400);
    expect((await client.get(`${path}/doc`)).status).toBe(400);
    expect((await client.get(`${path}/_all_docs`)).status).toBe(400);
  });

  it.each(['/nothing', '/DB', '/db.nothing', '/db.Things', '/db.shop.nothing', '/db.nothing.orders', '/db.orders'])(
    'answers 404 to %s, which is well formed but not served',
    async (path) => {
      expect((await client.get(path)).status).toBe(404);
      expect((await client.get(`${path}/doc`)).status).toBe(404);
      expect((await client.get(`${path}/_all_docs`)).status).toBe(404);
      expect((await client.put(`${path}/doc`, {})).status).toBe(404);
      expect((await client.post(`${path}/_bulk_docs`, { docs: [] })).status).toBe(404);
    },
  );

  it('hides the default collection that is not shared, but still describes the database', async () => {
    expect((await client.get('/partial')).json.collections).toEqual({
      '_default.only': { doc_count: 0, update_seq: 0 },
    });
    expect((await client.get('/partial/_all_docs')).status).toBe(404);
    expect((await client.put('/partial/x', {})).status).toBe(404);
    expect((await client.put('/partial.only/x', {})).status).toBe(201);
  });
});

// docs/protocol/rest.md#server-information
describe('GET /', () => {
  it('welcomes', async () => {
    const { json } = await client.get('/');
    expect(json).toMatchObject({ couchdb: 'Welcome', vendor: { name: 'Couchbase Edge Server' } });
    expect(json.version).toMatch(/^CouchbaseEdgeServer\/1\.1\.0 \(\d+; \w*\)/);
    expect(json.vendor.version).toMatch(/^1\.1\.0 \(\d+; \w*\)$/);
    expect(json.edgesync.version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('says that it is JSON, without a charset', async () => {
    expect((await client.get('/')).headers['content-type']).toBe('application/json');
  });
});

// docs/protocol/rest.md#list-of-databases
describe('GET /_all_dbs', () => {
  it('lists the names, sorted', async () => {
    expect((await client.get('/_all_dbs')).json).toEqual(['db', 'frozen', 'partial']);
  });
});

// docs/protocol/rest.md#keyspace-information
describe('GET /{keyspace}', () => {
  it('counts live documents and sequences per collection', async () => {
    await using fresh = await startGateway();
    const one = new CheckedClient(fresh.url);
    const { rev } = (await one.put('/db/a', {})).json;
    await one.put('/db/b', {});
    await one.delete(`/db/a?rev=${rev}`);
    await one.put('/db.shop.orders/a', {});
    const { json } = await one.get('/db');
    expect(json).toEqual({
      db_name: 'db',
      db_uuid: expect.stringMatching(/^[0-9a-f]{32}$/),
      collections: {
        _default: { doc_count: 1, update_seq: 3 },
        '_default.things': { doc_count: 0, update_seq: 0 },
        'shop.orders': { doc_count: 1, update_seq: 1 },
      },
    });
    expect((await one.get('/db.shop.orders')).json).toEqual({
      db_name: 'db',
      db_uuid: json.db_uuid,
      scope_name: 'shop',
      collection_name: 'orders',
      doc_count: 1,
      update_seq: 1,
      committed_update_seq: 1,
    });
    expect((await one.get('/db._default')).json).toMatchObject({ scope_name: '_default', collection_name: '_default' });
  });

  // docs/protocol/rest.md#caching
  it('tags the state, and answers 304 while it lasts', async () => {
    for (const path of ['/db', '/db.things', '/db.things/_all_docs']) {
      const { headers } = await client.get(path);
      const known = { 'if-none-match': headers.etag! };
      expect((await client.get(path, { headers: known })).status).toBe(304);
      await client.post('/db.things', {});
      expect((await client.get(path, { headers: known })).status).toBe(200);
    }
  });
});
