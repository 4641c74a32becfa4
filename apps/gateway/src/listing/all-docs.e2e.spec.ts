import { get } from 'node:http';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ListOptions } from '@edgesync/ports';
import { CheckedClient, type Loose } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
  for (const id of ['b', 'a', 'd', 'c', 'ü', 'B', '\u{1f600}', '\uffee'])
    await client.post('/db', { _id: id, name: id });
  const { rev } = (await client.put('/db/gone', {})).json;
  await client.delete(`/db/gone?rev=${rev}`);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const SORTED = ['B', 'a', 'b', 'c', 'd', 'ü', '\uffee', '\u{1f600}'];

const list = async (query = ''): Promise<string[]> =>
  (await client.get(`/db/_all_docs${query}`)).json.rows.map(({ id }: { id: string }) => id);
const post = async (body: object): Promise<Loose> => (await client.post('/db/_all_docs', body)).json;
const idsOf = (json: Loose): string[] => json.rows.map(({ id }: { id: string }) => id);
const encoded = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

// docs/protocol/rest.md#listing-documents
describe('_all_docs', () => {
  it('lists live documents in binary order of their IDs', async () => {
    expect(await list()).toEqual(SORTED);
    expect(await list('?descending=true')).toEqual([...SORTED].reverse());
  });

  it('has key, id and rev in every row, total_rows and update_seq', async () => {
    const { json } = await client.get('/db/_all_docs?limit=1');
    expect(json).toEqual({
      rows: [
        {
          key: 'B',
          id: 'B',
          value: { rev: expect.stringMatching(/^1-[0-9a-f]{40}$/) },
        },
      ],
      total_rows: 1,
      update_seq: 10,
    });
  });

  it('adds the documents with include_docs, as GET shows them', async () => {
    const { json } = await client.get('/db/_all_docs?include_docs=true');
    expect(json.rows[1].doc).toEqual((await client.get('/db/a')).json);
    expect((await client.get('/db/_all_docs')).json.rows[1]).not.toHaveProperty('doc');
  });

  it('keeps to limit and skip', async () => {
    expect(await list('?limit=2')).toEqual(['B', 'a']);
    expect(await list('?skip=2&limit=2')).toEqual(['b', 'c']);
    expect(await list('?limit=0')).toEqual([]);
    expect(await list('?limit=0&keys=["a"]')).toEqual([]);
    expect(idsOf(await post({ limit: 0 }))).toEqual([]);
    expect(await list('?skip=100')).toEqual([]);
    expect(await list('?limit=100')).toEqual(SORTED);
  });

  it('keeps to startkey and endkey, both inclusive, the start being the upper one when descending', async () => {
    expect(await list('?startkey=b&endkey=d')).toEqual(['b', 'c', 'd']);
    expect(await list('?startkey=bb')).toEqual(['c', 'd', 'ü', '\uffee', '\u{1f600}']);
    expect(await list('?endkey=a')).toEqual(['B', 'a']);
    expect(await list('?descending=true&startkey=c&endkey=a')).toEqual(['c', 'b', 'a']);
    expect(await list('?startkey=d&endkey=a')).toEqual([]);
    expect(await list(`?startkey=${encodeURIComponent('\uffee')}`)).toEqual(['\uffee', '\u{1f600}']);
  });

  it('takes startkey and endkey as they are, quotes included', async () => {
    expect(await list('?startkey="c"')).toEqual(SORTED);
    expect(await list('?endkey="c"')).toEqual([]);
  });

  it('takes the names of CouchDB, with or without JSON quotes: key, start_key, end_key', async () => {
    for (const quote of ['"', '']) {
      const of = (id: string): string => encodeURIComponent(`${quote}${id}${quote}`);
      expect(await list(`?key=${of('b')}`)).toEqual(['b']);
      expect(await list(`?key=${of('gone')}`)).toEqual([]);
      expect(await list(`?key=${of('ü')}&descending=true`)).toEqual(['ü']);
      expect(await list(`?start_key=${of('b')}&end_key=${of('d')}`)).toEqual(['b', 'c', 'd']);
    }
    expect(idsOf(await post({ key: 'b' }))).toEqual(['b']);
    expect(idsOf(await post({ start_key: 'b', end_key: 'c' }))).toEqual(['b', 'c']);
    expect(await list('?startkey=c&start_key=a&endkey=d&end_key=b')).toEqual(['c', 'd']);
  });

  it('leaves the last ID out with inclusive_end=false', async () => {
    expect(await list('?startkey=b&endkey=d&inclusive_end=false')).toEqual(['b', 'c']);
    expect(await list('?startkey=d&endkey=b&inclusive_end=false&descending=true')).toEqual(['d', 'c']);
    expect(await list('?endkey=bb&inclusive_end=false')).toEqual(['B', 'a', 'b']);
    expect(await list(`?keys=${encoded(['d', 'b'])}&endkey=d&inclusive_end=false`)).toEqual(['b']);
    expect(await list('?key=b&inclusive_end=false')).toEqual(['b']);
  });

  it.each(['keys=["b"]', 'startkey=a', 'end_key=c'])('refuses key together with %s', async (other) => {
    expect((await client.get(`/db/_all_docs?key=b&${other}`)).status).toBe(400);
  });

  it.each(['conflicts=true', 'attachments', 'startkey_docid=a', 'reduce=true', 'queries=[]'])(
    'refuses %s, which is not supported, by its name',
    async (parameter) => {
      const answer = await client.get(`/db/_all_docs?${parameter}`);
      const reason = `the parameter ${parameter.split('=')[0]} is not supported`;
      expect(answer).toMatchObject({ status: 400, json: { reason } });
      expect((await client.get('/db/_all_docs?conflicts=false&reduce=false')).status).toBe(200);
    },
  );

  it('returns the keys asked for, in the order asked, without those that are missing or deleted', async () => {
    expect(await list(`?keys=${encoded(['d', 'nothing', 'gone', 'a', 'd'])}`)).toEqual(['d', 'a', 'd']);
    const { json } = await client.get(`/db/_all_docs?keys=${encoded(['a', 'nothing'])}`);
    expect(json.total_rows).toBe(1);
    expect(await list(`?keys=${encoded([])}`)).toEqual([]);
    expect(await list(`?keys=${encoded(['d', 'c', 'b', 'a'])}&skip=1&limit=2`)).toEqual(['c', 'b']);
    expect(await list(`?keys=${encoded(['a', 'b'])}&descending=true`)).toEqual(['b', 'a']);
    expect(await list(`?keys=${encoded(['a', 'b', '\u{1f600}'])}&startkey=b`)).toEqual(['b', '\u{1f600}']);
  });

  it.each(['x', '{"a":1}', '"a"', '[1]', '[null]', '5'])('refuses the keys %s with 400', async (keys) => {
    expect((await client.get(`/db/_all_docs?keys=${encodeURIComponent(keys)}`)).status).toBe(400);
  });

  it('takes the same parameters in a POST body, where documents are included by default', async () => {
    const json = await post({ keys: ['b', 'a'] });
    expect(idsOf(json)).toEqual(['b', 'a']);
    expect(json.rows[0].doc.name).toBe('b');
    expect((await post({ include_docs: false })).rows[0]).not.toHaveProperty('doc');
    expect(idsOf(await post({ startkey: 'b', endkey: 'c', descending: false }))).toEqual(['b', 'c']);
    expect(idsOf(await post({ limit: 1, skip: 1, descending: true }))).toEqual(['\uffee']);
    expect(idsOf(await post({ keys: null, limit: null, startkey: null, descending: null }))).toEqual(SORTED);
    expect(idsOf(await post({ whatever: 1, limit: '2' }))).toEqual(['B', 'a']);
  });

  it.each([
    { keys: 'a' },
    { keys: [1] },
    { limit: -1 },
    { limit: 1.5 },
    { limit: 'x' },
    { limit: true },
    { startkey: 5 },
  ])('refuses the body %j with 400', async (body) => {
    expect((await client.post('/db/_all_docs', body)).status).toBe(400);
  });

  it.each(['', '[]', '"x"', 'null', '{', '1'])('refuses the body %s with 400', async (body) => {
    expect((await client.post('/db/_all_docs', body)).status).toBe(400);
  });

  it('lists more than a page in both directions, whatever the page ends on', { timeout: 60_000 }, async () => {
    await using large = await startGateway();
    const one = new CheckedClient(large.url);
    const docs = Array.from({ length: 2_345 }, (_, index) => ({ _id: `doc-${String(index).padStart(5, '0')}`, index }));
    await one.post('/db/_bulk_docs', { docs });
    const ids = docs.map(({ _id }) => _id);
    const all = await one.get('/db/_all_docs?include_docs=true');
    expect(idsOf(all.json)).toEqual(ids);
    expect(all.json.total_rows).toBe(ids.length);
    expect(idsOf((await one.get('/db/_all_docs?descending=true')).json)).toEqual([...ids].reverse());
    expect(idsOf((await one.get('/db/_all_docs?skip=700&limit=1200')).json)).toEqual(ids.slice(700, 1900));
    expect(idsOf((await one.post('/db/_all_docs', { keys: ids, skip: 700, limit: 1200 })).json)).toEqual(
      ids.slice(700, 1900),
    );
    expect(idsOf((await one.get('/db/_all_docs?startkey=doc-00400&endkey=doc-01600')).json)).toEqual(
      ids.slice(400, 1601),
    );
    const head = await one.head('/db/_all_docs');
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
  });
});

// docs/protocol/rest.md#listing-documents
describe('long listings', () => {
  it('reads no further than the client takes, and stops when it leaves', { timeout: 60_000 }, async () => {
    let pages = 0;
    const body = JSON.stringify({ text: 'x'.repeat(2_000) });
    await using endless = await startGateway({
      wrap: (storage) =>
        Object.assign(Object.create(storage), {
          list: async (_: unknown, { limit }: ListOptions) => {
            const rows = Array.from({ length: limit }, (_, index) => ({
              id: `${pages}-${index}`,
              sequence: 1,
              rev: '1-00',
              vector: '1@x',
              tree: '',
              deleted: false,
              body,
            }));
            pages++;
            return { rows, more: true };
          },
        }),
    });
    const request = get(`${endless.url}/db/_all_docs?include_docs=true`);
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { destroy(): void }];
    const others = new CheckedClient(endless.url);
    const giveTime = async (): Promise<void> => {
      for (let round = 0; round < 100; round++) await others.get('/');
    };
    await giveTime();
    // A megabyte per page: what sockets and streams buffer, and no more.
    const read = pages;
    expect(read).toBeLessThan(30);
    response.destroy();
    await giveTime();
    expect(pages).toBeLessThan(read + 3);
  });

  it('cuts the connection if storage fails half way, and logs why', async () => {
    let pages = 0;
    await using failing = await startGateway({
      wrap: (storage) =>
        Object.assign(Object.create(storage), {
          list: async () => {
            if (pages++ > 8) throw new Error('disk on fire');
            const row = { id: 'x', sequence: 1, rev: '1-00', vector: '1@x', tree: '', deleted: false, body: '{}' };
            return { rows: [row], more: true };
          },
        }),
    });
    await expect(new CheckedClient(failing.url).get('/db/_all_docs')).rejects.toThrow();
    expect(failing.log.some((line) => line.includes('disk on fire'))).toBe(true);
  });
});
