import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashPassword, type Authenticator } from '@edgesync/auth';
import { readUsers, type Users } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import { AUTHENTICATOR } from '@edgesync/platform';
import { CheckedClient } from '../testing/checked-client.js';
import { scriptQueries, type RunStatement, type Script } from '../testing/scripted-queries.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;
let script: Script;
let ran: RunStatement[];
const open = new Set<LiveFeed>();

beforeEach(async () => {
  ran = [];
  gateway = await startGateway({
    database: {
      enable_adhoc_queries: true,
      queries: { things: 'SELECT n FROM things', joined: 'SELECT 1 FROM things a JOIN shop.orders b ON 1' },
      query_limits: { live_interval: 20 },
    },
    wrap: (storage) =>
      scriptQueries(storage, (run) => {
        ran.push(run);
        return script(run);
      }),
  });
  client = new CheckedClient(gateway.url);
});

afterEach(async () => {
  for (const feed of open) feed.leave();
  open.clear();
  await gateway[Symbol.asyncDispose]();
});

/** A client of server-sent events. */
class LiveFeed {
  private text = '';
  readonly ended: Promise<unknown>;

  private constructor(
    private readonly sent: ReturnType<typeof request>,
    readonly response: IncomingMessage,
  ) {
    response.on('data', (chunk: Buffer) => (this.text += chunk.toString()));
    this.ended = once(response, 'close').catch(() => {});
  }

  static async open(path: string, { body, lastId }: { body?: object; lastId?: string } = {}): Promise<LiveFeed> {
    const sent = request(`${gateway.url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { accept: 'text/event-stream', ...(lastId && { 'last-event-id': lastId }) },
    });
    sent.end(body && JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.on('error', () => {});
    const feed = new LiveFeed(sent, response);
    open.add(feed);
    return feed;
  }

  /** Events so far, without comments. */
  get events(): { readonly id?: string; readonly event?: string; readonly data?: string }[] {
    const blocks = this.text.split('\n\n').filter((block) => block !== '' && !block.startsWith(':'));
    return blocks.map((block) =>
      Object.fromEntries(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      ),
    );
  }

  get results(): (string | undefined)[] {
    return this.events.map(({ data }) => data);
  }

  leave(): void {
    this.sent.destroy();
  }
}

const write = async (id: string, keyspace = 'db.things'): Promise<void> => {
  expect((await client.put(`/${keyspace}/${id}`, {})).status).toBe(201);
};

describe('a live query', () => {
  it('sends its result, and a new one when a write changed it', async () => {
    let n = 1;
    script = () => [`{"n":${n}}`];
    const feed = await LiveFeed.open('/db/_query/things');
    expect(feed.response.headers['content-type']).toBe('text/event-stream');
    await expect.poll(() => feed.results).toEqual(['[{"n":1}]']);
    n = 2;
    await write('a');
    await expect.poll(() => feed.results).toEqual(['[{"n":1}]', '[{"n":2}]']);
    expect(new Set(feed.events.map(({ id }) => id)).size).toBe(2);
  });

  it('sends nothing when the result is the same', async () => {
    script = () => ['{"n":1}'];
    const feed = await LiveFeed.open('/db/_query/things');
    await expect.poll(() => ran.length).toBe(1);
    await write('a');
    await expect.poll(() => ran.length).toBe(2);
    await write('b');
    await expect.poll(() => ran.length).toBe(3);
    expect(feed.results).toEqual(['[{"n":1}]']);
  });

  it('runs again only when one of its collections changed', async () => {
    script = () => [];
    await LiveFeed.open('/db/_query/joined');
    await LiveFeed.open('/db/_query', { body: { query: 'SELECT 1 FROM _' } });
    await expect.poll(() => ran.length).toBe(2);
    await write('a', 'db.shop.orders');
    await expect.poll(() => ran.length).toBe(3);
    expect(ran[2]?.statement).toContain('JOIN');
    await write('b', 'db');
    await expect.poll(() => ran.length).toBe(4);
    expect(ran[3]?.statement).toBe('SELECT 1 FROM _');
  });

  it('leaves out the result that the client has', async () => {
    let n = 1;
    script = () => [`{"n":${n}}`];
    const first = await LiveFeed.open('/db/_query/things');
    await expect.poll(() => first.events.length).toBe(1);
    const lastId = first.events[0]!.id!;
    first.leave();
    const second = await LiveFeed.open('/db/_query/things', { lastId });
    n = 2;
    await write('a');
    await expect.poll(() => second.results).toEqual(['[{"n":2}]']);
  });

  it('runs once for all clients that ask the same', async () => {
    let n = 1;
    script = () => [`{"n":${n}}`];
    const feeds: LiveFeed[] = [];
    for (let count = 0; count < 5; count++) feeds.push(await LiveFeed.open('/db/_query/things'));
    await expect.poll(() => feeds.every(({ results }) => results.length === 1)).toBe(true);
    n = 2;
    await write('a');
    await expect.poll(() => feeds.every(({ results }) => results.length === 2)).toBe(true);
    expect(ran.length).toBe(2);
    const tasks = (await client.get('/_active_tasks')).json as { type: string; query: string; ks: string }[];
    expect(tasks.filter(({ type }) => type === 'query')).toMatchObject(
      Array.from({ length: 5 }, () => ({ ks: 'db', query: 'things' })),
    );
    expect((await client.get('/_metrics')).text).toMatch(/^edgesync_live_queries 5$/m);
  });

  it('distinguishes parameters, and passes them on', async () => {
    script = ({ options }) => [`{"p":${options.parameters!}}`];
    const feeds = [await LiveFeed.open('/db/_query/things?a=1'), await LiveFeed.open('/db/_query/things?a=1.0')];
    await expect.poll(() => feeds.map(({ results }) => results)).toEqual([['[{"p":{"a":1}}]'], ['[{"p":{"a":1.0}}]']]);
  });

  it('changes that come while it runs make it run once more', async () => {
    const gate = Promise.withResolvers<void>();
    script = async function* () {
      if (ran.length === 2) await gate.promise;
      yield `{"run":${ran.length}}`;
    };
    const feed = await LiveFeed.open('/db/_query/things');
    await write('a');
    await expect.poll(() => ran.length).toBe(2);
    for (const id of ['b', 'c', 'd']) await write(id);
    gate.resolve();
    await expect.poll(() => feed.results.length).toBe(3);
    expect(ran.length).toBe(3);
  });

  it('is refused like any query if its first run fails', async () => {
    script = () => {
      throw new EdgeError('query.parameter', 'missing query parameter $a');
    };
    const headers = { accept: 'text/event-stream' };
    const answer = await client.get('/db/_query/things', { headers });
    expect([answer.status, answer.json.reason]).toEqual([400, 'missing query parameter $a']);
    expect((await client.get('/db/_query/nothing', { headers })).status).toBe(404);
    expect((await client.post('/frozen/_query', { query: 'SELECT 1 FROM _' }, { headers })).status).toBe(403);
    expect(gateway.audit.findLast(({ id }) => id === 57363)).toMatchObject({ live: true, status: 400 });
  });

  it('ends with an error event if it fails later', async () => {
    let fails = false;
    script = () => {
      if (fails) throw new EdgeError('query.runtime', 'the reason');
      return ['{"n":1}'];
    };
    const feed = await LiveFeed.open('/db/_query/things');
    await expect.poll(() => feed.events.length).toBe(1);
    fails = true;
    await write('a');
    await feed.ended;
    expect(feed.events[1]).toMatchObject({ event: 'error', data: expect.stringContaining('"the reason"') as string });
    // Others may start it again.
    fails = false;
    const again = await LiveFeed.open('/db/_query/things');
    await expect.poll(() => again.results).toEqual(['[{"n":1}]']);
  });

  it('goes on after storage was away', async () => {
    let n = 1;
    let failures = 0;
    script = () => {
      if (failures-- > 0) throw new EdgeError('storage.unavailable');
      return [`{"n":${n}}`];
    };
    const feed = await LiveFeed.open('/db/_query/things');
    await expect.poll(() => feed.events.length).toBe(1);
    n = 2;
    failures = 1;
    await write('a');
    await expect.poll(() => feed.results, { timeout: 10_000 }).toEqual(['[{"n":1}]', '[{"n":2}]']);
  });

  it('stops when its last client leaves, also during the first run', async () => {
    const stopped = Promise.withResolvers<void>();
    script = async function* ({ options: { signal } }) {
      await new Promise((_, reject) =>
        signal!.addEventListener('abort', () => {
          stopped.resolve();
          reject(signal!.reason as Error);
        }),
      );
    };
    const sent = request(`${gateway.url}/db/_query/things`, { headers: { accept: 'text/event-stream' } });
    sent.on('error', () => {}).end();
    await expect.poll(() => ran.length).toBe(1);
    sent.destroy();
    await stopped.promise;

    script = () => ['{"n":1}'];
    const feed = await LiveFeed.open('/db/_query/things');
    await expect.poll(() => feed.events.length).toBe(1);
    feed.leave();
    await expect.poll(async () => (await client.get('/_metrics')).text).toMatch(/^edgesync_live_queries 0$/m);
    const runs = ran.length;
    await write('a');
    expect((await client.get('/db.things/a')).status).toBe(200);
    expect(ran.length).toBe(runs);
  });

  it('ends when the server stops', async () => {
    script = () => ['{"n":1}'];
    const feed = await LiveFeed.open('/db/_query/things');
    await expect.poll(() => feed.events.length).toBe(1);
    const closed = gateway.app.close();
    await feed.ended;
    await closed;
    expect(feed.response.complete).toBe(true);
  });

  it('answers HEAD without a feed', async () => {
    script = () => [];
    const { status, headers } = await client.head('/db/_query/things', { headers: { accept: 'text/event-stream' } });
    expect([status, headers['content-type']]).toEqual([200, 'text/event-stream']);
    expect((await client.get('/_metrics')).text).toMatch(/^edgesync_live_queries 0$/m);
  });

  it.each([
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['application/json, text/event-stream', 'application/json'],
    ['Text/Event-Stream;q=0.9, application/json', 'text/event-stream'],
  ])('is asked for by Accept: %s → %s', async (accept, type) => {
    script = () => [];
    const { headers } = await client.head('/db/_query/things', { headers: { accept } });
    expect(headers['content-type']).toBe(type);
  });

  it('ends when its user loses the right to run it', async () => {
    const password = await hashPassword('pw');
    const users = (entries: object): Users => {
      const read = readUsers(JSON.stringify(entries), 'users.json');
      if (!read.ok) throw new Error('the example is faulty');
      return read.value;
    };
    await using enforced = await startGateway({
      config: { users: 'users.json', enable_anonymous_users: false, enable_user_access_control: true },
      users: { alice: { password, access: { 'db.*': ['read'] } } },
      database: { queries: { all: 'SELECT 1 FROM _' } },
      wrap: (storage) => scriptQueries(storage, () => []),
    });
    const headers = {
      accept: 'text/event-stream',
      authorization: `Basic ${Buffer.from('alice:pw').toString('base64')}`,
    };
    const feed = await fetch(`${enforced.url}/db/_query/all`, { headers });
    expect(feed.status).toBe(200);
    const authenticator = enforced.app.get<Authenticator>(AUTHENTICATOR);
    authenticator.replaceUsers(users({ alice: { password, access: {} } }));
    await feed.text();
    expect((await fetch(`${enforced.url}/db/_query/all`, { headers })).status).toBe(403);
  });
});
