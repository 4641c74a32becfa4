import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient, type Loose } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;

/** In `db`, by sequence: a (superseded), b, gone, gone deleted, a again, branched. */
const revs: Record<string, string> = {};

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
  const put = async (id: string, body: object, rev?: string): Promise<string> => {
    const { json } = await client.put(`/db/${id}${rev ? `?rev=${rev}` : ''}`, body);
    return (revs[id] = json.rev as string);
  };
  const first = await put('a', { n: 1 });
  await put('b', { n: 2 });
  const gone = await put('gone', { secret: 1 });
  revs['gone'] = (await client.delete(`/db/gone?rev=${gone}`)).json.rev as string;
  await put('a', { n: 3 }, first);
  await client.post('/db/_bulk_docs', {
    new_edits: false,
    docs: [
      { _id: 'branched', _rev: '1-aa', n: 1 },
      { _id: 'branched', _rev: '2-cc', _revisions: { start: 2, ids: ['cc', 'aa'] }, n: 3 },
      { _id: 'branched', _rev: '2-bb', _revisions: { start: 2, ids: ['bb', 'aa'] }, n: 2 },
    ],
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const get = async (query = '', keyspace = 'db'): Promise<Loose> =>
  (await client.get(`/${keyspace}/_changes${query}`)).json;
const post = async (body: object, query = ''): Promise<Loose> => (await client.post(`/db/_changes${query}`, body)).json;
const idsOf = (json: Loose): string[] => json.results.map(({ id }: { id: string }) => id);
const encoded = (value: unknown): string => encodeURIComponent(JSON.stringify(value));

// docs/protocol/rest.md#changes-feed
describe('the envelope', () => {
  it('has each document once, at its latest sequence, in order of sequence', async () => {
    const { results, last_seq } = await get();
    expect(results).toEqual([
      { seq: 2, id: 'b', changes: [{ rev: revs['b'] }] },
      { seq: 4, id: 'gone', deleted: true, changes: [{ rev: revs['gone'] }] },
      { seq: 5, id: 'a', changes: [{ rev: revs['a'] }] },
      { seq: 8, id: 'branched', changes: [{ rev: '2-cc' }] },
    ]);
    expect(last_seq).toBe(8);
  });

  it('is JSON with a length, and with HEAD the headers alone', async () => {
    const { headers } = await client.get('/db/_changes');
    expect(headers['content-type']).toBe('application/json');
    expect(headers['content-length']).toBeDefined();
    expect((await client.head('/db/_changes?feed=continuous')).headers['content-type']).toBe(
      'text/plain; charset=utf-8',
    );
  });

  // docs/protocol/rest.md#envelope
  it('is empty for a collection that was never written', async () => {
    expect(await get('', 'db.things')).toEqual({ results: [], last_seq: 0 });
    await client.put('/db.shop.orders/one', {});
    expect((await get('', 'db.shop.orders')).results[0].seq).toBe(1);
  });

  it('begins after since; nothing follows the end, nor what is beyond it, nor now', async () => {
    expect(idsOf(await get('?since=4'))).toEqual(['a', 'branched']);
    for (const since of ['8', '800', 'now', '9007199254740991'])
      expect(await get(`?since=${since}`)).toEqual({ results: [], last_seq: 8 });
  });

  // docs/protocol/rest.md#envelope
  it('has the last row as last_seq where a limit cut the list, so that paging loses nothing', async () => {
    expect(await get('?limit=2')).toMatchObject({ results: [{ seq: 2 }, { seq: 4 }], last_seq: 4 });
    expect(await get('?since=4&limit=2')).toMatchObject({ results: [{ seq: 5 }, { seq: 8 }], last_seq: 8 });
    const seen: string[] = [];
    for (let since = 0; since < 8;) {
      const page = await get(`?limit=1&active_only=true&since=${since}`);
      seen.push(...idsOf(page));
      since = page.last_seq;
    }
    expect(seen).toEqual(['b', 'a', 'branched']);
  });

  it('takes a limit of 0 as none', async () => {
    expect((await get('?limit=0')).results).toHaveLength(4);
  });

  it('comes newest first with descending', async () => {
    expect(await get('?descending=true')).toMatchObject({
      results: [{ seq: 8 }, { seq: 5 }, { seq: 4 }, { seq: 2 }],
      last_seq: 8,
    });
    expect(await get('?descending=true&since=4')).toMatchObject({ results: [{ seq: 8 }, { seq: 5 }], last_seq: 8 });
    expect(await get('?descending=true&limit=1')).toMatchObject({ results: [{ seq: 8 }], last_seq: 8 });
    expect(await get('?descending=true&since=now')).toEqual({ results: [], last_seq: 8 });
    expect(idsOf(await get('?descending=true&doc_ids=a,b'))).toEqual(['a', 'b']);
  });

  it('leaves deleted documents out with active_only', async () => {
    expect(idsOf(await get('?active_only=true'))).toEqual(['b', 'a', 'branched']);
    expect(idsOf(await get('?active_only=true&descending=true'))).toEqual(['branched', 'a', 'b']);
    expect(idsOf(await get('?active_only'))).toEqual(['b', 'a', 'branched']);
  });

  it('names every leaf with style=all_docs, the current one first', async () => {
    const { results } = await get('?style=all_docs&since=4');
    expect(results.map(({ changes }: Loose) => changes)).toEqual([
      [{ rev: revs['a'] }],
      [{ rev: '2-cc' }, { rev: '2-bb' }],
    ]);
    expect((await get('?style=main_only&since=7')).results[0].changes).toEqual([{ rev: '2-cc' }]);
  });

  it('adds documents as GET shows them with include_docs, and of deleted ones their names', async () => {
    const { results } = await get('?include_docs=true');
    expect(results[2].doc).toEqual((await client.get('/db/a')).json);
    expect(results[1].doc).toEqual({ _id: 'gone', _rev: revs['gone'], _deleted: true });
  });
});

// docs/protocol/rest.md#changes-feed
describe('filters', () => {
  it.each([
    'filter=_doc_ids&doc_ids=%5B%22a%22%2C%22gone%22%5D',
    'filter=doc_ids&doc_ids=a,gone',
    'doc_ids=gone,%20a',
    `doc_ids=${encoded(['nothing', 'a', 'gone', 'a'])}`,
    'filter=sync_gateway/bychannel&channels=x&doc_ids=a,gone',
  ])('by IDs: %s', async (query) => {
    expect(await get(`?${query}`)).toMatchObject({ results: [{ id: 'gone' }, { id: 'a' }], last_seq: 8 });
  });

  it.each(['sync_gateway/bychannel', 'sync_gateway/bychannels'])('lets everything through %s', async (filter) => {
    expect((await get(`?filter=${filter}&channels=a,b`)).results).toHaveLength(4);
  });

  it('let nothing through an empty list', async () => {
    expect(await post({ doc_ids: [] })).toEqual({ results: [], last_seq: 8 });
  });

  it('find documents among more IDs than are looked up one by one', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => `other-${index}`);
    expect(idsOf(await post({ doc_ids: [...many, 'b'] }))).toEqual(['b']);
    expect(idsOf(await post({ doc_ids: [...many, 'b', 'a'], descending: true }))).toEqual(['a', 'b']);
  });
});

// docs/protocol/rest.md#changes-feed
describe('parameters', () => {
  it('are taken from a POST body, as JSON types or strings; nulls are absent', async () => {
    expect(idsOf(await post({}))).toHaveLength(4);
    expect(idsOf(await post({ since: 4, limit: 1, include_docs: true }))).toEqual(['a']);
    expect(idsOf(await post({ since: '4', limit: '1', include_docs: 'false', descending: 'true' }))).toEqual([
      'branched',
    ]);
    expect(idsOf(await post({ filter: '_doc_ids', doc_ids: ['a'] }))).toEqual(['a']);
    expect(idsOf(await post({ filter: '_doc_ids', doc_ids: '["a"]' }))).toEqual(['a']);
    expect(idsOf(await post({ filter: '_doc_ids', doc_ids: 'a,b' }))).toEqual(['b', 'a']);
    expect(idsOf(await post({ since: 'now' }))).toEqual([]);
    const nulls = { since: null, limit: null, feed: null, filter: null, doc_ids: null, heartbeat: null, style: null };
    expect(idsOf(await post(nulls))).toHaveLength(4);
    expect(idsOf(await post({ active_only: false, whatever: {} }, '?active_only=true&since=4'))).toEqual([
      'a',
      'branched',
    ]);
  });

  it.each([
    'feed=newest',
    'feed=Continuous',
    'feed=',
    'since=x',
    'since=-1',
    'since=1.5',
    'since=',
    'limit=-1',
    'limit=x',
    'style=x',
    'filter=app/mine',
    'filter=_doc_ids',
    'doc_ids=[1]',
    'doc_ids=[',
    'doc_ids={"a":1}]'.replace('{', '%5B'),
    'heartbeat=soon',
    'heartbeat=1.5',
    'timeout=-1',
    'timeout=x',
    'since=%ff',
  ])('are refused with 400: %s', async (query) => {
    expect((await client.get(`/db/_changes?${query}`)).status).toBe(400);
  });

  it.each([
    { feed: 1 },
    { since: true },
    { since: 1.5 },
    { since: -1 },
    { since: {} },
    { limit: 'x' },
    { doc_ids: 5 },
    { doc_ids: [1] },
    { doc_ids: { a: 1 } },
    { heartbeat: [] },
    { filter: ['_doc_ids'], doc_ids: [] },
  ])('are refused with 400: %j', async (body) => {
    expect((await client.post('/db/_changes', body)).status).toBe(400);
  });

  it.each(['', '[]', 'null', '{', '"x"'])('are no body like %s', async (body) => {
    expect((await client.post('/db/_changes', body)).status).toBe(400);
  });

  // docs/protocol/rest.md#heartbeats
  it.each([
    'heartbeat=-5',
    'heartbeat=0',
    'heartbeat=999999999999',
    'heartbeat=true',
    'heartbeat=600',
    'timeout=99999999',
  ])('are put right where they can be: %s', async (query) => {
    expect((await client.get(`/db/_changes?${query}`)).status).toBe(200);
  });

  it('are of a keyspace that exists', async () => {
    expect((await client.get('/db.nothing/_changes?feed=continuous')).status).toBe(404);
    expect((await client.get('/nothing/_changes')).status).toBe(404);
    expect((await client.put('/db/_changes', {})).status).toBe(405);
  });
});

// docs/protocol/rest.md#changes-feed
describe('long feeds', () => {
  it('are streamed in pages, each row once and in order, in both directions', { timeout: 60_000 }, async () => {
    await using large = await startGateway();
    const one = new CheckedClient(large.url);
    const docs = Array.from({ length: 2_345 }, (_, index) => ({ _id: `doc-${index}`, text: 'x'.repeat(index % 300) }));
    await one.post('/db/_bulk_docs', { docs });
    const sequences = docs.map((_, index) => index + 1);
    const read = async (query: string): Promise<Loose> => (await one.get(`/db/_changes?${query}`)).json;
    const seqsOf = ({ results }: Loose): number[] => results.map(({ seq }: { seq: number }) => seq);
    for (const query of ['include_docs=true', 'feed=longpoll', 'limit=5000']) {
      const json = await read(query);
      expect(seqsOf(json)).toEqual(sequences);
      expect(json.last_seq).toBe(2_345);
    }
    expect(seqsOf(await read('descending=true'))).toEqual([...sequences].reverse());
    const cut = await read('limit=1234&since=100');
    expect([seqsOf(cut), cut.last_seq]).toEqual([sequences.slice(100, 1_334), 1_334]);
    const tail = await read('descending=true&limit=300&since=2000');
    expect([seqsOf(tail), tail.last_seq]).toEqual([sequences.slice(2_045).reverse(), 2_046]);
  });
});
