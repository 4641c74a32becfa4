import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { SqliteStorage } from '@edgesync/storage-sqlite';
import { LinkProxy } from '@edgesync/test-kit';
import { OddServer } from '../testing/odd-server.js';
import { runServer, temporaryStorage } from '../testing/running-server.js';
import { HASTY, startReplication, until } from '../testing/started-replication.js';

const OPEN = {
  enable_anonymous_users: true,
  databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
};
const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };

const edits = (prefix: string, count: number, size = 500, text = 'x'.repeat(size)) =>
  Array.from({ length: count }, (_, n) => ({
    type: 'edit' as const,
    keyspace: DEFAULT,
    id: `${prefix} ${n}`,
    deleted: false,
    body: JSON.stringify({ n, text }),
  }));

async function putBlobDocument(storage: SqliteStorage, id: string, seed: number): Promise<string> {
  const bytes = new Uint8Array(600_000).map((_, index) => ((index + seed) * 7919) >> 3);
  const blob = await storage.putBlob('db', bytes);
  const body = JSON.stringify({ pic: { '@type': 'blob', content_type: 'image/png', ...blob } });
  await storage.write('db', [{ type: 'edit', keyspace: DEFAULT, id, deleted: false, body }]);
  return blob.digest;
}

async function contents(storage: SqliteStorage): Promise<unknown> {
  const { rows } = await storage.changes(DEFAULT, { since: 0, limit: 1_000_000 });
  return rows.map(({ id, vector, body }) => [id, vector.split(/[,;]/)[0], body]).sort();
}

/** Sockets of this process, in whatever state. */
const openHandles = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

describe('a connection that falls silent without a word', () => {
  it.each([
    ['during the upgrade', { up: 1 }],
    ['during getCollections', { down: 140 }],
    ['during getCollections, on the way there', { up: 400 }],
    ['in the middle of documents that go up', { up: 60_000 }],
    ['in the middle of documents that come down', { down: 60_000 }],
    ['in the middle of a blob that goes up', { up: 700_000 }],
    ['in the middle of a blob that comes down', { down: 700_000 }],
  ])('%s, is given up; the next one goes on, and nothing is left behind', async (_, limit) => {
    const before = openHandles();
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await local.write('db', edits('up', 400));
    await server.storage.write('db', edits('down', 400));
    const digests = [await putBlobDocument(local, 'up blob', 1), await putBlobDocument(server.storage, 'down blob', 2)];
    await using link = await LinkProxy.to(server.port);
    link.silenceOnceAfter(limit);
    await using started = startReplication(local, link.port, {}, HASTY);
    await until(async () => (await server.storage.collection(DEFAULT)).documents === 802);
    await until(async () => (await local.collection(DEFAULT)).documents === 802);
    await started.idle();
    expect(started.log.join()).toMatch(/offline: .*next attempt in/);
    expect(link.connections).toBeGreaterThanOrEqual(2);
    expect(await contents(local)).toEqual(await contents(server.storage));
    for (const storage of [local, server.storage]) expect(await storage.missingBlobs('db', digests)).toEqual([]);
    await until(() => link.openSockets <= 2);
    await started.replication.stop();
    await until(() => link.openSockets === 0);
    await until(() => openHandles() <= before);
  });

  it('before the last answers and the checkpoint, is given up, and nothing is sent again', async () => {
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await local.write('db', edits('up', 50));
    await using link = await LinkProxy.to(server.port);
    await using started = startReplication(local, link.port, {}, HASTY);
    await until(async () => (await server.storage.collection(DEFAULT)).documents === 50);
    link.silence();
    await until(() => started.replication.activity === 'Offline');
    expect(started.replication.failure).toMatchObject({ kind: 'transient' });
    expect(started.replication.nextRetry).toBeDefined();
    link.restore();
    await started.idle();
    expect(started.replication.traffic.documents).toEqual({ sent: 50, received: 0 });
    expect((await server.storage.collection(DEFAULT)).lastSequence).toBe(50);
    await until(() => link.openSockets <= 2);
  });
});

describe('a server that does not speak', () => {
  /** Writes a text for ever, a byte at a time. */
  const drip = (text: string) => (socket: Socket) => {
    socket.write(text);
    const timer = setInterval(() => socket.write('x'), 5);
    socket.on('close', () => clearInterval(timer));
  };

  it.each<[string, (socket: Socket) => void, object]>([
    ['takes the connection and says nothing', () => {}, { domain: 5, code: 3 }],
    ['drips a header', drip('HTTP/1.1 101 Switching Protocols\r\nX-Header: '), { domain: 5, code: 3 }],
    ['drips a refusal', drip('HTTP/1.1 503 Unavailable\r\nX-Header: '), { domain: 5, code: 3 }],
    ['drips its text', drip('HTTP/1.1 503 Unavailable\r\nContent-Length: 900\r\n\r\n'), { domain: 5, code: 3 }],
    ['answers garbage', (socket) => void socket.write('\x16\x03\x01 garbage\r\n\r\n'), { domain: 6, code: 1002 }],
    ['hangs up at once', (socket) => void socket.destroy(), { domain: 5, code: 18 }],
    ['hangs up in the middle of the answer', (socket) => void socket.end('HTTP/1.1 101 Swi'), {}],
  ])('%s: the replication is offline and tries again, and keeps no connection', async (_, handle, expected) => {
    await using server = await OddServer.start(handle);
    await using local = await temporaryStorage();
    await using started = startReplication(local, server.port, {}, HASTY);
    await until(() => started.replication.activity === 'Offline');
    expect(started.replication.failure).toMatchObject(expected);
    expect(started.replication.failure!.kind).not.toBe('permanent');
    await until(() => server.connections >= 3);
    await started.replication.stop();
    expect(started.replication.activity).toBe('Stopped');
    await until(() => server.open === 0);
  });

  // docs/protocol/connection.md#sub-protocols
  it.each<[string, (accept: string) => string]>([
    ['another accept', () => 'Sec-WebSocket-Accept: AAAA\r\nSec-WebSocket-Protocol: BLIP_3+CBMobile_3\r\n'],
    ['no sub-protocol', (accept) => `Sec-WebSocket-Accept: ${accept}\r\n`],
    ['another sub-protocol', (accept) => `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: BLIP_9\r\n`],
  ])('answers the upgrade with %s: that is no server of ours', async (_, headersFor) => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
    await using server = await OddServer.start((socket) =>
      socket.once('data', (request: Buffer) => {
        const [, key] = /^Sec-WebSocket-Key: (\S+)/im.exec(request.toString('latin1'))!;
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        socket.write(`${head}${headersFor(accept)}\r\n`);
      }),
    );
    await using local = await temporaryStorage();
    await using started = startReplication(local, server.port, {}, HASTY);
    expect(await started.replication.ended).toMatchObject({ domain: 6, code: 1002, kind: 'permanent' });
    await until(() => server.open === 0);
  });

  it('is left at once when the replication is stopped', async () => {
    await using server = await OddServer.start(() => {});
    await using local = await temporaryStorage();
    await using started = startReplication(local, server.port);
    await until(() => server.connections === 1);
    await started.replication.stop();
    await until(() => server.open === 0);
  });
});
