import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient, type Answer } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

const TREE_REV = /^\d+-[0-9a-f]{40}$/;
const UNKNOWN_REV = `1-${'0'.repeat(40)}`;

let gateway: TestGateway;
let client: CheckedClient;
let next = 0;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** An ID that no other test uses. */
const fresh = (): string => `doc-${next++}`;
const generation = (rev: string): number => Number.parseInt(rev, 10);

/** A new document. */
async function create(body: object = { n: 1 }): Promise<{ id: string; path: string; rev: string; cv: string }> {
  const id = fresh();
  const { json } = await client.put(`/db/${id}?show_cv=true`, body);
  return { id, path: `/db/${id}`, rev: json.rev, cv: json.cv };
}

/** A tombstone. */
async function tombstone(): Promise<{ id: string; path: string; rev: string }> {
  const { id, path, rev } = await create();
  const { json } = await client.delete(`${path}?rev=${rev}`);
  return { id, path, rev: json.rev };
}

const expectStored = (answer: Answer, id: string, expectedGeneration: number): void => {
  expect(answer.json).toEqual({
    ok: true,
    id,
    rev: expect.stringMatching(TREE_REV),
  });
  expect(generation(answer.json.rev)).toBe(expectedGeneration);
};

// docs/protocol/rest.md#creating-documents
describe('POST /{keyspace}', () => {
  it('creates under a generated ID and answers 201', async () => {
    const answer = await client.post('/db', { type: 'hotel' });
    expect(answer.status).toBe(201);
    expect(answer.json.id).toMatch(/^~[A-Za-z0-9_-]{22}$/);
    expectStored(answer, answer.json.id, 1);
    expect(answer.headers.location).toBe(`/db/${encodeURIComponent(answer.json.id)}`);
    expect((await client.get(answer.headers.location!)).json.type).toBe('hotel');
  });

  it('works with a trailing slash', async () => {
    expect((await client.post('/db/?ttl=60', {})).status).toBe(201);
  });

  it('uses the ID of the body', async () => {
    const id = `${fresh()}/with ? and #`;
    expectStored(await client.post('/db', { _id: id }), id, 1);
    expect((await client.get(`/db/${encodeURIComponent(id)}`)).json._id).toBe(id);
  });

  it('refuses _rev or _deleted without _id with 400', async () => {
    const answer = await client.post('/db', { _rev: UNKNOWN_REV });
    expect(answer.status).toBe(400);
    expect(answer.json.reason).toBe('Missing "_id"');
    expect((await client.post('/db', { _deleted: true })).status).toBe(400);
  });

  it('updates with the current _rev, and answers 409 without or with another one', async () => {
    const { id, rev } = await create();
    expect((await client.post('/db', { _id: id })).status).toBe(409);
    expect((await client.post('/db', { _id: id, _rev: UNKNOWN_REV })).status).toBe(409);
    expectStored(await client.post('/db', { _id: id, _rev: rev }), id, 2);
  });

  it.each(['_x', '', 'x'.repeat(241), 'a\u0007b'])('refuses the ID %j with 400', async (id) => {
    expect((await client.post('/db', { _id: id })).status).toBe(400);
  });

  it('answers 403 where writing is disabled, before it looks at anything', async () => {
    expect((await client.post('/frozen', '{nonsense', { headers: { 'content-type': 'text/plain' } })).status).toBe(403);
  });
});

// docs/protocol/rest.md#reading-documents
describe('GET and HEAD /{keyspace}/{docid}', () => {
  it('puts _id and _rev first, then the properties in their order', async () => {
    const { path, id, rev } = await create({ z: 1, a: { c: [], b: null } });
    expect((await client.get(path)).text).toBe(`{"_id":"${id}","_rev":"${rev}","z":1,"a":{"c":[],"b":null}}`);
  });

  it.each([
    '9007199254740993',
    '18446744073709551615',
    '1.5e300',
    '0.1',
    '-0',
    '1E400',
    '0.30000000000000004441',
    '"\\u0000"',
    '"\u{1f600} ü \\n \\\\"',
    '"__proto__"',
    '{"":{"a\\"b":1}}',
  ])('returns %s as it was sent', async (value) => {
    const path = `/db/${fresh()}`;
    expect((await client.put(path, `{"value":${value}}`)).status).toBe(201);
    expect((await client.get(path)).text).toContain(`"value":${value}}`);
  });

  it('keeps 100 levels', async () => {
    const path = `/db/${fresh()}`;
    const levels = `${'['.repeat(99)}${']'.repeat(99)}`;
    expect((await client.put(path, `{"x":${levels}}`)).status).toBe(201);
    expect((await client.get(`${path}/x`)).text).toBe(levels);
  });

  describe.each([
    ['half of a surrogate pair in a string', '"\\ud800"', 'half of a surrogate pair', 1],
    ['half of a surrogate pair in a key', '{"\\udc00":1}', 'half of a surrogate pair', 2],
    ['more than 100 levels', `${'['.repeat(100)}${']'.repeat(100)}`, 'more than 100 levels of nesting', 99],
  ])('refuses what no Couchbase Lite app could read: %s', (_title, value, what, offset) => {
    /** @param before length of the text before the value */
    const invalid = (before: number) => ({
      status: 400,
      reason: `${what} at offset ${before + offset}: no Couchbase Lite app could read this`,
    });

    it('in PUT and POST', async () => {
      const path = `/db/${fresh()}`;
      expect((await client.put(path, `{"a":${value}}`)).json).toMatchObject(invalid(5));
      expect((await client.post('/db', `{"a":${value}}`)).json).toMatchObject(invalid(5));
      expect((await client.get(path)).status).toBe(404);
    });

    it('in a property', async () => {
      const { path, rev } = await create({ n: 1 });
      const headers = { 'content-type': 'application/json' };
      expect((await client.put(`${path}/a?rev=${rev}`, value, { headers })).json).toMatchObject(invalid(0));
      expect((await client.get(path)).json).toMatchObject({ _rev: rev, n: 1 });
    });

    it.each([true, false])('in an item of _bulk_docs with new_edits %s, and stores the others', async (newEdits) => {
      const id = fresh();
      const docs = `[{"a":${value}},{"_id":"${id}",${newEdits ? '' : '"_rev":"1-aa",'}"ok":1}]`;
      const { status, json } = await client.post('/db/_bulk_docs', `{"docs":${docs},"new_edits":${newEdits}}`);
      expect({ status, json }).toMatchObject({ status: 201, json: [invalid('{"docs":[{"a":'.length), { id }] });
      expect((await client.get(`/db/${id}`)).json.ok).toBe(1);
    });
  });

  it('refuses an empty property name, which no Couchbase Lite app could save', async () => {
    const reason = 'an empty property name at offset 7: no Couchbase Lite app could read this';
    expect(await client.put(`/db/${fresh()}`, '{"a":1,"":2}')).toMatchObject({ status: 400, json: { reason } });
  });

  it('says missing and deleted', async () => {
    expect((await client.get(`/db/${fresh()}`)).json.reason).toBe('missing');
    const { path } = await tombstone();
    expect((await client.get(path)).json.reason).toBe('deleted');
  });

  it('returns the revision that rev names, by either ID', async () => {
    const { path, rev, cv } = await create({ n: 1 });
    for (const asked of [rev, cv]) {
      const answer = await client.get(`${path}?rev=${encodeURIComponent(asked)}`);
      expect(answer.json).toMatchObject({ _rev: rev, n: 1 });
    }
    expect((await client.get(`${path}?rev=${cv}`)).status).toBe(200);
  });

  it('returns a tombstone that rev names with _deleted', async () => {
    const { path, id, rev } = await tombstone();
    const { json } = await client.get(`${path}?rev=${rev}`);
    expect(json).toEqual({ _id: id, _rev: rev, _deleted: true });
  });

  it('answers 404 to a rev that is not stored', async () => {
    const { path } = await create();
    for (const rev of [UNKNOWN_REV, '1-abc', '1@AAAA'])
      expect((await client.get(`${path}?rev=${rev}`)).json.reason).toBe('missing');
  });

  it.each(['abc', '1', '-aa', '1-', '@x', '1@', 'null'])('refuses the revision %s with 400 everywhere', async (rev) => {
    const { path } = await create();
    const asked = encodeURIComponent(rev);
    const reason = expect.stringContaining('is not a revision ID');
    const refused = { status: 400, json: { reason } };
    const headers = { 'if-match': `"${rev}"` };
    const typed = { headers: { 'content-type': 'application/json' } };
    expect(await client.get(`${path}?rev=${asked}`)).toMatchObject(refused);
    expect(await client.get(`${path}/n?rev=${asked}`)).toMatchObject(refused);
    expect(await client.put(`${path}?rev=${asked}`, {})).toMatchObject(refused);
    expect(await client.put(path, {}, { headers })).toMatchObject(refused);
    expect(await client.put(path, { _rev: rev })).toMatchObject(refused);
    expect(await client.post('/db', { _id: fresh(), _rev: rev })).toMatchObject(refused);
    expect(await client.delete(`${path}?rev=${asked}`)).toMatchObject(refused);
    expect(await client.put(`${path}/n?rev=${asked}`, '1', typed)).toMatchObject(refused);
    expect(await client.delete(`${path}/n?rev=${asked}`)).toMatchObject(refused);
    const [item] = (await client.post('/db/_bulk_docs', { docs: [{ _id: fresh(), _rev: rev }] })).json;
    expect(item).toMatchObject({ status: 400, reason });
  });

  it('refuses open_revs by its name', async () => {
    const { path } = await create();
    const reason = 'the parameter open_revs is not supported';
    for (const value of ['all', '["1-aa"]', ''])
      expect(await client.get(`${path}?open_revs=${value}`)).toMatchObject({ status: 400, json: { reason } });
  });

  it('accepts and ignores revs_from and revs_limit', async () => {
    const { path } = await create();
    expect((await client.get(`${path}?revs_from=${encodeURIComponent('["1-a"]')}&revs_limit=5`)).status).toBe(200);
  });

  it('answers HEAD with the length of the document', async () => {
    const { path } = await create({ text: 'ü'.repeat(100) });
    const [get, head] = [await client.get(path), await client.head(path)];
    expect(head.headers['content-length']).toBe(String(get.bytes.length));
    expect((await client.head(`/db/${fresh()}`)).status).toBe(404);
  });

  it.each(['/db/_x', `/db/${'x'.repeat(241)}`, '/db/a%07b', `/db/${'%C3%BC'.repeat(121)}`])(
    'refuses %s with 400',
    async (path) => {
      expect((await client.get(path)).status).toBe(400);
      expect((await client.put(path, {})).status).toBe(400);
      expect((await client.delete(path)).status).toBe(400);
    },
  );

  it.each([
    'a/b',
    'a?b',
    'a#b',
    'a b',
    'a%b',
    'a%2Fb',
    'a+b',
    '%',
    '..',
    '.',
    'ü',
    '\u{1f600}',
    ':id',
    '*',
    '{x}',
    'a;b',
    'a&b=c',
    '"',
    "'",
    '\\',
    '<>',
    '~',
    '-',
    'x'.repeat(240),
  ])('stores and reads the ID %j', async (id) => {
    const path = `/db/${encodeURIComponent(id).replaceAll('.', '%2E')}`;
    expect((await client.put(path, { id })).status).toBe(201);
    expect((await client.get(path)).json).toMatchObject({ _id: id, id });
    expect((await client.get(`${path}/id`)).json).toBe(id);
  });
});

// docs/protocol/rest.md#caching
describe('ETag and If-None-Match', () => {
  it('tags a document with its quoted revision', async () => {
    const { path, rev } = await create();
    expect((await client.get(path)).headers.etag).toBe(`"${rev}"`);
  });

  it('answers 304 without body if the revision is known', async () => {
    const { path, rev, cv } = await create();
    for (const tags of [`"${rev}"`, rev, `W/"${rev}"`, '*', `"x", "${rev}"`, `"${cv}"`]) {
      const answer = await client.get(path, { headers: { 'if-none-match': tags } });
      expect(answer.status).toBe(304);
      expect(answer.headers.etag).toBe(`"${rev}"`);
      expect(answer.headers['content-type']).toBeUndefined();
    }
  });

  it('answers 200 if it is another one, and 404 if there is none', async () => {
    const { path } = await create();
    expect((await client.get(path, { headers: { 'if-none-match': `"${UNKNOWN_REV}"` } })).status).toBe(200);
    expect((await client.get(`/db/${fresh()}`, { headers: { 'if-none-match': '*' } })).status).toBe(404);
  });
});

// docs/protocol/rest.md#writing-documents
describe('PUT /{keyspace}/{docid}', () => {
  it('no such document, no rev: 201, generation 1', async () => {
    const id = fresh();
    const answer = await client.put(`/db/${id}`, {});
    expect(answer.status).toBe(201);
    expectStored(answer, id, 1);
  });

  it('no such document, rev given: 404', async () => {
    expect((await client.put(`/db/${fresh()}?rev=${UNKNOWN_REV}`, {})).status).toBe(404);
    expect((await client.put(`/db/${fresh()}`, { _rev: UNKNOWN_REV })).status).toBe(404);
    expect((await client.put(`/db/${fresh()}`, {}, { headers: { 'if-match': UNKNOWN_REV } })).status).toBe(404);
  });

  it('document exists, no rev: 409', async () => {
    const { path } = await create();
    expect((await client.put(path, {})).status).toBe(409);
  });

  it('document exists, rev is current: 201, next generation', async () => {
    const { path, id, rev, cv } = await create();
    const second = await client.put(`${path}?rev=${rev}`, {});
    expectStored(second, id, 2);
    const third = await client.put(path, { _id: id, _rev: second.json.rev });
    expectStored(third, id, 3);
    const fourth = await client.put(path, {}, { headers: { 'if-match': `"${third.json.rev}"` } });
    expectStored(fourth, id, 4);
    expectStored(await client.put(path, {}, { headers: { 'if-match': fourth.json.rev } }), id, 5);
    expect((await client.put(`${path}?rev=${encodeURIComponent(cv)}`, {})).status).toBe(409);
  });

  it('takes the version for the revision', async () => {
    for (const asQuery of [encodeURIComponent, String]) {
      const { path, id, cv } = await create();
      expectStored(await client.put(`${path}?rev=${asQuery(cv)}`, {}), id, 2);
    }
    const { path, id, cv } = await create();
    expectStored(await client.put(path, { _rev: cv }), id, 2);
  });

  it('If-Match: * replaces whatever is there, but creates nothing', async () => {
    const { path, id } = await create();
    expectStored(await client.put(path, {}, { headers: { 'if-match': '*' } }), id, 2);
    expect((await client.put(`/db/${fresh()}`, {}, { headers: { 'if-match': '*' } })).status).toBe(404);
  });

  it.each([UNKNOWN_REV, '1-abc', '2-00', '1@AAAA'])('document exists, rev is %s: 409', async (rev) => {
    const { path } = await create();
    expect((await client.put(`${path}?rev=${rev}`, {})).status).toBe(409);
  });

  it('tombstone, no rev: 201, generation of the tombstone + 1', async () => {
    const { path, id } = await tombstone();
    expectStored(await client.put(path, {}), id, 3);
  });

  it('tombstone, its rev: 201', async () => {
    const { path, id, rev } = await tombstone();
    expectStored(await client.put(`${path}?rev=${rev}`, {}), id, 3);
  });

  it('_rev differs from ?rev: 400', async () => {
    const { path, rev } = await create();
    const answer = await client.put(`${path}?rev=${rev}`, { _rev: UNKNOWN_REV });
    expect(answer.status).toBe(400);
    expect(answer.json.reason).toBe('"_rev" conflicts with ?rev');
    expect((await client.put(path, { _rev: UNKNOWN_REV }, { headers: { 'if-match': rev } })).status).toBe(400);
    expect((await client.put(`${path}?rev=${UNKNOWN_REV}`, {}, { headers: { 'if-match': rev } })).status).toBe(400);
    expect((await client.put(`${path}?rev=${rev}`, { _rev: rev })).status).toBe(201);
  });

  it('_id differs from the URL: 400', async () => {
    expect((await client.put(`/db/${fresh()}`, { _id: 'other' })).status).toBe(400);
  });

  it('_deleted: true deletes', async () => {
    const { path, rev } = await create();
    const answer = await client.put(`${path}?rev=${rev}`, { _deleted: true });
    expect(answer.status).toBe(200);
    expect((await client.get(path)).json.reason).toBe('deleted');
    expect((await client.put(path, { _deleted: true })).status).toBe(404);
    const { path: other } = await create();
    expect((await client.put(other, { _deleted: true })).status).toBe(409);
    expect((await client.put(`/db/${fresh()}`, { _deleted: true })).status).toBe(404);
  });

  it('strips metadata', async () => {
    const { path } = await create({ _exp: 1, _revisions: { start: 1, ids: ['a'] }, _attachments: {}, _foo: 1, a: 1 });
    expect(Object.keys((await client.get(path)).json)).toEqual(['_id', '_rev', 'a']);
  });

  it('ignores roundtrip', async () => {
    expect((await client.put(`/db/${fresh()}?roundtrip=true`, {})).status).toBe(201);
  });

  it('writes disabled: 403; no such keyspace: 404; in this order before 400', async () => {
    expect((await client.put('/frozen/x', '{nonsense')).status).toBe(403);
    expect((await client.put('/frozen.nothing/x', {})).status).toBe(403);
    expect((await client.put('/db.nothing/x', '{nonsense')).status).toBe(404);
    expect((await client.put('/nothing/_x', {})).status).toBe(404);
  });

  it('removes the properties that are not sent', async () => {
    const { path, rev } = await create({ a: 1, b: 2 });
    await client.put(`${path}?rev=${rev}`, { b: 3 });
    expect((await client.get(path)).json).not.toHaveProperty('a');
  });

  it('lets one of many writers of the same revision win', async () => {
    const { path, rev } = await create();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => client.put(`${path}?rev=${rev}`, { n })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(19).fill(409)]);
  });
});

// docs/protocol/rest.md#deleting-documents
describe('DELETE /{keyspace}/{docid}', () => {
  it('answers 200 with the revision of the tombstone', async () => {
    const { path, id, rev } = await create();
    const answer = await client.delete(`${path}?rev=${rev}`);
    expect(answer.status).toBe(200);
    expectStored(answer, id, 2);
  });

  it('takes If-Match, and * for whatever is current', async () => {
    const one = await create();
    expect((await client.delete(one.path, { headers: { 'if-match': `"${one.rev}"` } })).status).toBe(200);
    const two = await create();
    expect((await client.delete(two.path, { headers: { 'if-match': '*' } })).status).toBe(200);
  });

  it('no rev: 409 if the document exists, 404 if not', async () => {
    const { path } = await create();
    expect((await client.delete(path)).status).toBe(409);
    expect((await client.delete(`/db/${fresh()}`)).status).toBe(404);
  });

  it('stale rev: 409', async () => {
    const { path, rev } = await create();
    await client.put(`${path}?rev=${rev}`, {});
    expect((await client.delete(`${path}?rev=${rev}`)).status).toBe(409);
    expect((await client.delete(`${path}?rev=${UNKNOWN_REV}`)).status).toBe(409);
  });

  it('of a tombstone: 404', async () => {
    const { path, rev } = await tombstone();
    expect((await client.delete(`${path}?rev=${rev}`)).json.reason).toBe('deleted');
    expect((await client.delete(path)).status).toBe(404);
  });

  it('of nothing with a rev: 404', async () => {
    expect((await client.delete(`/db/${fresh()}?rev=${UNKNOWN_REV}`)).status).toBe(404);
  });

  it('ignores a body', async () => {
    const { path, rev } = await create();
    expect((await client.request('DELETE', `${path}?rev=${rev}`, { body: { a: 1 } })).status).toBe(200);
  });
});

// docs/protocol/rest.md#expiry
describe('expiry', () => {
  const now = (): number => Math.floor(Date.now() / 1000);

  it('returns the deadline that ttl sets', async () => {
    const before = now();
    const { json } = await client.put(`/db/${fresh()}?ttl=100`, {});
    expect(json.expires - before - 100).toBeGreaterThanOrEqual(0);
    expect(json.expires - before - 100).toBeLessThan(30);
  });

  it('lets the earlier of ttl and expires win', async () => {
    const soon = now() + 50;
    expect((await client.put(`/db/${fresh()}?ttl=1000&expires=${soon}`, {})).json.expires).toBe(soon);
    expect((await client.put(`/db/${fresh()}?ttl=10&expires=${soon + 500}`, {})).json.expires).toBeLessThan(soon);
  });

  it('takes zero for not given', async () => {
    expect((await client.put(`/db/${fresh()}?ttl=0&expires=0`, {})).json).not.toHaveProperty('expires');
  });

  it.each(['ttl=-1', 'ttl=x', 'expires=-5', 'expires=soon', 'ttl=1.5', 'ttl=', 'ttl=9007199254740991'])(
    'refuses %s with 400',
    async (query) => {
      const { path, rev } = await create();
      expect((await client.post(`/db?${query}`, {})).status).toBe(400);
      expect((await client.put(`/db/${fresh()}?${query}`, {})).status).toBe(400);
      expect((await client.delete(`${path}?rev=${rev}&${query}`)).status).toBe(400);
    },
  );

  it('removes the document from every view at its second', async () => {
    await using clock = await startGateway();
    const timed = new CheckedClient(clock.url);
    await timed.put('/db/stays', {});
    await timed.put('/db/goes?ttl=60', {});
    await timed.post('/db', { _id: 'posted' }, {});
    clock.advance(58);
    expect((await timed.get('/db/goes')).status).toBe(200);
    const tag = (await timed.get('/db/_all_docs')).headers.etag!;
    clock.advance(3);
    expect((await timed.get('/db/goes')).json.reason).toBe('missing');
    expect((await timed.get('/db/_all_docs')).json.rows).toHaveLength(2);
    expect((await timed.get('/db')).json.collections._default.doc_count).toBe(2);
    expect((await timed.get('/db/_all_docs', { headers: { 'if-none-match': tag } })).status).toBe(200);
    expect((await timed.put('/db/goes', {})).status).toBe(201);
  });

  it('keeps the deadline when an update names none, and replaces it when one does', async () => {
    await using clock = await startGateway();
    const timed = new CheckedClient(clock.url);
    const { rev } = (await timed.put('/db/kept?ttl=60', {})).json;
    await timed.put(`/db/kept?rev=${rev}`, {});
    const other = (await timed.put('/db/longer?ttl=60', {})).json;
    await timed.put(`/db/longer?ttl=600&rev=${other.rev}`, {});
    clock.advance(61);
    expect((await timed.get('/db/kept')).status).toBe(404);
    expect((await timed.get('/db/longer')).status).toBe(200);
  });

  it('purges a tombstone at its second', async () => {
    await using clock = await startGateway();
    const timed = new CheckedClient(clock.url);
    const { rev } = (await timed.put('/db/doc', {})).json;
    expect((await timed.delete(`/db/doc?rev=${rev}&ttl=60`)).json.expires).toBeGreaterThan(0);
    expect((await timed.get('/db/doc')).json.reason).toBe('deleted');
    clock.advance(61);
    expect((await timed.get('/db/doc')).json.reason).toBe('missing');
  });
});
