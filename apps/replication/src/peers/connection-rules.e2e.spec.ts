import { once } from 'node:events';
import { systemScheduler } from '@edgesync/async';
import { describe, expect, it } from 'vitest';
import { BlipConnection, FrameDecoder, FrameEncoder, type IncomingRequest, Properties } from '@edgesync/blip';
import { dial } from '@edgesync/socket-ws';
import { WebSocket } from 'ws';
import { runServer, type RunningServer } from '../testing/running-server.js';

const open = {
  enable_anonymous_users: true,
  databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
};
const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };
const PROTOCOL = 'BLIP_3+CBMobile_3';

const urlOf = ({ port }: RunningServer): string => `ws://127.0.0.1:${port}/db/_blipsync`;
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

async function connect(
  server: RunningServer,
  onRequest: (request: IncomingRequest) => void = () => {},
): Promise<BlipConnection> {
  const transport = await dial(urlOf(server), { protocols: [PROTOCOL] });
  return new BlipConnection(transport, { scheduler: systemScheduler, onRequest, compression: 'flagged' });
}

/** A document with a blob of a megabyte that does not compress. */
async function storeBlob(server: RunningServer): Promise<{ digest: string; content: Uint8Array }> {
  let state = 1;
  const content = new Uint8Array(1_000_000).map(() => (state = (state * 48_271) % 2_147_483_647) & 0xff);
  const { digest, length } = await server.storage.putBlob('db', content);
  const body = JSON.stringify({ pic: { '@type': 'blob', digest, length } });
  await server.storage.write('db', [{ type: 'edit', keyspace: DEFAULT, id: 'doc', deleted: false, body }]);
  return { digest, content };
}

describe('a connection', () => {
  // docs/protocol/connection.md#websocket-rules
  it('answers pings and passes text messages over', async () => {
    await using server = await runServer(open);
    const socket = new WebSocket(urlOf(server), [PROTOCOL], { perMessageDeflate: false });
    await once(socket, 'open');
    socket.send('text');
    socket.ping('are you there');
    const [data] = (await once(socket, 'pong')) as [Buffer];
    expect(data.toString()).toBe('are you there');
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.terminate();
  });

  // docs/protocol/blip.md#numbers
  it('starts over with numbers, checksum and compression', async () => {
    await using server = await runServer(open);
    for (let round = 0; round < 3; round++) {
      const connection = await connect(server);
      const body = encode([
        ['doc', '1-aa', ''],
        ['other', '1-bb', ''],
      ]);
      for (let n = 0; n < 3; n++) {
        const reply = await connection.request({
          properties: Properties.of('Profile', 'proposeChanges'),
          body,
          compressed: true,
        });
        expect(new TextDecoder().decode(reply.body)).toBe('[0,0]');
      }
      await connection.close();
    }
  });

  // docs/protocol/blip.md#compression
  it('takes compressed and plain messages mixed, in the order in which they were sent', async () => {
    await using server = await runServer(open);
    const connection = await connect(server);
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        connection.request({
          properties: Properties.of('Profile', 'setCheckpoint', 'client', 'cp', 'rev', n === 0 ? '' : `0-${n}`),
          body: encode({ n, text: 'x'.repeat(n * 50) }),
          compressed: n % 3 !== 0,
        }),
      ),
    );
    expect(replies.map(({ properties }) => properties.get('rev'))).toEqual(replies.map((_, n) => `0-${n + 1}`));
    await connection.close();
  });

  // docs/protocol/blip.md#flow-control
  it('acknowledges what is long and waits for acknowledgements', async () => {
    await using server = await runServer(open);
    const { digest, content } = await storeBlob(server);
    const puller = await connect(server);
    const properties = Properties.of('Profile', 'getAttachment', 'digest', digest, 'docID', 'doc');
    const reply = await puller.request({ properties });
    expect(Buffer.compare(reply.body, content)).toBe(0);
    const other = content.slice(1);
    const pusher = await connect(server, (request) => request.respond({ body: other }));
    const { digest: pushed } = await server.storage.putBlob('db', other);
    const body = encode({ pic: { '@type': 'blob', digest: pushed, length: other.length } });
    await pusher.request({ properties: Properties.of('Profile', 'rev', 'id', 'second', 'rev', '1-aa'), body });
    await Promise.all([puller.close(), pusher.close()]);

    // Somebody who never acknowledges gets 128,000 bytes and a little, in frames of at most 16 KiB, and other answers still.
    const transport = await dial(urlOf(server), { protocols: [PROTOCOL] });
    const decoder = new FrameDecoder();
    const sizes: number[] = [];
    const answered = new Promise<void>((resolve) =>
      transport.attach({
        onFrame: (frame) => {
          sizes.push(frame.length);
          const decoded = decoder.decode(frame);
          if (decoded.kind === 'message' && decoded.number === 3) resolve();
        },
        onDrain: () => {},
        onClose: () => {},
      }),
    );
    const encoder = new FrameEncoder();
    const send = (number: number, message: Properties): void => {
      const payload = message.encode();
      const source = {
        takeInto: (target: Uint8Array, at: number, count: number) => target.set(payload.subarray(0, count), at),
      };
      transport.send(encoder.encode(number, 0, source, payload.length, false));
    };
    send(1, properties);
    send(2, Properties.of('Profile', 'PING'));
    while (sizes.reduce((sum, size) => sum + size, 0) < 128_000) await new Promise((resolve) => setImmediate(resolve));
    send(3, Properties.of('Profile', 'PING'));
    await answered;
    const received = sizes.reduce((sum, size) => sum + size, 0);
    expect(received).toBeLessThan(128_000 + 2 * 16_384);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(16_384);
    transport.terminate();
  });

  // docs/protocol/blip.md#replies
  it('answers every request once, and none that wants no reply', async () => {
    await using server = await runServer(open);
    const transport = await dial(urlOf(server), { protocols: [PROTOCOL] });
    const decoder = new FrameDecoder();
    const numbers: number[] = [];
    const done = new Promise<void>((resolve) =>
      transport.attach({
        onFrame: (frame) => {
          const decoded = decoder.decode(frame);
          if (decoded.kind !== 'message') return;
          numbers.push(decoded.number);
          if (decoded.number === 9) resolve();
        },
        onDrain: () => {},
        onClose: () => {},
      }),
    );
    const encoder = new FrameEncoder();
    const NO_REPLY = 0x20;
    for (let number = 1; number <= 9; number++) {
      const profile = ['PING', 'nothere', 'getCheckpoint'][number % 3]!;
      const payload = Properties.of('Profile', profile).encode();
      const source = {
        takeInto: (target: Uint8Array, at: number, count: number) => target.set(payload.subarray(0, count), at),
      };
      transport.send(encoder.encode(number, number % 2 === 0 ? NO_REPLY : 0, source, payload.length, false));
    }
    await done;
    expect(numbers.sort()).toEqual([1, 3, 5, 7, 9]);
    transport.terminate();
  });
});
