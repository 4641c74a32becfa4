import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient, type Loose } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;
let next = 0;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const fresh = (): string => `doc-${next++}`;
const bulk = async (...docs: unknown[]): Promise<Loose> => (await client.post('/db/_bulk_docs', { docs })).json;
const create = async (): Promise<{ id: string; rev: string }> => {
  const [{ id, rev }] = await bulk({ _id: fresh() });
  return { id, rev };
};

// docs/protocol/rest.md#bulk-edits
describe('_bulk_docs', () => {
  it('answers 201 with a result per item, in order', async () => {
    const [a, b] = [fresh(), fresh()];
    const answer = await client.post('/db/_bulk_docs', { docs: [{ _id: b, n: 1 }, { n: 2 }, { _id: a }] });
    expect(answer.status).toBe(201);
    expect(answer.json.map(({ id }: { id: string }) => id)).toEqual([b, expect.stringMatching(/^~.{22}$/), a]);
    expect(answer.json[0]).toEqual({ ok: true, id: b, rev: expect.stringMatching(/^1-/) });
    expect((await client.get(`/db/${b}`)).json.n).toBe(1);
  });

  it('creates, updates and deletes', async () => {
    const [one, two] = [await create(), await create()];
    const results = await bulk({ _id: one.id, _rev: one.rev, n: 2 }, { _id: two.id, _rev: two.rev, _deleted: true });
    expect(results.map(({ rev }: { rev: string }) => rev[0])).toEqual(['2', '2']);
    expect((await client.get(`/db/${two.id}`)).json.reason).toBe('deleted');
  });

  it('fails single items with 409, 404 and 400, and stores the others', async () => {
    const { id, rev } = await create();
    await client.put(`/db/${id}?rev=${rev}`, {});
    const stored = fresh();
    const results = await bulk(
      { _id: id },
      { _id: id, _rev: rev },
      { _id: id, _deleted: true },
      { _id: fresh(), _rev: rev },
      { _id: fresh(), _deleted: true },
      { _id: '_illegal' },
      { _rev: rev },
      { _id: 5 },
      'x',
      null,
      [],
      { _id: stored },
    );
    expect(results.map(({ status }: { status?: number }) => status)).toEqual([
      409,
      409,
      409,
      404,
      404,
      400,
      400,
      400,
      400,
      400,
      400,
      undefined,
    ]);
    expect(results[0]).toEqual({ id, status: 409, error: 'Conflict', reason: 'Document update conflict' });
    expect(results[5].id).toBe('_illegal');
    expect((await client.get(`/db/${stored}`)).status).toBe(200);
  });

  it('applies the items in order', async () => {
    const id = fresh();
    const results = await bulk({ _id: id, n: 1 }, { _id: id, n: 2 });
    expect(results.map(({ status }: { status?: number }) => status)).toEqual([undefined, 409]);
    expect((await client.get(`/db/${id}`)).json.n).toBe(1);
  });

  it('takes an empty batch, and one of 10,000', { timeout: 60_000 }, async () => {
    expect(await bulk()).toEqual([]);
    const docs = Array.from({ length: 10_000 }, (_, n) => ({ _id: `many-${n}`, n }));
    const { json } = await client.post('/db.things/_bulk_docs', { docs });
    expect(json.filter(({ ok }: { ok?: boolean }) => ok)).toHaveLength(10_000);
    expect((await client.get('/db.things')).json.doc_count).toBe(10_000);
  });

  it('keeps numbers exactly', async () => {
    const id = fresh();
    await client.post('/db/_bulk_docs', `{"docs":[{"_id":"${id}","n":18446744073709551615}]}`);
    expect((await client.get(`/db/${id}`)).text).toContain('"n":18446744073709551615');
  });

  it.each([
    '',
    '[]',
    '{}',
    '{"docs":{}}',
    '{"docs":null}',
    '{"docs":[}',
    'null',
    '"x"',
    '{"docs":[],"new_edits":"no"}',
  ])('refuses %s with 400', async (body) => {
    expect((await client.post('/db/_bulk_docs', body)).status).toBe(400);
  });

  it('answers 403 where writing is disabled', async () => {
    expect((await client.post('/frozen/_bulk_docs', { docs: [] })).status).toBe(403);
  });

  it('refuses a body over 20 MB with 413', async () => {
    const docs = [{ x: 'y'.repeat(20 * 1024 * 1024) }];
    expect((await client.post('/db/_bulk_docs', { docs })).status).toBe(413);
  });
});

// docs/protocol/rest.md#bulk-edits
describe('"new_edits": false', () => {
  const store = async (...docs: object[]): Promise<Loose> =>
    (await client.post('/db/_bulk_docs', { docs, new_edits: false })).json;

  it('stores the revisions as they are', async () => {
    const id = fresh();
    const _revisions = { start: 3, ids: ['cc', 'bb', 'aa'] };
    const [result] = await store({ _id: id, _rev: '3-cc', _revisions, n: 3 });
    expect(result).toMatchObject({ ok: true, id, rev: '3-cc' });
    expect((await client.get(`/db/${id}`)).json).toMatchObject({ _rev: '3-cc', n: 3 });
    expect((await store({ _id: id, _rev: '3-cc', _revisions, n: 3 }))[0].ok).toBe(true);
  });

  it('does not check for conflicts: the greater revision wins', async () => {
    const id = fresh();
    await store({ _id: id, _rev: '1-bb', n: 'b' });
    expect((await store({ _id: id, _rev: '1-aa', n: 'a' }))[0].ok).toBe(true);
    expect((await client.get(`/db/${id}`)).json.n).toBe('b');
    await store({ _id: id, _rev: '1-cc', n: 'c' });
    expect((await client.get(`/db/${id}`)).json.n).toBe('c');
  });

  it('names the revision of the item, current or not, in the reply', async () => {
    const id = fresh();
    await store({ _id: id, _rev: '1-bb' });
    const [loser, known, winner] = await store(
      { _id: id, _rev: '1-aa' },
      { _id: id, _rev: '1-aa' },
      { _id: id, _rev: '1-cc' },
    );
    expect([loser, known, winner]).toEqual([
      { ok: true, id, rev: '1-aa' },
      { ok: true, id, rev: '1-aa' },
      { ok: true, id, rev: '1-cc' },
    ]);
    expect((await client.get(`/db/${id}`)).json._rev).toBe('1-cc');
  });

  it('stores tombstones', async () => {
    const { id } = await create();
    const { _rev } = (await client.get(`/db/${id}`)).json;
    const ids = ['ff', _rev.split('-')[1]];
    await store({ _id: id, _rev: '2-ff', _revisions: { start: 2, ids }, _deleted: true });
    expect((await client.get(`/db/${id}`)).json.reason).toBe('deleted');
  });

  it('needs _id and _rev in every item', async () => {
    const id = fresh();
    const results = await store(
      { n: 1 },
      { _id: id },
      { _rev: '1-aa' },
      { _id: id, _rev: 'nonsense' },
      { _id: id, _rev: '2-aa', _revisions: { start: 2, ids: ['bb', 'aa'] } },
    );
    expect(results.map(({ status }: { status?: number }) => status)).toEqual([400, 400, 400, 400, 400]);
  });
});
