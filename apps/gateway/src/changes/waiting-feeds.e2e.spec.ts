import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword } from '@edgesync/platform';
import type { ChangesOptions, Storage } from '@edgesync/ports';
import { CheckedClient, type Loose } from '../testing/checked-client.js';
import { OpenFeed, type FeedRequestOptions } from '../testing/feed-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;
let open: OpenFeed[] = [];
let documents = 0;

beforeAll(async () => {
  gateway = await startGateway();
  client = new CheckedClient(gateway.url);
  await write();
});
afterAll(() => gateway[Symbol.asyncDispose]());
afterEach(async () => {
  for (const feed of open) feed.leave();
  open = [];
  await nobodyWaits();
});

async function feed(query: string, options?: FeedRequestOptions): Promise<OpenFeed> {
  const opened = await OpenFeed.open(`${gateway.url}/db/_changes${query}`, options);
  open.push(opened);
  return opened;
}

/** A new document. @returns its ID */
async function write(body: object = {}): Promise<string> {
  const id = `doc-${documents++}`;
  expect((await client.put(`/db/${id}`, body)).status).toBe(201);
  return id;
}

const tasks = async (): Promise<Loose[]> => (await client.get('/_active_tasks')).json;
const nobodyWaits = (): Promise<void> => expect.poll(tasks, { timeout: 10_000 }).toEqual([]);
const lastSequence = async (): Promise<number> => (await client.get('/db')).json.collections._default.update_seq;

// docs/protocol/rest.md#changes-feed
describe('longpoll', () => {
  it('answers like normal if there is something', async () => {
    const normal = await client.get('/db/_changes?include_docs=true');
    const longpoll = await client.get('/db/_changes?include_docs=true&feed=longpoll');
    expect(longpoll.text).toBe(normal.text);
    expect(longpoll.headers['content-length']).toBe(normal.headers['content-length']);
  });

  it('waits otherwise, its headers sent, and answers with the next change', async () => {
    const before = await lastSequence();
    const waiting = await feed(`?feed=longpoll&since=${before}`);
    expect(waiting.response.headers['content-type']).toBe('application/json');
    const id = await write();
    const { results, last_seq } = JSON.parse(await waiting.end());
    expect(results).toMatchObject([{ id, seq: before + 1 }]);
    expect(last_seq).toBe(before + 1);
    expect(waiting.ended).toBe(true);
  });

  it('does not wake for what it is not to report', async () => {
    const gone = await write();
    const { _rev: rev } = (await client.get(`/db/${gone}`)).json;
    const waiting = await feed('?feed=longpoll&since=now&active_only=true&doc_ids=wanted,other');
    await write();
    expect((await client.delete(`/db/${gone}?rev=${rev}`)).status).toBe(200);
    await client.put('/db/wanted', {});
    expect(JSON.parse(await waiting.end()).results).toMatchObject([{ id: 'wanted' }]);
  });

  it('answers with nothing and the last sequence when its time is over', async () => {
    const answer = await client.get('/db/_changes?feed=longpoll&since=now&timeout=30');
    expect(answer.json).toEqual({ results: [], last_seq: await lastSequence() });
  });

  it('answers with the last sequence also if only documents changed that it is not about', async () => {
    const since = await lastSequence();
    const filters = ['doc_ids=wanted', 'doc_ids=wanted&active_only=true', 'doc_ids=wanted&descending=true'];
    const waiting = filters.map((filter) => feed(`?feed=longpoll&since=${since}&timeout=1500&${filter}`));
    const feeds = await Promise.all(waiting);
    await write();
    await write();
    for (const one of feeds) expect(JSON.parse(await one.end())).toEqual({ results: [], last_seq: since + 2 });
  });

  it('is a POST as well', async () => {
    const waiting = await feed('', { method: 'POST', body: { feed: 'longpoll', since: 'now', timeout: null } });
    const id = await write();
    expect(JSON.parse(await waiting.end()).results).toMatchObject([{ id }]);
  });
});

// docs/protocol/rest.md#changes-feed
describe('continuous', () => {
  it('sends its headers at once when there is nothing to report', async () => {
    const { response } = await feed('?feed=continuous&since=now');
    expect(response.statusCode).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'transfer-encoding': 'chunked',
      'cache-control': 'no-cache',
      server: 'CouchbaseEdgeServer/1.1.0',
    });
  });

  it('sends what is there, a row a line, then what comes, and ends at its limit', async () => {
    const before = (await client.get('/db/_changes?include_docs=true')).json.results as Loose[];
    const opened = await feed(`?feed=continuous&include_docs=true&limit=${before.length + 1}`);
    expect(await opened.rows(before.length)).toEqual(before);
    const id = await write({ live: true });
    const rows = await opened.rows(before.length + 1);
    expect(rows.at(-1)).toMatchObject({ id, doc: { _id: id, live: true } });
    await opened.end();
    expect(opened.ended).toBe(true);
  });

  it('App. B: serves the listener of one document that a browser has', async () => {
    const opened = await feed(
      '?feed=continuous&include_docs=true&since=now&heartbeat=600&filter=doc_ids&doc_ids=inventory',
    );
    await write();
    const { rev } = (await client.put('/db/inventory', { meals: 5 })).json;
    expect(await opened.rows(1)).toMatchObject([{ id: 'inventory', doc: { _rev: rev, meals: 5 } }]);
    await client.put(`/db/inventory?rev=${rev}`, { meals: 4 });
    expect((await opened.rows(2))[1]).toMatchObject({ doc: { meals: 4 } });
  });

  it('ends properly after its time without activity', async () => {
    const opened = await feed('?feed=continuous&since=now&timeout=30');
    expect(await opened.end()).toBe('');
    expect(opened.ended).toBe(true);
  });

  it('leaves deletions out with active_only, also live', async () => {
    const opened = await feed('?feed=continuous&since=now&active_only=true');
    const id = await write();
    const [{ changes }] = await opened.rows(1);
    await client.delete(`/db/${id}?rev=${changes[0].rev}`);
    const next = await write();
    expect((await opened.rows(2)).map((row) => row.id)).toEqual([id, next]);
  });

  it('goes on live after a descending backlog', async () => {
    const count = (await client.get('/db/_changes')).json.results.length as number;
    const opened = await feed('?feed=continuous&descending=true');
    const sequences = (await opened.rows(count)).map(({ seq }) => seq as number);
    expect(sequences).toEqual([...sequences].sort((a, b) => b - a));
    const id = await write();
    expect((await opened.rows(count + 1)).at(-1)).toMatchObject({ id });
  });

  it('costs one formatting however many wait', async () => {
    const many = await Promise.all(Array.from({ length: 50 }, () => feed('?feed=continuous&since=now')));
    const id = await write();
    for (const opened of many) expect(await opened.rows(1)).toMatchObject([{ id }]);
    expect(await tasks()).toHaveLength(50);
  });
});

// docs/protocol/rest.md#changes-feed
describe('server-sent events', () => {
  it.each(['sse', 'eventsource'])('come with feed=%s: the sequence as ID, the row as data', async (name) => {
    const since = await lastSequence();
    const opened = await feed(`?feed=${name}&since=${since}`);
    expect(opened.response.headers['content-type']).toBe('text/event-stream');
    const id = await write();
    const text = await opened.until((so) => so.endsWith('\n\n'));
    const [first, second] = text.split('\n');
    expect(first).toBe(`id: ${since + 1}`);
    expect(JSON.parse(second!.replace(/^data: /, ''))).toMatchObject({ seq: since + 1, id });
  });

  it('go on after Last-Event-ID, whatever since says', async () => {
    const since = await lastSequence();
    const [first, second] = [await write(), await write()];
    const opened = await feed('?feed=sse&since=now', { headers: { 'last-event-id': String(since + 1) } });
    expect(await opened.until((text) => text.includes('data:'))).not.toContain(first);
    expect(opened.text).toContain(second);
    const other = await feed('?feed=sse&since=now', { headers: { 'last-event-id': 'not ours' } });
    expect(other.response.statusCode).toBe(200);
  });

  it('begin with their place if they begin now, so that nothing is missed when the connection is lost at once', async () => {
    const opened = await feed('?feed=sse&since=now');
    expect(await opened.until((text) => text.endsWith('\n\n'))).toBe(`id: ${await lastSequence()}\n\n`);
  });
});

// docs/protocol/rest.md#changes-feed
describe('heartbeats', () => {
  it('are newlines and comments, and legal in an envelope', { timeout: 30_000 }, async () => {
    const [continuous, longpoll, sse] = await Promise.all([
      feed('?feed=continuous&since=now&heartbeat=600'),
      feed('?feed=longpoll&since=now&heartbeat=5000&timeout=1'),
      feed(`?feed=sse&since=${await lastSequence()}&heartbeat=1`),
    ]);
    expect(await continuous.until((text) => text !== '')).toBe('\n');
    expect(await sse.until((text) => text !== '')).toBe(':\n\n');
    expect((await longpoll.until((text) => text.includes('\n'))).trim()).toBe('{"results":[');
    const id = await write();
    expect(JSON.parse(await longpoll.end()).results).toMatchObject([{ id }]);
    expect(await continuous.rows(1)).toMatchObject([{ id }]);
  });
});

describe('changes', () => {
  it('are missed by nobody while the backlog is read and writing goes on', { timeout: 60_000 }, async () => {
    const path = '/db.things';
    const ids = Array.from({ length: 20 }, (_, index) => `hot-${index}`);
    const current = new Map<string, string>();
    const writer = async (mine: readonly string[]): Promise<void> => {
      for (let round = 0; round < 30; round++)
        for (const id of mine) {
          const rev = current.get(id);
          const { json } = await client.put(`${path}/${id}${rev ? `?rev=${rev}` : ''}`, { round });
          current.set(id, json.rev as string);
        }
    };
    const writing = Promise.all([writer(ids.slice(0, 10)), writer(ids.slice(10))]);
    const readers: OpenFeed[] = [];
    for (let n = 0; n < 20; n++) {
      const docs = n % 2 === 0 ? '&include_docs=true' : '';
      readers.push(await OpenFeed.open(`${gateway.url}${path}/_changes?feed=continuous${docs}`));
    }
    open.push(...readers);
    await writing;
    const { json } = await client.put(`${path}/last`, {});
    for (const reader of readers) {
      const rows = linesUntil(await reader.until((text) => text.includes(json.rev as string) && text.endsWith('\n')));
      const sequences = rows.map(({ seq }) => seq as number);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
      expect(new Set(sequences).size).toBe(sequences.length);
      const newest = new Map(rows.map(({ id, changes }) => [id as string, changes[0].rev as string]));
      for (const [id, rev] of current) expect(newest.get(id)).toBe(rev);
    }
  });
});

const linesUntil = (text: string): Loose[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Loose);

// docs/protocol/rest.md#active-tasks, docs/protocol/edge-server.md#audit-log
describe('a feed', () => {
  it('is listed while it lasts, audited and counted', async () => {
    await using one = await startGateway({
      config: { users: 'users.json', enable_anonymous_users: false },
      users: {
        root: { password: await hashPassword('x'), roles: ['admin'] },
        operator: { password: await hashPassword('x'), roles: ['replicate'] },
        alice: { password: await hashPassword('x') },
      },
    });
    const as = (user: string) => ({ authorization: `Basic ${Buffer.from(`${user}:x`).toString('base64')}` });
    const [root, operator, alice] = ['root', 'operator', 'alice'].map((user) => new CheckedClient(one.url, as(user)));
    expect((await root!.get('/_active_tasks')).json).toEqual([]);
    const query = 'feed=continuous&since=now&token=abcdef';
    using first = await OpenFeed.open(`${one.url}/db.things/_changes?${query}`, { headers: as('alice') });
    using second = await OpenFeed.open(`${one.url}/db/_changes`, {
      method: 'POST',
      body: { feed: 'longpoll', doc_ids: ['a', 'b'], heartbeat: 5000, style: null },
      headers: as('operator'),
    });
    const listed = (await operator!.get('/_active_tasks')).json;
    expect(listed).toEqual([
      {
        task_id: expect.any(Number),
        type: 'changes',
        age_secs: expect.any(Number),
        ks: 'db.things',
        args: expect.stringMatching(/^feed=continuous&since=now&token=…$/),
        user: 'alice',
        ip: '127.0.0.1',
      },
      {
        task_id: expect.any(Number),
        type: 'changes',
        age_secs: expect.any(Number),
        ks: 'db',
        args: 'feed=longpoll&doc_ids=%5B%22a%22%2C%22b%22%5D&heartbeat=5000',
        user: 'operator',
        ip: '127.0.0.1',
      },
    ]);
    const [feedOfAlice, feedOfOperator] = (listed as { task_id: number }[]).map(({ task_id }) => task_id);
    expect((await alice!.get('/_active_tasks')).status).toBe(403);
    expect((await root!.get('/_metrics')).text).toContain('edgesync_changes_feeds{mode="continuous"} 1');
    await alice!.put('/db.things/x', {});
    await first.rows(1);
    first.leave();
    second.leave();
    await expect.poll(async () => (await root!.get('/_active_tasks')).json).toEqual([]);
    const events = one.audit
      .filter(({ id }) => id === 57351 || id === 57352)
      .sort((a, b) => a.id - b.id || Number(a['feed_id']) - Number(b['feed_id']));
    expect(events).toMatchObject([
      { id: 57351, user: 'alice', db: 'db', ks: 'db._default.things', feed: 'continuous', feed_id: feedOfAlice },
      { id: 57351, user: 'operator', ks: 'db', feed: 'longpoll', feed_id: feedOfOperator },
      { id: 57352, feed_id: feedOfAlice, changes: 1, seconds: expect.any(Number) },
      { id: 57352, feed_id: feedOfOperator, changes: 0 },
    ]);
    await alice!.get('/db.things/_changes');
    expect(one.audit.filter(({ id }) => id === 57352).at(-1)).toMatchObject({ feed: 'normal', changes: 1 });
    const metrics = (await root!.get('/_metrics')).text;
    expect(metrics).toContain('edgesync_changes_feeds{mode="continuous"} 0');
    expect(metrics).toContain('edgesync_changes_sent_total{mode="continuous"} 1');
  });

  it('is listed for everybody where nobody has to log in', async () => {
    await feed('?feed=continuous&since=now');
    const [task] = await tasks();
    expect(task).toMatchObject({ type: 'changes', ks: 'db', args: 'feed=continuous&since=now' });
    expect(task).not.toHaveProperty('user');
  });
});

// docs/protocol/edge-server.md#cors
describe('feeds', () => {
  it('may be read by pages of listed origins, also while they wait', async () => {
    await using one = await startGateway({ config: { cors: { origin: ['https://app.example'] } } });
    const headers = { origin: 'https://app.example' };
    for (const mode of ['normal', 'longpoll', 'continuous', 'sse']) {
      using opened = await OpenFeed.open(`${one.url}/db/_changes?since=now&feed=${mode}`, { headers });
      expect(opened.response.headers['access-control-allow-origin']).toBe('https://app.example');
      expect(opened.response.headers.vary).toBe('Origin');
    }
  });
});

describe('a server that stops', () => {
  it('ends feeds with what they have, and takes no new ones', { timeout: 30_000 }, async () => {
    const stopping = await startGateway();
    try {
      const path = `${stopping.url}/db/_changes`;
      const kept = await OpenFeed.open(`${path}?feed=continuous&heartbeat=60000`);
      const longpoll = await OpenFeed.open(`${path}?feed=longpoll`);
      const filtered = await OpenFeed.open(`${path}?feed=longpoll&doc_ids=other`);
      const sse = await OpenFeed.open(`${path}?feed=sse`);
      await new CheckedClient(stopping.url).put('/db/a', {});
      await Promise.all([kept.rows(1), longpoll.end(), sse.until((text) => text.includes('data'))]);
      await stopping.app.close();
      for (const one of [kept, longpoll, filtered, sse]) {
        await one.end();
        expect(one.ended).toBe(true);
      }
      expect(JSON.parse(filtered.text)).toEqual({ results: [], last_seq: expect.any(Number) });
    } finally {
      await stopping[Symbol.asyncDispose]();
    }
  });
});

describe('storage that fails', () => {
  const failing = (when: (options: ChangesOptions) => boolean) => (storage: Storage) =>
    Object.assign(Object.create(storage) as Storage, {
      changes: (keyspace: never, options: ChangesOptions) =>
        when(options) ? Promise.reject(new Error('disk on fire')) : storage.changes(keyspace, options),
    });

  it('fails with its status if it fails at the start', async () => {
    await using broken = await startGateway({ wrap: failing(() => true) });
    for (const query of ['', '?feed=continuous', '?feed=longpoll&since=now'])
      expect((await new CheckedClient(broken.url).get(`/db/_changes${query}`)).status).toBe(500);
    expect((await new CheckedClient(broken.url).get('/_active_tasks')).json).toEqual([]);
  });

  it('cuts the connection if it fails later, and is logged', async () => {
    await using broken = await startGateway({ wrap: failing(({ since }) => since > 0) });
    const opened = await OpenFeed.open(`${broken.url}/db/_changes?feed=continuous`);
    const one = new CheckedClient(broken.url);
    await one.put('/db/a', {});
    await opened.rows(1);
    await one.put('/db/b', {});
    await opened.end();
    expect(opened.ended).toBe(false);
    expect(broken.log.some((line) => line.includes('disk on fire'))).toBe(true);
    expect((await one.get('/_active_tasks')).json).toEqual([]);
  });
});
