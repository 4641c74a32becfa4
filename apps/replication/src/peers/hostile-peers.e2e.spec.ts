import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { systemScheduler } from '@edgesync/async';
import { describe, expect, it } from 'vitest';
import { BlipConnection, FrameEncoder, Properties } from '@edgesync/blip';
import { ActiveSession, StoredCheckpoints } from '@edgesync/replicator';
import { dial, type WsTransport } from '@edgesync/socket-ws';
import { contextOf, rawUpgrade, runServer, temporaryStorage, type RunningServer } from '../testing/running-server.js';

const open = {
  enable_anonymous_users: true,
  databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
};
const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };
const PROTOCOLS = ['BLIP_3+CBMobile_4'];

const urlOf = ({ port }: RunningServer): string => `ws://127.0.0.1:${port}/db/_blipsync`;

/** Expects that an ordinary app can sync now. */
async function expectService(server: RunningServer): Promise<void> {
  await using client = await temporaryStorage();
  await client.write('db', [
    { type: 'edit', keyspace: DEFAULT, id: `doc ${Math.random()}`, deleted: false, body: '{}' },
  ]);
  const replication = new ActiveSession(await dial(urlOf(server), { protocols: PROTOCOLS }), {
    context: contextOf(client),
    version: 4,
    database: 'db',
    collections: [{ local: DEFAULT, checkpointId: 'cp-honest' }],
    push: true,
    pull: false,
    continuous: false,
    checkpoints: new StoredCheckpoints(client),
  });
  expect((await replication.ended).error).toBeUndefined();
  expect(replication.traffic.sent).toBe(1);
}

/** One message as a single frame. */
function frameOf(encoder: FrameEncoder, number: number, properties: Properties, body = new Uint8Array(0)): Uint8Array {
  const payload = Buffer.concat([properties.encode(), body]);
  const source = {
    takeInto: (target: Uint8Array, at: number, count: number) => target.set(payload.subarray(0, count), at),
  };
  return encoder.encode(number, 0, source, payload.length, false);
}

/** A connection whose incoming bytes nobody reads. */
async function deafPeer(server: RunningServer): Promise<{ transport: WsTransport; send: (...text: string[]) => void }> {
  const transport = await dial(urlOf(server), { protocols: PROTOCOLS });
  const encoder = new FrameEncoder();
  let number = 0;
  return { transport, send: (...text) => transport.send(frameOf(encoder, ++number, Properties.of(...text))) };
}

describe('others go on unharmed while', () => {
  it('a peer pulls and never reads', async () => {
    await using server = await runServer(open);
    const body = JSON.stringify({ text: 'x'.repeat(20_000) });
    for (let n = 0; n < 20; n++)
      await server.storage.write(
        'db',
        Array.from(
          { length: 50 },
          (_, k) => ({ type: 'edit', keyspace: DEFAULT, id: `${n} ${k}`, deleted: false, body }) as const,
        ),
      );
    const { transport, send } = await deafPeer(server);
    send('Profile', 'subChanges', 'continuous', 'true');
    await expectService(server);
    await expectService(server);
    transport.terminate();
  });

  it('a peer sends what is no BLIP, and is cut off', async () => {
    await using server = await runServer(open);
    for (const frame of [
      [0x80],
      [1, 0, 1, 2],
      [0xff, 0xff, 0xff],
      [5, 0, 0, 1, 2, 3, 4],
      [1, 8, 0xff, 0xff, 1, 2, 3, 4],
    ]) {
      const transport = await dial(urlOf(server), { protocols: PROTOCOLS });
      const connection = new BlipConnection(transport, { scheduler: systemScheduler, onRequest: () => {} });
      transport.send(Uint8Array.from(frame));
      const { code, by } = await connection.closed;
      expect([1002, 1009, 1011]).toContain(code);
      expect(by).toBe('peer');
    }
    await expectService(server);
    expect(server.sessions.list().length).toBeLessThanOrEqual(1);
  });

  it('a peer numbers its requests wrongly, and is cut off', async () => {
    await using server = await runServer(open);
    const { transport, send } = await deafPeer(server);
    const closed = new Promise<number>((resolve) =>
      transport.attach({ onFrame: () => {}, onDrain: () => {}, onClose: (code) => resolve(code) }),
    );
    send('Profile', 'PING');
    const piece = new Uint8Array(16_000);
    const encoder = new FrameEncoder();
    const head = frameOf(encoder, 1, Properties.of('Profile', 'rev'), piece);
    head[1] = 0x40;
    transport.send(head);
    expect(await closed).toBeGreaterThanOrEqual(1002);
    await expectService(server);
  });

  it('a peer asks for 10,000 collections, and is refused', async () => {
    await using server = await runServer(open);
    const transport = await dial(urlOf(server), { protocols: PROTOCOLS });
    const connection = new BlipConnection(transport, { scheduler: systemScheduler, onRequest: () => {} });
    const collections = Array.from({ length: 10_000 }, (_, n) => `c${n}`);
    const { error } = await connection.request({
      properties: Properties.of('Profile', 'getCollections'),
      body: new TextEncoder().encode(JSON.stringify({ collections, checkpoint_ids: collections })),
    });
    expect(error).toMatchObject({ domain: 'HTTP', code: 400, message: 'more than 1000 collections' });
    await expectService(server);
    await connection.close();
  });

  it('many sockets are open that say nothing', async () => {
    await using server = await runServer(open);
    const sockets: Socket[] = [];
    for (let n = 0; n < 1_000; n++) {
      const socket = connect(server.port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      sockets.push(socket);
    }
    await expectService(server);
    for (const socket of sockets) socket.destroy();
  });

  it('apps vanish in the middle of an upgrade', async () => {
    await using server = await runServer(open);
    for (let n = 0; n < 50; n++) {
      const socket = connect(server.port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      socket.write('GET /db/_blipsync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n');
      if (n % 2) socket.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: IQrhYJP/syolmKpKaCJucA==\r\n\r\n');
      socket.destroy();
    }
    const { head, socket } = await rawUpgrade(server.port, '/db/_blipsync', { 'Sec-WebSocket-Key': 'short' });
    socket.destroy();
    expect(head).toContain('HTTP/1.1 400');
    await expectService(server);
  });
});
