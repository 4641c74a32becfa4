import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemScheduler } from '@edgesync/async';
import { BlipConnection, Properties, type RequestHandler, type TransportReceiver } from '@edgesync/blip';
import { VirtualTime } from '@edgesync/blip/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { dial, DialError, WsAcceptor, type WsTransport, type WsTransportOptions } from './index.js';

const PROTOCOL = 'BLIP_3+CBMobile_3';
const OFFER = ['BLIP_3+CBMobile_4', PROTOCOL];

let server: Server;
let url: string;
const wires: Duplex[] = [];

/** Starts listening; each upgrade gets the next waiter. */
function listen(options: WsTransportOptions = {}): { accepted: () => Promise<WsTransport> } {
  const acceptor = new WsAcceptor(options);
  const ready: WsTransport[] = [];
  const waiting: ((transport: WsTransport) => void)[] = [];
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    wires.push(socket);
    acceptor.accept(request, socket, head, PROTOCOL).then(
      (transport) => (waiting.shift() ?? ((early) => ready.push(early)))(transport),
      () => {},
    );
  });
  return {
    accepted: () => {
      const transport = ready.shift();
      return transport ? Promise.resolve(transport) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** A receiver that records what it receives, and can be waited for. */
function recorder() {
  const frames: Buffer[] = [];
  let notify: () => void = () => {};
  let closed: { code: number; reason: string } | undefined;
  let drains = 0;
  const receiver: TransportReceiver = {
    onFrame: (frame) => {
      frames.push(Buffer.from(frame));
      notify();
    },
    onDrain: () => {
      drains++;
      notify();
    },
    onClose: (code, reason) => {
      closed = { code, reason };
      notify();
    },
  };
  const until = async <T>(look: () => T | undefined | false): Promise<T> => {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => (notify = resolve));
    }
  };
  return {
    receiver,
    frames,
    closed: () => until(() => closed),
    frame: (index: number) => until(() => frames[index]),
    drained: () => until(() => drains > 0),
  };
}

const offer = { protocols: OFFER };

beforeEach(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/db/_blipsync`;
});

afterEach(async () => {
  for (const wire of wires.splice(0)) wire.destroy();
  server.close();
  await once(server, 'close');
});

/** The bytes of an upgrade request, for clients that speak by hand. */
const UPGRADE = [
  'GET /db/_blipsync HTTP/1.1',
  'Host: localhost',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: YnJRgzQVre8VKtLbVmdNrA==',
  `Sec-WebSocket-Protocol: ${OFFER.join(',')}`,
  'Sec-WebSocket-Extensions: permessage-deflate',
  '\r\n',
].join('\r\n');

async function upgradeByHand(): Promise<{ socket: Socket; head: string }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  wires.push(socket);
  socket.write(UPGRADE);
  let head = '';
  while (!head.includes('\r\n\r\n')) head += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1');
  return { socket, head };
}

/** One masked WebSocket frame (the mask is zero, so the bytes stay readable). */
const wsFrame = (firstByte: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([firstByte, 0x80 | payload.length, 0, 0, 0, 0]), payload]);

describe('the upgrade', () => {
  // docs/protocol/connection.md#upgrade-reply, docs/protocol/connection.md#messages
  it('is answered with exactly one protocol, exact headers and no extensions', async () => {
    listen();
    const { head } = await upgradeByHand();
    const lines = head.trim().split('\r\n');
    expect(lines[0]).toBe('HTTP/1.1 101 Switching Protocols');
    expect(lines).toContain('Connection: Upgrade');
    expect(lines).toContain('Upgrade: websocket');
    expect(lines).toContain(`Sec-WebSocket-Protocol: ${PROTOCOL}`);
    expect(head.toLowerCase()).not.toContain('extensions');
  });

  // docs/protocol/connection.md#messages
  it('is asked for without extensions', async () => {
    const { accepted } = listen();
    const headers = once(server, 'upgrade').then(([request]) => (request as IncomingMessage).headers);
    const transport = await dial(url, { ...offer, headers: { Authorization: 'Basic YTpi' } });
    expect(transport.protocol).toBe(PROTOCOL);
    expect(await headers).toMatchObject({ authorization: 'Basic YTpi', 'sec-websocket-protocol': OFFER.join(',') });
    expect(await headers).not.toHaveProperty('sec-websocket-extensions');
    await accepted();
    transport.terminate();
  });

  it.each([
    ['sec-websocket-version', '7', 'Sec-WebSocket-Version'],
    ['sec-websocket-key', 'x', 'Sec-WebSocket-Key'],
    ['upgrade', 'other, websocket', 'Upgrade'],
  ])('with %s: %s is no handshake, and left to the caller to answer', async (header, value, name) => {
    const acceptor = new WsAcceptor();
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      request.headers[header] = value;
      acceptor.accept(request, socket, head, PROTOCOL).catch(({ code, message }: { code: string; message: string }) => {
        socket.end(`HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\r\n${code}: ${message}`);
      });
    });
    const refusal: unknown = await dial(url, offer).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'DialError', status: 400 });
    expect(String(refusal)).toMatch(new RegExp(`request.invalid: no WebSocket handshake: .*${name}`));
  });

  it.each([
    ['application/json', JSON.stringify({ error: 'Unauthorized', reason: 'Login required' }), 'Login required'],
    ['application/json', '{', 'Unauthorized'],
    ['text/plain', 'go away\n', 'go away'],
    ['text/html', '<p>no</p>', 'Unauthorized'],
    ['text/plain', 'x'.repeat(100_000), 'Unauthorized'],
  ])('refused with %s reports status and reason', async (type, body, reason) => {
    server.on('upgrade', (_request, socket: Duplex) => {
      const head = `HTTP/1.1 401 Unauthorized\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
      socket.on('error', () => {});
      socket.end(head + body);
    });
    const refusal = await dial(url, offer).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DialError);
    expect(refusal).toMatchObject({ status: 401, message: reason });
  });

  it('without a listener, or given up, fails without status', async () => {
    const controller = new AbortController();
    const dialling = dial(url, { ...offer, signal: controller.signal });
    controller.abort();
    await expect(dialling).rejects.toMatchObject({ name: 'DialError', status: undefined });
    await expect(dial('ws://127.0.0.1:1/', offer)).rejects.toMatchObject({ name: 'DialError', status: undefined });
    await expect(dial(url, { ...offer, signal: AbortSignal.abort() })).rejects.toThrow(DialError);
  });
});

describe('an open connection', () => {
  async function connected(options: WsTransportOptions = {}) {
    const { accepted } = listen(options);
    const [client, serving] = await Promise.all([dial(url, offer), accepted()]);
    return { client, serving };
  }

  it('carries BLIP both ways, whatever the size', async () => {
    const { client, serving } = await connected();
    const echo: RequestHandler = (request) => request.respond({ body: request.body, compressed: request.compressed });
    const open = (transport: WsTransport) =>
      new BlipConnection(transport, { onRequest: echo, scheduler: systemScheduler });
    const left = open(client);
    const right = open(serving);
    const bodies = [0, 1, 900, 16_384, 70_000, 1_500_000].map((size) => Buffer.alloc(size, `body of ${size}`));
    const answers = await Promise.all(
      bodies.flatMap((body) =>
        [left, right].flatMap((connection) =>
          [false, true].map((compressed) =>
            connection.request({ properties: Properties.of('Profile', 'echo'), body, compressed }),
          ),
        ),
      ),
    );
    expect(answers.map(({ body }) => body.length)).toEqual(
      bodies.flatMap(({ length }) => Array<number>(4).fill(length)),
    );
    await Promise.all([left.whenIdle(), right.whenIdle()]);
    await left.close();
    expect(await right.closed).toEqual({ code: 1000, reason: '', by: 'peer' });
  });

  it('holds frames until somebody listens, then drains', async () => {
    const { client, serving } = await connected();
    client.attach(recorder().receiver);
    client.send(Buffer.from('early'));
    const sending = recorder();
    serving.attach(sending.receiver);
    expect((await sending.frame(0)).toString()).toBe('early');
    const received = recorder();
    client.attach(received.receiver);
    for (let i = 0; i < 100; i++) serving.send(Buffer.alloc(1000, i));
    expect(serving.bufferedBytes).toBeGreaterThan(99_000);
    await sending.drained();
    expect(serving.bufferedBytes).toBe(0);
    expect((await received.frame(99))[999]).toBe(99);
  });

  it('a peer that does not read fills the transport, not the process, and shows as congested', async () => {
    const { accepted } = listen();
    const { socket } = await upgradeByHand();
    socket.pause();
    const serving = await accepted();
    const blob = Buffer.alloc(10_000_000, 'incompressible?');
    const connection = new BlipConnection(serving, {
      scheduler: systemScheduler,
      onRequest: () => {},
      compression: 'never',
    });
    for (let i = 0; i < 200; i++)
      connection.send({ properties: Properties.none, body: blob.subarray(0, 120_000) }, () => {});
    while (!serving.congested) {
      connection.send({ properties: Properties.none, body: blob.subarray(0, 120_000) }, () => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(serving.bufferedBytes).toBeLessThan(400_000);
    serving.terminate();
    expect((await connection.closed).code).toBe(1006);
  });

  // docs/protocol/connection.md#websocket-rules
  it('passes text messages over, and takes fragmented ones', async () => {
    const { accepted } = listen();
    const { socket } = await upgradeByHand();
    const received = recorder();
    (await accepted()).attach(received.receiver);
    socket.write(wsFrame(0x81, Buffer.from('text')));
    socket.write(wsFrame(0x02, Buffer.from('in ')));
    socket.write(wsFrame(0x00, Buffer.from('three ')));
    socket.write(wsFrame(0x80, Buffer.from('pieces')));
    expect((await received.frame(0)).toString()).toBe('in three pieces');
  });

  it.each([
    ['a message above 1 MiB', 1009, Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0])],
    ['RSV bits', 1002, wsFrame(0xc2, Buffer.from('x'))],
    ['an unmasked frame', 1002, Buffer.from([0x82, 1, 0])],
    ['a reserved opcode', 1002, wsFrame(0x83, Buffer.from('x'))],
    ['text that is not UTF-8', 1007, wsFrame(0x81, Buffer.from([0xff]))],
  ])('%s ends it with %i', async (_what, code, bytes) => {
    const { accepted } = listen();
    const { socket } = await upgradeByHand();
    const received = recorder();
    (await accepted()).attach(received.receiver);
    const answer = once(socket, 'data');
    socket.write(bytes);
    const [close] = (await answer) as [Buffer];
    expect(close[0]).toBe(0x88);
    expect(close.readUInt16BE(2)).toBe(code);
    socket.destroy();
    await received.closed();
    expect(received.frames).toEqual([]);
  });

  // docs/protocol/connection.md#close-codes
  it('closes with 4001 and a reason that fits, after what was sent before', async () => {
    const { client, serving } = await connected();
    const received = recorder();
    client.attach(received.receiver);
    const ended = recorder();
    serving.attach(ended.receiver);
    serving.send(Buffer.from('last words'));
    serving.close(4001, 'é'.repeat(100));
    serving.send(Buffer.from('too late'));
    serving.close(1000, '');
    expect(await received.closed()).toEqual({ code: 4001, reason: 'é'.repeat(61) });
    expect((await ended.closed()).code).toBe(4001);
    expect(received.frames.map(String)).toEqual(['last words']);
  });

  it('a lost connection ends with 1006 on the other side', async () => {
    const { client, serving } = await connected();
    const received = recorder();
    serving.attach(received.receiver);
    client.terminate();
    expect((await received.closed()).code).toBe(1006);
  });

  it('that ended before anyone listened reports it then', async () => {
    const { client, serving } = await connected();
    client.terminate();
    await once(wires[0]!, 'close');
    const received = recorder();
    serving.attach(received.receiver);
    expect((await received.closed()).code).toBe(1006);
  });
});

describe('dead peers', () => {
  it('a silent peer is pinged, and dropped when it stays silent', async () => {
    const time = new VirtualTime();
    const { accepted } = listen({ scheduler: time, tuning: { pingIntervalMs: 30_000 } });
    const { socket } = await upgradeByHand();
    const received = recorder();
    (await accepted()).attach(received.receiver);
    const pinged = once(socket, 'data');
    await time.advance(60_000);
    expect(((await pinged) as [Buffer])[0][0]).toBe(0x89);
    await time.advance(30_000);
    expect((await received.closed()).code).toBe(1006);
  });

  it('a peer that answers pings is kept', async () => {
    const time = new VirtualTime();
    const { accepted } = listen({ scheduler: time });
    const client = new WebSocket(url, OFFER, { perMessageDeflate: false });
    await once(client, 'open');
    const serving = await accepted();
    serving.attach(recorder().receiver);
    for (let i = 0; i < 3; i++) {
      const pinged = once(client, 'ping');
      await time.advance(60_000);
      await pinged;
      // The pong is on its way before this message, so it has arrived when the message has.
      const received = recorder();
      serving.attach(received.receiver);
      client.send(Buffer.from('still here'));
      await received.frame(0);
    }
    client.terminate();
  });

  it('a peer that does not answer the close frame is dropped', async () => {
    const time = new VirtualTime();
    const { accepted } = listen({ scheduler: time });
    const { socket } = await upgradeByHand();
    const serving = await accepted();
    const received = recorder();
    serving.attach(received.receiver);
    serving.close(4001, '');
    const [close] = (await once(socket, 'data')) as [Buffer];
    expect(close[0]).toBe(0x88);
    await time.advance(5_000);
    expect((await received.closed()).code).toBe(1006);
  });
});
