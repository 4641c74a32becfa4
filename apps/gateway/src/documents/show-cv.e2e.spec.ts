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

const VERSION = /^[0-9a-f]+@.{22}$/;

/** Every kind of request whose reply names revisions; each makes the document that it needs. */
const REPLIES: Record<string, (ask: (path: string) => string) => Promise<Loose>> = {
  'POST of a document': async (ask) => (await client.post(ask('/db'), {})).json,
  'PUT of a document': async (ask) => (await client.put(ask(`/db/doc-${next++}`), {})).json,
  'DELETE of a document': async (ask) => {
    const { id, rev } = await create();
    return (await client.delete(ask(`/db/${id}?rev=${rev}`))).json;
  },
  'PUT of a property': async (ask) => {
    const headers = { 'content-type': 'application/json' };
    return (await client.put(ask(`/db/doc-${next++}/n`), '1', { headers })).json;
  },
  'PUT of a blob': async (ask) => (await client.put(ask(`/db/doc-${next++}/blob`), 'x')).json,
  'DELETE of a property': async (ask) => {
    const { id, rev } = await create();
    return (await client.delete(ask(`/db/${id}/n?rev=${rev}`))).json;
  },
  _bulk_docs: async (ask) => (await client.post(ask('/db/_bulk_docs'), { docs: [{ n: 1 }] })).json[0],
  'GET of a document': async (ask) => (await client.get(ask(`/db/${(await create()).id}`))).json,
  'GET of _all_docs': async (ask) => {
    const { id } = await create();
    return (await client.get(ask(`/db/_all_docs?startkey=${id}&endkey=${id}`))).json.rows[0].value;
  },
  'a document in GET of _all_docs': async (ask) => {
    const { id } = await create();
    return (await client.get(ask(`/db/_all_docs?startkey=${id}&endkey=${id}&include_docs=true`))).json.rows[0].doc;
  },
  'a document in POST of _all_docs': async (ask) => {
    const { id } = await create();
    return (await client.post(ask('/db/_all_docs'), { keys: [id] })).json.rows[0].doc;
  },
  'a document in _changes': async (ask) => {
    const { id } = await create();
    return (await client.get(ask(`/db/_changes?include_docs=true&doc_ids=${id}`))).json.results[0].doc;
  },
  'a deleted document in _changes': async (ask) => {
    const { id, rev } = await create();
    await client.delete(`/db/${id}?rev=${rev}`);
    return (await client.get(ask(`/db/_changes?include_docs=true&doc_ids=${id}`))).json.results[0].doc;
  },
};

async function create(): Promise<{ id: string; rev: string }> {
  return (await client.put(`/db/doc-${next++}`, { n: 1 })).json;
}

/** The version in a reply, whatever it is called there. */
const versionOf = (json: Loose): unknown => json.cv ?? json._cv;

describe.each(Object.entries(REPLIES))('%s', (_title, reply) => {
  it.each(['', 'show_cv=false', 'show_cv=0'])(
    'names the revision by its rev-tree ID alone with %j',
    async (parameter) => {
      const json = await reply((path) => withParameter(path, parameter));
      expect(json.rev ?? json._rev).toMatch(/^[12]-[0-9a-f]{40}$/);
      expect(Object.keys(json)).not.toContain('cv');
      expect(Object.keys(json)).not.toContain('_cv');
    },
  );

  it('shows the version too with show_cv=true', async () => {
    const json = await reply((path) => withParameter(path, 'show_cv=true'));
    expect(json.rev ?? json._rev).toMatch(/^[12]-[0-9a-f]{40}$/);
    expect(versionOf(json)).toMatch(VERSION);
  });
});

it('may be a member of a POST body', async () => {
  const { id } = await create();
  const listed = (await client.post('/db/_all_docs', { keys: [id], show_cv: true })).json.rows[0];
  const changed = (await client.post('/db/_changes', { doc_ids: [id], include_docs: true, show_cv: true })).json;
  expect([listed.value.cv, listed.doc._cv, changed.results[0].doc._cv].map(String)).toEqual(
    Array(3).fill(expect.stringMatching(VERSION)),
  );
});

it('the version that was shown names the revision in rev', async () => {
  const { id, rev } = await create();
  const { _cv: cv } = (await client.get(`/db/${id}?show_cv=true`)).json;
  const asked = encodeURIComponent(cv as string);
  expect((await client.get(`/db/${id}?rev=${asked}`)).json._rev).toBe(rev);
  expect((await client.put(`/db/${id}?rev=${asked}`, { _cv: cv })).status).toBe(201);
});

function withParameter(path: string, parameter: string): string {
  return parameter === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${parameter}`;
}
