import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CheckedClient } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

let gateway: TestGateway;
let client: CheckedClient;

beforeAll(async () => {
  gateway = await startGateway({
    database: {
      enable_adhoc_queries: true,
      // More than the buffers of sockets hold.
      queries: { all: `SELECT a, ${Array(8).fill('a.text').join(' || ')} AS long FROM _ a` },
      query_limits: { running: 1, waiting: 0, timeout: 60_000, held_rows: 9_000, live_interval: 10 },
    },
    databases: {
      hurried: { enable_client_writes: true, enable_adhoc_queries: true, query_limits: { timeout: 200 } },
    },
  });
  client = new CheckedClient(gateway.url);
  const docs = Array.from({ length: 4_000 }, (_, index) => ({ _id: `doc${index}`, n: index, text: 'x'.repeat(1_000) }));
  for (const name of ['db', 'hurried']) expect((await client.post(`/${name}/_bulk_docs`, { docs })).status).toBe(201);
});
afterAll(() => gateway[Symbol.asyncDispose]());

const idle = (): Promise<void> => expect.poll(() => gateway.storage.queryLoad('running').flat()).not.toContain(1);

const query = (statement: string): ReturnType<CheckedClient['post']> => client.post('/db/_query', { query: statement });

/** A request whose reply is not read until the test does. */
async function open(path: string): Promise<IncomingMessage> {
  const sent = request(`${gateway.url}${path}`);
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

describe('a statement', () => {
  it('stops when its client leaves, and makes room for another', async () => {
    const held = await open('/db/_query/all');
    const refused = await query('SELECT 1 FROM _');
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    held.destroy();
    await idle();
    expect((await query('SELECT COUNT(*) AS n FROM _')).text).toBe('[{"n":4000}]');
  });

  it('waits for a slow reader, and is whole', async () => {
    await idle();
    const held = await open('/db/_query/all');
    const bytes = Buffer.concat(await held.toArray());
    expect((JSON.parse(bytes.toString()) as unknown[]).length).toBe(4_000);
  });

  it('that takes longer than its time is stopped with the reason', async () => {
    const statement = 'SELECT COUNT(*) AS n FROM _ a CROSS JOIN _ b CROSS JOIN _ c WHERE a.n + b.n + c.n < 0';
    const { status, json } = await client.post('/hurried/_query', { query: statement });
    expect([status, json.reason]).toEqual([400, 'the statement took longer than 0.2 s']);
  });

  it('that would hold too many rows is refused with the limit', async () => {
    await idle();
    const { status, json } = await query('SELECT a.n FROM _ a JOIN _ b ON a.text = b.text ORDER BY a.n, b.n');
    expect([status, json.reason]).toEqual([400, expect.stringMatching(/9,?000/)]);
  });

  it.each([
    ["SELECT REGEXP_REPLACE($p, 'x', $p) AS r FROM _ WHERE META().id = 'doc1'", 20_000, 'characters'],
    ["SELECT REGEXP_REPLACE('x', 'x', $p) AS r FROM _ WHERE META().id = 'doc1'", 5_000_000, undefined],
    ["SELECT $p||$p||$p||$p AS a, a||a||a||a AS b FROM _ WHERE META().id = 'doc1'", 2_000_000, 'characters'],
    [
      `SELECT ${Array.from({ length: 70 }, (_, index) => `$p AS c${index}`).join()} FROM _ WHERE META().id = 'doc1'`,
      1_000_000,
      'a row of the result',
    ],
  ])('%s with a parameter of %d characters leaves the server running', async (statement, length, reason) => {
    await idle();
    const { status, json } = await client.post('/db/_query', {
      query: statement,
      parameters: { p: 'x'.repeat(length) },
    });
    if (reason === undefined) expect(status).toBe(200);
    else expect([status, json.reason]).toEqual([400, expect.stringContaining(reason)]);
    await idle();
    expect((await query('SELECT COUNT(*) AS n FROM _')).text).toBe('[{"n":4000}]');
  });

  it.each([
    ['SELECT $a FROM _', 400, 'missing'],
    ['SELECT n FROM', 400, 'line 1, column 14'],
    ['SELECT n FROM nowhere', 400, 'no such collection "nowhere"'],
    ["SELECT n FROM _ WHERE MATCH(words, 'x')", 400, 'words'],
    ['SELECT n FROM _ LIMIT 1 + 0.5', 400, 'LIMIT'],
  ])('%s is refused with %d: %s', async (statement, status, reason) => {
    await idle();
    const answer = await query(statement);
    expect([answer.status, answer.json.reason]).toEqual([status, expect.stringContaining(reason)]);
  });
});

it('a live query follows documents, their deletion and their expiry', async () => {
  await idle();
  const live = await fetch(`${gateway.url}/db.things/_query`, {
    method: 'POST',
    headers: { accept: 'text/event-stream' },
    body: JSON.stringify({ query: 'SELECT META().id, v FROM _ ORDER BY v' }),
  });
  let text = '';
  const reading = (async () => {
    for await (const chunk of live.body!) text += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => {});
  const results = (): unknown[] => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as unknown);
  await expect.poll(results).toEqual([[]]);
  const put = await client.put('/db.things/a', { v: 1 });
  await expect.poll(() => results().at(-1)).toEqual([{ id: 'a', v: 1 }]);
  await client.put('/db.things/b?ttl=60', { v: 0 });
  await expect
    .poll(() => results().at(-1))
    .toEqual([
      { id: 'b', v: 0 },
      { id: 'a', v: 1 },
    ]);
  await client.delete(`/db.things/a?rev=${put.json.rev}`);
  await expect.poll(() => results().at(-1)).toEqual([{ id: 'b', v: 0 }]);
  gateway.advance(61);
  await expect.poll(() => results().at(-1)).toEqual([]);
  await live.body!.cancel().catch(() => {});
  await gateway.app.close();
  await reading;
});
