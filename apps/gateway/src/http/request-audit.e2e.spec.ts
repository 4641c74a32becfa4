import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashPassword } from '@edgesync/platform';
import { CheckedClient } from '../testing/checked-client.js';
import { OpenFeed } from '../testing/feed-client.js';
import { startGateway, type AuditEvent, type TestGateway } from '../testing/start-gateway.js';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const things = '/db.things';

let gateway: TestGateway;
let client: CheckedClient;
let stranger: CheckedClient;
let before = 0;

beforeAll(async () => {
  gateway = await startGateway({
    config: { users: 'users.json', enable_anonymous_users: false },
    users: { alice: { password: await hashPassword('wonderland') } },
  });
  client = new CheckedClient(gateway.url, { authorization: basic('alice:wonderland') });
  stranger = new CheckedClient(gateway.url);
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(() => void (before = gateway.audit.length));

/** Events since the test began, without those that every request has. */
const events = (): Record<string, unknown>[] =>
  gateway.audit.slice(before).flatMap((event) => ([57346, 57347].includes(event.id) ? [] : [withoutTime(event)]));
const withoutTime = ({ timestamp: _, ...event }: AuditEvent) => event;
const byAlice = { user: 'alice', remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as unknown };
const inThings = { db: 'db', ks: 'db._default.things' };

describe('the audit log', () => {
  it('reports documents that were created, changed, deleted and read', async () => {
    const { json: created } = await client.put(`${things}/a%20b`, { n: 1 });
    const { json: updated } = await client.put(`${things}/a%20b?rev=${created.rev}`, { n: 2 });
    await client.get(`${things}/a%20b`);
    await client.head(`${things}/a%20b`);
    const { json: deleted } = await client.delete(`${things}/a%20b?rev=${updated.rev}`);
    const about = { ...byAlice, ...inThings, doc_id: 'a b' };
    expect(events()).toEqual([
      { id: 57358, name: 'create document', ...about, rev: created.rev },
      { id: 57360, name: 'update document', ...about, rev: updated.rev },
      { id: 57359, name: 'read document', ...about },
      { id: 57362, name: 'read document metadata', ...about },
      { id: 57361, name: 'delete document', ...about, rev: deleted.rev },
    ]);
  });

  it('reports documents created by POST and deleted by PUT', async () => {
    const { json } = await client.post(things, { n: 1 });
    await client.put(`${things}/${json.id}?rev=${json.rev}`, { _deleted: true });
    expect(events()).toMatchObject([
      { id: 57358, doc_id: json.id },
      { id: 57361, doc_id: json.id },
    ]);
  });

  it('names the tombstone, as the reply does, when a deletion lets another branch surface', async () => {
    const docs = [
      { _id: 'branched', _rev: '1-bb' },
      { _id: 'branched', _rev: '1-aa' },
    ];
    await client.post(`${things}/_bulk_docs`, { docs, new_edits: false });
    const { json } = await client.delete(`${things}/branched?rev=1-bb`);
    expect(json).toEqual({ ok: true, id: 'branched', rev: expect.stringMatching(/^2-[0-9a-f]{40}$/) as unknown });
    expect(events()).toMatchObject([{ name: 'delete document', doc_id: 'branched', rev: json.rev }]);
    expect((await client.get(`${things}/branched`)).json._rev).toBe('1-aa');
  });

  it('reports single properties as of their document', async () => {
    const { json: created } = await client.put(`${things}/p/key`, '1', {
      headers: { 'content-type': 'application/json' },
    });
    await client.get(`${things}/p/key`);
    await client.delete(`${things}/p/key?rev=${created.rev}`);
    expect(events().map(({ id, doc_id }) => [id, doc_id])).toEqual([
      [57358, 'p'],
      [57359, 'p'],
      [57360, 'p'],
    ]);
  });

  it('reports databases that were read', async () => {
    await client.get('/_all_dbs');
    await client.get('/db');
    await client.get(things);
    expect(events()).toEqual([
      { id: 57350, name: 'read all databases', ...byAlice },
      { id: 57349, name: 'read database', ...byAlice, db: 'db', ks: 'db' },
      { id: 57349, name: 'read database', ...byAlice, ...inThings },
    ]);
  });

  it('reports nothing of listings, batches and what did not succeed', async () => {
    await client.get(`${things}/_all_docs?include_docs=true`);
    await client.post(`${things}/_bulk_docs`, { docs: [{ _id: 'bulk' }] });
    await client.get(`${things}/none`);
    await client.put(`${things}/bulk`, {});
    await client.delete(`${things}/none`);
    await client.get('/nowhere');
    expect(events()).toEqual([]);
  });

  it('reports authenticated users and of failures, with the name that was claimed', async () => {
    await client.get('/_all_dbs');
    await stranger.get('/_all_dbs');
    await stranger.get('/_all_dbs', { headers: { authorization: basic('mallory:wonderland') } });
    const reported = gateway.audit.slice(before).filter(({ id }) => id === 57347 || id === 57348);
    expect(reported.map(({ id, user, status, remote }) => [id, user, status, remote])).toEqual([
      [57347, 'alice', undefined, '127.0.0.1'],
      [57348, undefined, 401, '127.0.0.1'],
      [57348, 'mallory', 401, '127.0.0.1'],
    ]);
  });

  it('reports every request with its outcome, refused ones too', async () => {
    await client.put(`${things}/r?ttl=60`, {});
    await stranger.get('/db/x?password=geheim');
    const requests = (): Record<string, unknown>[] =>
      gateway.audit
        .slice(before)
        .filter(({ id }) => id === 57346)
        .map(withoutTime);
    await expect.poll(requests).toHaveLength(2);
    const common = { id: 57346, name: 'public HTTP request', remote: byAlice.remote, elapsed_ms: expect.any(Number) };
    expect(requests()).toEqual([
      { ...common, user: 'alice', method: 'PUT', uri: `${things}/r?ttl=60`, status: 201 },
      { ...common, method: 'GET', uri: '/db/x?password=…', status: 401 },
    ]);
  });

  it('reports a request whose client went away', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    socket.write(
      `PUT ${things}/gone HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic('alice:wonderland')}\r\n` +
        'Expect: 100-continue\r\nContent-Length: 9\r\n\r\n',
    );
    await once(socket, 'data');
    socket.destroy();
    await expect
      .poll(() => gateway.audit.slice(before).filter(({ id }) => id === 57346))
      .toMatchObject([{ method: 'PUT', status: 499 }]);
  });
});

describe('the events of a request are in the audit file', () => {
  /** Events that were in the file so far: writing takes a while here. */
  let inFile = 0;
  let slow: TestGateway;
  let user: CheckedClient;

  beforeAll(async () => {
    slow = await startGateway({
      config: { users: 'users.json', enable_anonymous_users: false, cors: { origin: ['https://app.example'] } },
      users: { alice: { password: await hashPassword('wonderland') } },
      auditWritten: () => {
        const count = slow.audit.length;
        if (count === inFile) return undefined;
        return new Promise((resolve) => setTimeout(() => resolve(void (inFile = Math.max(inFile, count))), 20));
      },
    });
    user = new CheckedClient(slow.url, { authorization: basic('alice:wonderland') });
  });
  afterAll(() => slow[Symbol.asyncDispose]());

  /** The numbers of the events that a request added to the file by the time of its reply. */
  const during = async (act: () => Promise<unknown>): Promise<number[]> => {
    const earlier = slow.audit.length;
    await act();
    return slow.audit.slice(earlier, inFile).map(({ id }) => id);
  };

  it('when the reply to it is complete', async () => {
    const typed = { headers: { 'content-type': 'application/json' } };
    expect(await during(() => user.put('/db/a', { n: 1 }))).toEqual([57347, 57358, 57346]);
    expect(await during(() => user.get('/db/a'))).toEqual([57347, 57359, 57346]);
    expect(await during(() => user.head('/db/a'))).toEqual([57347, 57362, 57346]);
    const { json } = await user.get('/db/a');
    expect(await during(() => user.put(`/db/a/n?rev=${json._rev}`, '2', typed))).toEqual([57347, 57360, 57346]);
    expect(await during(() => user.put('/db/b/blob', 'x'.repeat(100_000)))).toEqual([57347, 57358, 57346]);
    expect(await during(() => user.get('/db/b/blob'))).toEqual([57347, 57359, 57346]);
    const { _rev: rev } = (await user.get('/db/a')).json;
    expect(await during(() => user.delete(`/db/a?rev=${rev}`))).toEqual([57347, 57361, 57346]);
    expect(await during(() => user.get('/_all_dbs'))).toEqual([57347, 57350, 57346]);
    expect(await during(() => user.get('/db/_all_docs'))).toEqual([57347, 57346]);
    expect(await during(() => user.get('/db/_changes'))).toEqual([57347, 57351, 57352, 57346]);
  });

  it('when it is refused', async () => {
    const unknown = new CheckedClient(slow.url);
    expect(await during(() => unknown.get('/db/a'))).toEqual([57348, 57346]);
    expect(await during(() => user.get('/db/none'))).toEqual([57347, 57346]);
    expect(await during(() => user.get('/nowhere/at/all/of/it'))).toEqual([57347, 57346]);
    const preflight = { headers: { origin: 'https://app.example', 'access-control-request-method': 'PUT' } };
    expect(await during(() => unknown.request('OPTIONS', '/db/a', preflight))).toEqual([57346]);
  });

  it('when the headers of a feed that waits have come', async () => {
    const headers = { authorization: basic('alice:wonderland') };
    expect(
      await during(async () => {
        using _feed = await OpenFeed.open(`${slow.url}/db/_changes?feed=continuous&since=now`, { headers });
      }),
    ).toEqual([57347, 57351]);
  });
});
