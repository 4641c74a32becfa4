import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { hashPassword } from '@edgesync/auth';
import { EdgeError } from '@edgesync/errors';
import type { IndexStatus } from '@edgesync/ports';
import { CheckedClient } from '../testing/checked-client.js';
import { scriptQueries, SUMMARY, type RunStatement, type Script } from '../testing/scripted-queries.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

const NAMED = {
  in_city: 'SELECT name FROM _ WHERE city = $city AND age > $opt_age',
  orders: { statement: 'SELECT * FROM shop.orders', allow: { collections: ['shop.orders'] } },
  things: { statement: 'SELECT * FROM things', allow: { collections: ['things', 'shop.orders'] } },
};

let script: Script;
const ran: RunStatement[] = [];
let summary = SUMMARY;
let indexes: readonly IndexStatus[] = [];

const start = (options: Parameters<typeof startGateway>[0] = {}): Promise<TestGateway> =>
  startGateway({
    ...options,
    database: { enable_adhoc_queries: true, queries: NAMED, ...options.database },
    wrap: (storage) =>
      scriptQueries(
        storage,
        (run) => {
          ran.push(run);
          return script(run);
        },
        { summary: () => summary, indexes: () => indexes },
      ),
  });

afterEach(() => {
  ran.length = 0;
  summary = SUMMARY;
});

describe('queries', () => {
  let gateway: TestGateway;
  let client: CheckedClient;
  beforeAll(async () => {
    gateway = await start({
      config: { logging: { domains: { Query: 'info' } } },
      database: { query_limits: { slow: 500 }, indexes: { by_n: { expressions: ['n'] } } },
    });
    client = new CheckedClient(gateway.url);
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  it('return the rows as a bare array, as storage spells them', async () => {
    script = () => ['{"n":1.0},{"n":9007199254740993}', '{"n":null}'];
    const { status, text, headers } = await client.post('/db/_query', { query: 'SELECT n FROM _' });
    expect([status, text]).toEqual([200, '[{"n":1.0},{"n":9007199254740993},{"n":null}]']);
    expect(headers['content-length']).toBe(String(text.length));
    expect(ran).toMatchObject([{ keyspace: { database: 'db', collection: '_default' }, statement: 'SELECT n FROM _' }]);
  });

  it('return an empty array for no rows', async () => {
    script = () => [];
    expect((await client.post('/db.things/_query', { query: 'SELECT 1 FROM _' })).text).toBe('[]');
    expect(ran[0]?.keyspace).toMatchObject({ collection: 'things' });
  });

  it.each([
    ['{"query":"q","parameters":{"a":1.0,"b":9007199254740993}}', '{"a":1.0,"b":9007199254740993}'],
    ['{"query":"q","params":{"a":[true]}}', '{"a":[true]}'],
    ['{"query":"q","parameters":{"a":1},"params":{"a":2}}', '{"a":1}'],
    ['{"query":"q","parameters":null,"params":{"a":2}}', '{"a":2}'],
    ['{"query":"q"}', undefined],
  ])('take parameters from the body %s', async (body, parameters) => {
    script = () => [];
    expect((await client.post('/db/_query', body)).status).toBe(200);
    expect(ran[0]?.options.parameters).toBe(parameters);
  });

  it.each([
    ['', 'invalid JSON'],
    ['[]', 'the body must be a JSON object'],
    ['{}', 'the body has no "query"'],
    ['{"query":null}', 'the body has no "query"'],
    ['{"query":["SELECT"]}', '"query" must be a string'],
    ['{"query":"q","parameters":[1]}', '"parameters" must be an object'],
  ])('refuse the body %j', async (body, reason) => {
    const answer = await client.post('/db/_query', body);
    expect([answer.status, answer.json.reason]).toEqual([400, expect.stringContaining(reason)]);
    expect(ran).toEqual([]);
  });

  it.each([
    ['city=airport', '{"city":"airport"}'],
    ['city=12&b=1.50&c=true&d=null&e=-0.5e3', '{"city":12,"b":1.50,"c":true,"d":null,"e":-0.5e3}'],
    ['city=%22two+words%22&b=007&c=%5B1%5D', '{"city":"two words","b":"007","c":"[1]"}'],
    ['city=%22open&b=', '{"city":"\\"open","b":""}'],
    ['', '{}'],
  ])('named in the URL take the parameters %s', async (query, parameters) => {
    script = () => ['{"name":"x"}'];
    expect((await client.get(`/db.things/_query/in_city?${query}`)).text).toBe('[{"name":"x"}]');
    expect(ran).toMatchObject([
      { keyspace: { collection: 'things' }, statement: NAMED.in_city, options: { parameters } },
    ]);
  });

  it.each([
    ['{"city":1.0}', '{"city":1.0}'],
    ['', undefined],
  ])('named with the body %j take its members as parameters', async (body, parameters) => {
    script = () => [];
    expect((await client.post('/db/_query/in_city', body)).status).toBe(200);
    expect(ran[0]?.options.parameters).toBe(parameters);
  });

  it('answer 404 for a name that does not exist', async () => {
    for (const answer of [await client.get('/db/_query/nothing'), await client.post('/db/_query/nothing', {})])
      expect([answer.status, answer.json.reason]).toEqual([404, 'no query "nothing"']);
  });

  it('are not enabled in a database whose configuration has none', async () => {
    const answers = [
      await client.post('/frozen/_query', { query: 'SELECT 1 FROM _' }),
      await client.get('/frozen/_query/x'),
      await client.post('/frozen/_query/x', {}),
      await client.post('/frozen/_explain', { query: 'SELECT 1 FROM _' }),
      await client.post('/frozen/_explain', { name: 'x' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    expect((await client.get('/frozen/_query')).json).toEqual([]);
  });

  it.each(['/nowhere/_query', '/db.nothing/_query/in_city', '/partial/_query'])(
    'of a keyspace that does not exist are 404: %s',
    async (path) => {
      expect((await client.post(path, {})).status).toBe(404);
    },
  );

  it.each([
    ['query.syntax', 400],
    ['query.parameter', 400],
    ['query.timeout', 400],
    ['query.overloaded', 503],
    ['storage.unavailable', 503],
  ] as const)('that fail with %s before the first row are answered with %d', async (code, status) => {
    script = () => {
      throw new EdgeError(code, 'the reason');
    };
    const answer = await client.get('/db/_query/in_city');
    expect([answer.status, answer.json.reason]).toEqual([status, 'the reason']);
    expect(gateway.audit.at(-2)).toMatchObject({ id: 57363, query: 'in_city', adhoc: false, status });
  });

  it('that fail soon after the first row are answered with the error, too', async () => {
    script = function* () {
      yield '{"n":1}';
      throw new EdgeError('query.runtime', 'the reason');
    };
    expect((await client.post('/db/_query', { query: 'q' })).status).toBe(400);
  });

  it('answer HEAD without running to the end', async () => {
    let isEnded = false;
    script = function* () {
      try {
        yield '{"n":1}';
        yield '{"n":2}';
      } finally {
        isEnded = true;
      }
    };
    const { status, text, headers } = await client.head('/db/_query/in_city');
    expect([status, text, headers['content-type'], isEnded]).toEqual([200, '', 'application/json', true]);
  });

  it('send the first rows before the last is known', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    script = async function* () {
      yield '{"n":1}';
      await promise;
      yield '{"n":2}';
    };
    const sent = request(`${gateway.url}/db/_query/in_city`);
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const [first] = (await once(response, 'data')) as [Buffer];
    expect(first.toString()).toBe('[{"n":1}');
    resolve();
    let rest = '';
    for await (const chunk of response) rest += String(chunk);
    expect(rest).toBe(',{"n":2}]');
  });

  it('that fail after rows were sent break the reply off', async () => {
    const { promise, reject } = Promise.withResolvers<void>();
    script = async function* () {
      yield '{"n":1}';
      await promise;
    };
    const sent = request(`${gateway.url}/db/_query/in_city`);
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    await once(response, 'data');
    reject(new EdgeError('query.timeout'));
    await expect(response.toArray()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it.each(['before the first row', 'after it'])('stop when their client leaves %s', async (when) => {
    const stopped = Promise.withResolvers<unknown>();
    script = async function* ({ options: { signal } }) {
      if (when === 'after it') yield '{"n":1}';
      signal!.addEventListener('abort', () => stopped.resolve(signal!.reason));
      await new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)));
    };
    const sent = request(`${gateway.url}/db/_query/in_city`).on('error', () => {});
    sent.end();
    if (when === 'after it') await once(sent, 'response');
    else await expect.poll(() => ran.length).toBe(1);
    const failures = gateway.log.length;
    sent.destroy();
    expect(await stopped.promise).toMatchObject({ name: 'ClientGoneError' });
    expect((await client.get('/_health')).status).toBe(200);
    expect(gateway.log.slice(failures).filter((line) => line.includes('failed'))).toEqual([]);
  });

  it('are explained', async () => {
    script = () => [];
    const plan = { plan: SUMMARY.plan, hints: SUMMARY.hints };
    const adHoc = await client.post('/db/_explain', { query: 'SELECT 1 FROM _', parameters: { a: 1 } });
    expect([adHoc.status, adHoc.json]).toEqual([200, plan]);
    expect((await client.post('/db/_explain', { name: 'in_city' })).json).toEqual(plan);
    expect(ran.map(({ statement, options }) => [statement, options.parameters])).toEqual([
      ['SELECT 1 FROM _', '{"a":1}'],
      [NAMED.in_city, undefined],
    ]);
    expect((await client.post('/db/_explain', { name: 'nothing' })).status).toBe(404);
    expect((await client.post('/db/_explain', { name: 'in_city', query: 'q' })).status).toBe(400);
  });

  it('are listed with their parameters', async () => {
    expect((await client.get('/db/_query')).json).toEqual([
      { name: 'in_city', parameters: ['city'], optional: ['opt_age'] },
      { name: 'orders', parameters: [], optional: [] },
      { name: 'things', parameters: [], optional: [] },
    ]);
  });

  it('show the indexes that are being built among the active tasks', async () => {
    const index = { name: 'by_n', collection: { scope: 'shop', collection: 'orders' }, type: 'value' } as const;
    const tasks = async (): Promise<unknown> => (await client.get('/_active_tasks')).json;
    indexes = [{ ...index, state: 'building', done: 20, total: 90 }];
    const shown = { type: 'index', ks: 'db.shop.orders', index: 'by_n', done: 20, total: 90 };
    const [first] = (await tasks()) as { task_id: number }[];
    expect(first).toMatchObject(shown);
    indexes = [{ ...index, state: 'building', done: 30, total: 90 }];
    expect(await tasks()).toMatchObject([{ ...shown, task_id: first?.task_id, done: 30 }]);
    indexes = [{ ...index, state: 'ready', done: 0, total: 0 }];
    expect(await tasks()).toEqual([]);
  });

  it('are audited, the statement itself is not', async () => {
    script = () => [];
    await client.post('/db.shop.orders/_query', { query: "SELECT 'secret' FROM _" });
    const event = gateway.audit.findLast(({ id }) => id === 57363);
    expect(event).toMatchObject({ db: 'db', ks: 'db.shop.orders', adhoc: true, status: 200 });
    expect(JSON.stringify(event)).not.toContain('secret');
  });

  it('that are slow are logged with plan and hint, without text literals', async () => {
    script = () => ['{"n":1},{"n":2}'];
    await client.post('/db/_query', { query: 'SELECT 1 FROM _' });
    expect(gateway.log.filter((line) => line.includes(' Query '))).toEqual([]);
    summary = { ...SUMMARY, seconds: 0.75 };
    await client.post('/db.things/_query', { query: "SELECT `it's`\n FROM _ WHERE a = 'it''s'" });
    await client.get('/db/_query/in_city');
    await expect.poll(() => gateway.log.filter((line) => line.includes(' Query Info ')).length).toBe(2);
    const lines = gateway.log.filter((line) => line.includes(' Query '));
    expect(lines[0]).toContain(
      "ad hoc query on db._default.things: SELECT `it's` FROM _ WHERE a = '…': 2 rows in 0.750 s, 1000 read; " +
        'plan: scan of people; hint: an index on city would help',
    );
    expect(lines[1]).toContain('query "in_city" on db._default: 2 rows');
  });

  it('are counted', async () => {
    script = () => ['{"n":1},{"n":2}'];
    await client.get('/db/_query/in_city');
    const { text } = await client.get('/_metrics');
    expect(text).toMatch(/^edgesync_query_rows_total\{kind="named"\} \d+$/m);
    expect(text).toMatch(/^edgesync_query_failures_total\{kind="named",status="503"\} 2$/m);
    expect(text).toMatch(/^edgesync_query_duration_seconds_count\{kind="adhoc"\} \d+$/m);
  });
});

describe('queries under access control', () => {
  let gateway: TestGateway;
  const as = (name: string): CheckedClient =>
    new CheckedClient(gateway.url, { authorization: `Basic ${Buffer.from(`${name}:pw`).toString('base64')}` });

  beforeAll(async () => {
    const password = await hashPassword('pw');
    gateway = await start({
      config: { enable_user_access_control: true, users: 'users.json', enable_anonymous_users: false },
      users: {
        admin: { password, roles: ['admin'] },
        orders: { password, access: { 'db.shop.orders': ['read'] } },
        things: { password, access: { 'db.things': ['read'], 'db.shop.orders': ['write'] } },
        all: { password, access: { 'db.*': ['read'] } },
        dropbox: { password, access: { 'db.*': ['write'] } },
      },
    });
    script = () => [];
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  it.each([
    ['admin', 'db', 'SELECT 1 FROM shop.orders JOIN things ON 1', 200],
    ['all', 'db', 'SELECT 1 FROM shop.orders JOIN things ON 1', 200],
    ['orders', 'db.shop.orders', 'SELECT 1 FROM _', 200],
    ['orders', 'db.shop.orders', 'SELECT 1 FROM db.shop.orders', 200],
    ['orders', 'db', 'SELECT 1 FROM shop.orders', 403],
    ['orders', 'db.shop.orders', 'SELECT 1 FROM things', 403],
    ['orders', 'db.shop.orders', 'SELECT 1 FROM _ JOIN things ON 1', 403],
    ['orders', 'db.shop.orders', 'SELECT 1 FROM _ WHERE EXISTS (SELECT 1 FROM things)', 403],
    ['orders', 'db.shop.orders', 'SELECT 1 FROM db', 403],
    ['orders', 'db.shop.orders', 'SELECT 1 FROM nothing', 403],
    ['things', 'db.things', 'SELECT 1 FROM shop.orders', 403],
    ['all', 'db.things', 'SELECT 1 FROM db', 200],
    ['orders', 'db.shop.orders', 'SELECT 1 FROM', 400],
    ['dropbox', 'db', 'SELECT 1 FROM _', 403],
  ])('%s on %s may run %s ad hoc: %d', async (name, keyspace, query, status) => {
    expect((await as(name).post(`/${keyspace}/_query`, { query })).status).toBe(status);
    expect((await as(name).post(`/${keyspace}/_explain`, { query })).status).toBe(status);
  });

  it.each([
    ['admin', 'db', 'orders', 200],
    ['orders', 'db.shop.orders', 'orders', 200],
    ['orders', 'db', 'orders', 403],
    ['things', 'db.things', 'orders', 403],
    // One collection of `allow` is enough, and the query may read others.
    ['orders', 'db.shop.orders', 'things', 200],
    // Without `allow`, some collection of the database is.
    ['things', 'db.things', 'in_city', 200],
    ['dropbox', 'db', 'in_city', 403],
    ['things', 'db.things', 'nothing', 404],
  ])('%s on %s may run the query %s: %s', async (name, keyspace, query, status) => {
    expect((await as(name).get(`/${keyspace}/_query/${query}`)).status).toBe(status);
    expect((await as(name).post(`/${keyspace}/_explain`, { name: query })).status).toBe(status);
  });

  it('list what the user may run', async () => {
    const listed = async (name: string, keyspace: string): Promise<string[]> =>
      (await as(name).get(`/${keyspace}/_query`)).json.map(({ name: query }: { name: string }) => query);
    expect(await listed('orders', 'db.shop.orders')).toEqual(['in_city', 'orders', 'things']);
    expect(await listed('things', 'db.things')).toEqual(['in_city', 'things']);
    expect((await as('dropbox').get('/db/_query')).status).toBe(403);
  });
});
