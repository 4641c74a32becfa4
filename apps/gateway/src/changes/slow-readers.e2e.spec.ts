import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ChangesOptions, Storage } from '@edgesync/ports';
import { CheckedClient, type Loose } from '../testing/checked-client.js';
import { OpenFeed } from '../testing/feed-client.js';
import { FEED_PIECE_CHARACTERS } from '../tuning.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

const DOCUMENTS = 8_000;
const BODY = 'x'.repeat(2_000);

interface Counted extends TestGateway {
  readonly client: CheckedClient;
  /** Rows that feeds have read from storage. */
  rowsRead(): number;
}

/** A gateway with 16 MB of documents: more than sockets take. */
async function startLarge(): Promise<Counted> {
  let rows = 0;
  const wrap = (storage: Storage): Storage =>
    Object.assign(Object.create(storage) as Storage, {
      changes: async (keyspace: never, options: ChangesOptions) => {
        const page = await storage.changes(keyspace, options);
        rows += page.rows.length;
        return page;
      },
    });
  const gateway = await startGateway({ wrap });
  const client = new CheckedClient(gateway.url);
  for (let from = 0; from < DOCUMENTS; from += 1_000) {
    const docs = Array.from({ length: 1_000 }, (_, index) => ({ _id: `doc-${from + index}`, text: BODY }));
    expect((await client.post('/db/_bulk_docs', { docs })).status).toBe(201);
  }
  return Object.assign(gateway, { client, rowsRead: () => rows });
}

/** A client that asks and does not read. */
async function deaf(port: number, query: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => {});
  socket.pause();
  socket.write(`GET /db/_changes?${query} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return socket;
}

const tasks = async (client: CheckedClient): Promise<Loose[]> => (await client.get('/_active_tasks')).json;

describe('clients that do not read', { timeout: 120_000 }, () => {
  it('are not read for, hold little, do not hinder others, and are gone as soon as they leave', async () => {
    await using gateway = await startLarge();
    const { client } = gateway;
    const accepted: Socket[] = [];
    (gateway.app.getHttpServer() as Server).on('connection', (socket: Socket) => accepted.push(socket));
    const sockets = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        deaf(gateway.port, `feed=${index % 2 ? 'continuous' : 'sse'}&include_docs=true&since=${index * 5}`),
      ),
    );
    await expect.poll(() => tasks(client), { timeout: 60_000 }).toHaveLength(60);
    // Until nothing moves any more.
    let read = -1;
    while (read !== gateway.rowsRead()) {
      read = gateway.rowsRead();
      for (let round = 0; round < 50; round++) await client.get('/');
    }
    expect(read).toBeLessThan(60 * DOCUMENTS * 0.75);
    // What is written for them and not yet in the kernel's hands: a piece or two each, not a page.
    for (const { writableLength } of accepted) expect(writableLength).toBeLessThan(3 * FEED_PIECE_CHARACTERS);
    using live = await OpenFeed.open(`${gateway.url}/db/_changes?feed=continuous&since=now`);
    await client.put('/db/news', {});
    expect(await live.rows(1)).toMatchObject([{ id: 'news' }]);
    live.leave();
    for (const socket of sockets.slice(0, 30)) socket.destroy();
    for (const socket of sockets.slice(30)) socket.end();
    await expect.poll(() => tasks(client), { timeout: 30_000 }).toEqual([]);
    for (const socket of sockets) socket.destroy();
  });

  it('get everything in order when they read after all', async () => {
    await using gateway = await startLarge();
    const { client } = gateway;
    const socket = await deaf(gateway.port, `feed=continuous&include_docs=true&limit=${DOCUMENTS + 1}`);
    await expect.poll(() => tasks(client)).toHaveLength(1);
    let read = -1;
    while (read !== gateway.rowsRead()) {
      read = gateway.rowsRead();
      for (let round = 0; round < 50; round++) await client.get('/');
    }
    expect(read).toBeLessThan(DOCUMENTS);
    await client.put('/db/news', {});
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => void (text += chunk));
    socket.resume();
    await expect.poll(() => text.endsWith('\r\n0\r\n\r\n'), { timeout: 60_000 }).toBe(true);
    const rows = dechunked(text).trim().split('\n');
    const sequences = rows.map((line) => (JSON.parse(line) as { seq: number }).seq);
    expect(sequences).toEqual(Array.from({ length: DOCUMENTS + 1 }, (_, index) => index + 1));
    socket.destroy();
  });
});

/** The body of a reply in chunks; ASCII only. */
function dechunked(reply: string): string {
  let at = reply.indexOf('\r\n\r\n') + 4;
  const parts: string[] = [];
  for (;;) {
    const end = reply.indexOf('\r\n', at);
    const length = Number.parseInt(reply.slice(at, end), 16);
    if (length === 0) return parts.join('');
    parts.push(reply.slice(end + 2, end + 2 + length));
    at = end + 2 + length + 2;
  }
}
