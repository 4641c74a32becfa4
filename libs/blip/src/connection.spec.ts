import { EdgeError } from '@edgesync/errors';
import { describe, expect, it } from 'vitest';
import type { MessageFrame } from './frame-decoder.js';
import { refuseUnknownProfile, type IncomingRequest, type RequestHandler } from './incoming-request.js';
import { FrameFlag, MessageType } from './message.js';
import { Properties } from './properties.js';
import { BlipClosedError } from './protocol-error.js';
import { collect, fromText, inPieces, noise, toText } from './testing/bytes.js';
import { connectionPair, connectionToRawPeer } from './testing/pair.js';

const rev = Properties.of('Profile', 'rev', 'id', 'doc-1');
/** A handler that chooses by Profile. */
const routeByProfile =
  (handlers: Readonly<Record<string, RequestHandler>>): RequestHandler =>
  (request) =>
    (handlers[request.profile] ?? refuseUnknownProfile)(request);
const echo: RequestHandler = (request) => request.respond({ properties: request.properties, body: request.body });

describe('requests and replies', () => {
  it('S2: a request is answered with properties and body', async () => {
    const { time, left } = connectionPair({}, { onRequest: echo });
    const reply = await time.until(left.connection.request({ properties: rev, body: fromText('{}') }));
    expect(reply.properties.toRecord()).toEqual({ Profile: 'rev', id: 'doc-1' });
    expect(toText(reply.body)).toBe('{}');
    expect(reply.error).toBeUndefined();
  });

  it('S10: an error reply carries domain, code and message', async () => {
    const refuse: RequestHandler = (request) =>
      request.respondError({ domain: 'HTTP', code: 409, message: 'conflict é' });
    const { time, left } = connectionPair({}, { onRequest: refuse });
    const reply = await time.until(left.connection.request({ properties: rev }));
    expect(reply.error).toEqual({ domain: 'HTTP', code: 409, message: 'conflict é' });
  });

  it('S10: an error reply without domain is BLIP, without code 599', async () => {
    const { time, connection, peer } = connectionToRawPeer();
    const reply = connection.request({ properties: rev });
    peer.sendMessage(1, MessageType.error);
    expect((await time.until(reply)).error).toEqual({ domain: 'BLIP', code: 599, message: '' });
  });

  // docs/protocol/blip.md#malformed-input
  it('S11: an unknown Profile is answered BLIP/404, also none at all; without a reply it is passed over', async () => {
    const { time, left, right } = connectionPair({}, { onRequest: routeByProfile({ known: echo }) });
    const reply = await time.until(left.connection.request({ properties: Properties.of('Profile', 'unknown') }));
    expect(reply.error).toMatchObject({ domain: 'BLIP', code: 404 });
    expect((await time.until(left.connection.request({ properties: Properties.none }))).error?.code).toBe(404);
    left.connection.notify({ properties: Properties.of('Profile', 'unknown') });
    const known = await time.until(left.connection.request({ properties: Properties.of('Profile', 'known') }));
    expect(known.error).toBeUndefined();
    expect(right.connection.isOpen).toBe(true);
  });

  // docs/protocol/blip.md#malformed-input
  it('S11: what a handler throws becomes an error reply by the catalogue, never the end of the connection', async () => {
    const secret = new Error('a secret');
    const other = new RangeError('another');
    const thrown: Error[] = [new EdgeError('doc.conflict'), new EdgeError('doc-id.invalid'), secret, other];
    const { time, left, right } = connectionPair(
      {},
      {
        onRequest: routeByProfile({
          sync: (request) => {
            throw thrown[Number(request.properties.get('n'))]!;
          },
          async: async (request) => {
            throw thrown[Number(request.properties.get('n'))]!;
          },
        }),
      },
    );
    for (const profile of ['sync', 'async']) {
      const answers = [];
      for (const n of thrown.keys()) {
        const properties = Properties.of('Profile', profile, 'n', String(n));
        answers.push((await time.until(left.connection.request({ properties }))).error);
      }
      expect(answers).toEqual([
        { domain: 'HTTP', code: 409, message: 'Document update conflict' },
        { domain: 'LiteCore', code: 29, message: 'invalid document ID' },
        { domain: 'HTTP', code: 503, message: 'internal error' },
        { domain: 'HTTP', code: 503, message: 'internal error' },
      ]);
    }
    expect(right.faults).toEqual([secret, other, secret, other]);
  });

  it('S11: a reply that cannot be sent becomes an error reply', async () => {
    const nul: RequestHandler = (request) => request.respond({ properties: Properties.of('a', '\0') });
    const { time, left, right } = connectionPair({}, { onRequest: nul });
    expect((await time.until(left.connection.request({ properties: rev }))).error?.code).toBe(503);
    expect(right.faults).toHaveLength(1);
  });

  // docs/protocol/blip.md#replies
  it('a request is answered once; the second answer is a fault of the handler', async () => {
    const twice: RequestHandler = (request) => {
      request.respond();
      request.respond();
    };
    const { time, connection, faults, peer } = connectionToRawPeer({ onRequest: twice });
    peer.sendMessage(1, MessageType.request, { Profile: 'x' });
    await time.advance(1);
    expect(peer.frames).toHaveLength(1);
    expect(faults).toHaveLength(1);
    expect(connection.isOpen).toBe(true);
  });

  // docs/protocol/blip.md#replies
  it('a request without reply gets none, whatever the handler does', async () => {
    const handlers: RequestHandler[] = [
      (request) => request.respond(),
      (request) => request.respondError({ domain: 'HTTP', code: 500, message: '' }),
      () => {
        throw new EdgeError('doc.conflict');
      },
      async () => {
        throw new EdgeError('doc.conflict');
      },
    ];
    for (const onRequest of handlers) {
      const { time, peer } = connectionToRawPeer({ onRequest });
      peer.sendMessage(1, MessageType.request | FrameFlag.noReply, { Profile: 'x' });
      await time.advance(1);
      expect(peer.frames).toEqual([]);
    }
  });

  // docs/protocol/blip.md#replies
  it('a request reaches its handler only with its last frame', async () => {
    const seen: IncomingRequest[] = [];
    const { time, peer } = connectionToRawPeer({ onRequest: (request) => void seen.push(request) });
    peer.sendPayload(1, FrameFlag.moreComing, fromText('\0hello '));
    peer.sendPayload(1, FrameFlag.moreComing, fromText(''));
    await time.advance(1);
    expect(seen).toHaveLength(0);
    peer.sendPayload(1, 0, fromText('world'));
    await time.advance(1);
    expect(toText(seen[0]!.body)).toBe('hello world');
    expect(seen[0]).toMatchObject({ number: 1, profile: '', urgent: false, noReply: false, answered: false });
  });

  // docs/protocol/blip.md#empty-compressed-frames
  it('a zero-length last frame ends a message, also one flagged compressed', async () => {
    for (const flags of [0, FrameFlag.compressed]) {
      const { time, peer, connection } = connectionToRawPeer({ onRequest: echo });
      peer.sendPayload(1, FrameFlag.moreComing, fromText('\0body'));
      if (flags === 0) peer.sendPayload(1, 0, new Uint8Array(0));
      else {
        const checksum = peer.frames.length;
        expect(checksum).toBe(0);
        peer.transport.send(Uint8Array.of(1, flags, ...crcOf('\0body')));
      }
      await time.advance(1);
      expect(connection.isOpen).toBe(true);
      expect(toText((peer.frames[0] as MessageFrame).payload)).toBe('\0body');
    }
  });

  it('S7: an answer is urgent when the request is, unless the answer says otherwise', async () => {
    const { time, peer } = connectionToRawPeer({ onRequest: (request) => request.respond() });
    peer.sendMessage(1, MessageType.request | FrameFlag.urgent);
    peer.sendMessage(2, MessageType.request);
    await time.advance(1);
    expect(peer.frames.map((frame) => (frame as MessageFrame).flags)).toEqual([0x11, 0x01]);
  });
});

describe('streamed bodies', () => {
  it('S9: a reply comes as a stream, at the speed of its reader', async () => {
    const blob = noise(3_000_000, 5);
    const { time, left, right } = connectionPair(
      {},
      { onRequest: (request) => request.respond({ body: inPieces(blob, 10_000) }) },
    );
    const reply = await time.until(left.connection.requestStream({ properties: rev }));
    await time.advance(1000);
    expect(right.connection.isOpen).toBe(true);
    expect(Buffer.compare(await time.until(collect(reply.body)), blob)).toBe(0);
    await time.until(right.connection.whenIdle());
  });

  it('S9: a reader who leaves early does not stop the sender or the others', async () => {
    const blob = noise(1_000_000, 6);
    const { time, left, right } = connectionPair({}, { onRequest: (request) => request.respond({ body: blob }) });
    const reply = await time.until(left.connection.requestStream({ properties: rev }));
    for await (const piece of reply.body) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    await time.until(right.connection.whenIdle());
    expect((await time.until(left.connection.request({ properties: rev }))).body).toHaveLength(1_000_000);
  });

  it('an error reply to a request for a stream has an empty stream or its text, and short replies work too', async () => {
    const { time, left } = connectionPair(
      {},
      {
        onRequest: routeByProfile({
          short: (request) => request.respond({ body: fromText('short') }),
          empty: (request) => request.respond(),
          error: () => {
            throw new EdgeError('blob.missing');
          },
        }),
      },
    );
    const ask = (name: string) =>
      time.until(left.connection.requestStream({ properties: Properties.of('Profile', name) }));
    expect(toText(await time.until(collect((await ask('short')).body)))).toBe('short');
    expect(await time.until(collect((await ask('empty')).body))).toHaveLength(0);
    expect((await ask('error')).error).toMatchObject({ domain: 'HTTP', code: 404 });
  });

  it('S12: a body whose source fails before its first piece becomes an error reply, later the end of the connection with 4001', async () => {
    const failing = async function* (pieces: number) {
      for (let i = 0; i < pieces; i++) yield noise(20_000, i);
      throw new EdgeError('storage.busy');
    };
    const { time, left, right } = connectionPair(
      {},
      { onRequest: (request) => request.respond({ body: failing(Number(request.properties.get('pieces'))) }) },
    );
    const ask = (pieces: string) => left.connection.request({ properties: Properties.of('pieces', pieces) });
    expect((await time.until(ask('0'))).error).toMatchObject({ domain: 'HTTP', code: 503 });
    await expect(time.until(ask('3'))).rejects.toThrow(BlipClosedError);
    expect(await time.until(right.connection.closed)).toMatchObject({ code: 4001, by: 'us' });
  });

  it('a stream that is cut off by the end of the connection says so', async () => {
    const { time, connection, peer } = connectionToRawPeer();
    const pending = connection.requestStream({ properties: rev });
    peer.sendPayload(1, MessageType.response | FrameFlag.moreComing, fromText('\0part'));
    const reply = await time.until(pending);
    peer.transport.terminate();
    await expect(time.until(collect(reply.body))).rejects.toThrow(BlipClosedError);
  });
});

describe('the end of a connection', () => {
  it('S12: requests that wait are rejected, later ones too, and both sides know how it ended', async () => {
    const { time, left, right } = connectionPair();
    const waiting = left.connection.request({ properties: rev });
    const called: unknown[] = [];
    left.connection.send({ properties: rev }, (reply) => called.push(reply));
    void left.connection.close(4001, 'going down');
    expect(left.connection.isOpen).toBe(false);
    await expect(waiting).rejects.toThrow('the connection closed with 4001: going down');
    await expect(left.connection.request({ properties: rev })).rejects.toThrow(BlipClosedError);
    left.connection.send({ properties: rev }, (reply) => called.push(reply));
    left.connection.notify({ properties: rev });
    expect(await time.until(left.connection.closed)).toEqual({ code: 4001, reason: 'going down', by: 'us' });
    expect(await time.until(right.connection.closed)).toEqual({ code: 4001, reason: 'going down', by: 'peer' });
    expect(called).toEqual([undefined, undefined]);
  });

  it('a lost connection is distinguished from a closed one', async () => {
    const { time, left, leftEnd } = connectionPair();
    leftEnd.terminate();
    expect(await time.until(left.connection.closed)).toEqual({ code: 1006, reason: '', by: 'lost' });
  });

  it('a late answer to a request of a connection that is gone does nothing', async () => {
    const requests: IncomingRequest[] = [];
    const { time, left, right } = connectionPair({}, { onRequest: (request) => void requests.push(request) });
    left.connection.request({ properties: rev }).catch(() => {});
    await time.advance(1);
    await time.until(left.connection.close());
    requests[0]!.respond();
    expect(right.faults).toEqual([]);
  });

  it('is waited for by `await using`', async () => {
    const { time, right } = connectionPair();
    const used = (async () => {
      await using connection = right.connection;
      return connection.isOpen;
    })();
    expect(await time.until(used)).toBe(true);
    expect(right.connection.isOpen).toBe(false);
  });

  it('whenIdle waits for everything that was begun', async () => {
    const requests: IncomingRequest[] = [];
    const { time, left, right } = connectionPair(
      {},
      { onRequest: (request) => void requests.push(request) },
      { latencyMs: 5 },
    );
    const reply = left.connection.request({ properties: rev, body: noise(300_000, 1) });
    let idle = 0;
    for (const { connection } of [left, right]) void connection.whenIdle().then(() => idle++);
    const again = left.connection.whenIdle();
    await time.advance(1000);
    const rightIdle = right.connection.whenIdle();
    requests[0]!.respond();
    await time.until(Promise.all([reply, again, rightIdle]));
    expect(idle).toBe(2);
  });
});

/** Checksum of a text that is the first payload of its direction. */
function crcOf(text: string): number[] {
  const { frames } = { frames: new TextEncoder().encode(text) };
  let crc = ~0;
  for (const byte of frames) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  crc = ~crc;
  return [crc >>> 24, (crc >>> 16) & 255, (crc >>> 8) & 255, crc & 255];
}
