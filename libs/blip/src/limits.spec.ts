import { describe, expect, it } from 'vitest';
import type { MessageFrame } from './frame-decoder.js';
import type { RequestHandler } from './incoming-request.js';
import { FrameFlag, MessageType } from './message.js';
import { readErrorReply } from './replies.js';
import { splitPayload } from './incoming-message.js';
import { Properties } from './properties.js';
import { concatBytes, fromText, noise } from './testing/bytes.js';
import { connectionToRawPeer } from './testing/pair.js';

const MORE = FrameFlag.moreComing;
const none: RequestHandler = () => {};
const head = (properties: Record<string, string>): Uint8Array => Properties.from(properties).encode();

describe('S13: malformed input ends the connection with its close code, and nothing else', () => {
  type Peer = ReturnType<typeof connectionToRawPeer>['peer'];
  const cases: [what: string, code: number, rule: string, act: (peer: Peer) => void][] = [
    ['an empty frame', 1002, 'varint-malformed', (peer) => peer.sendBytes()],
    ['a number cut off', 1002, 'varint-malformed', (peer) => peer.sendBytes(0x80)],
    ['a number beyond 2^53', 1002, 'varint-malformed', (peer) => peer.sendBytes(...Array<number>(10).fill(0xff), 1, 0)],
    ['a frame without checksum', 1002, 'frame-malformed', (peer) => peer.sendBytes(1, 0, 0)],
    ['a wrong checksum', 1002, 'checksum-mismatch', (peer) => peer.sendBytes(1, 0, 0, 1, 2, 3, 4)],
    [
      'a compressed frame that is rubbish',
      1002,
      'inflate-failed',
      (peer) => peer.sendBytes(1, 8, 0xff, 0xff, 0, 0, 0, 0),
    ],
    ['request 2 before request 1', 1002, 'number-out-of-order', (peer) => peer.sendMessage(2, 0)],
    ['request 0', 1002, 'number-out-of-order', (peer) => peer.sendMessage(0, 0)],
    // docs/protocol/blip.md#numbers
    [
      'the same request number again',
      1002,
      'number-out-of-order',
      (peer) => {
        peer.sendMessage(1, 0);
        peer.sendMessage(1, 0);
      },
    ],
    // docs/protocol/blip.md#replies
    ['a response to nothing', 1002, 'reply-unexpected', (peer) => peer.sendMessage(1, MessageType.response)],
    ['an error to nothing', 1002, 'reply-unexpected', (peer) => peer.sendMessage(7, MessageType.error)],
    [
      'the first frame of a response to nothing',
      1002,
      'reply-unexpected',
      (peer) => peer.sendPayload(1, 1 | MORE, fromText('\0')),
    ],
    ['a payload without properties', 1002, 'properties-malformed', (peer) => peer.sendPayload(1, 0, fromText(''))],
    [
      'properties longer than the message',
      1002,
      'properties-malformed',
      (peer) => peer.sendPayload(1, 0, fromText('\x20a\0')),
    ],
    [
      'properties without a last NUL',
      1002,
      'properties-malformed',
      (peer) => peer.sendPayload(1, 0, fromText('\x04a\0bc')),
    ],
    // docs/protocol/blip.md#property-limits
    ['a name without a value', 1002, 'properties-malformed', (peer) => peer.sendPayload(1, 0, fromText('\x02a\0'))],
    [
      'a name given twice',
      1002,
      'properties-malformed',
      (peer) => peer.sendPayload(1, 0, fromText('\x08a\0b\0a\0c\0')),
    ],
    [
      '100 MB of properties announced',
      1009,
      'properties-too-large',
      (peer) => peer.sendPayload(1, MORE, Uint8Array.of(0x80, 0xc2, 0xd7, 0x2f)),
    ],
    ['a property length cut off', 1002, 'properties-malformed', (peer) => peer.sendPayload(1, 0, Uint8Array.of(0x80))],
    [
      'a property length of 70 bits',
      1002,
      'varint-malformed',
      (peer) => peer.sendPayload(1, MORE, new Uint8Array(12).fill(0x80)),
    ],
    ['an ACK without a count', 1002, 'varint-malformed', (peer) => peer.sendBytes(1, 0x34)],
  ];

  it.each(cases)('%s: %i', async (_what, code, rule, act) => {
    const { time, connection, faults, peer } = connectionToRawPeer({ onRequest: none });
    act(peer);
    expect(await time.until(connection.closed)).toMatchObject({ code, by: 'us', error: { rule } });
    await time.advance(1);
    expect(peer.closedWith?.code).toBe(code);
    expect(faults).toEqual([expect.objectContaining({ rule })]);
  });

  it('a second reply to the same request is one to nothing', async () => {
    const { time, connection, peer } = connectionToRawPeer();
    const reply = connection.request({ properties: Properties.none });
    peer.sendMessage(1, MessageType.response);
    peer.sendMessage(1, MessageType.response);
    expect((await time.until(reply)).error).toBeUndefined();
    expect(await time.until(connection.closed)).toMatchObject({ code: 1002, error: { rule: 'reply-unexpected' } });
  });

  it('an ACK of more than was sent is a lie', async () => {
    const { time, connection, peer } = connectionToRawPeer();
    connection.request({ properties: Properties.none, body: noise(500_000, 1) }).catch(() => {});
    peer.sendBytes(1, 0x34, 0xff, 0xff, 0x7f);
    expect(await time.until(connection.closed)).toMatchObject({ code: 1002, error: { rule: 'ack-malformed' } });
  });

  it('frames of unknown types and ACKs of unknown messages are passed over', async () => {
    const { time, connection, peer } = connectionToRawPeer({ onRequest: (request) => request.respond() });
    peer.sendBytes(1, 3, 1, 2, 3);
    peer.sendBytes(1, 6);
    peer.sendBytes(9, 0x34, 5);
    peer.sendBytes(9, 0x35, 5);
    peer.sendMessage(1, 0);
    await time.advance(1);
    expect(peer.frames).toHaveLength(1);
    expect(connection.isOpen).toBe(true);
  });
});

describe('S14: limits', () => {
  const small = { bodyBytes: 1000, bodyBytesByProfile: { big: 50_000, tiny: 10 }, discardedBytes: 200_000 };

  const answerTo = async (profile: string, bodyBytes: number, cutInto: number) => {
    const delivered: number[] = [];
    const { time, connection, peer } = connectionToRawPeer({
      limits: small,
      onRequest: (request) => {
        delivered.push(request.body.length);
        request.respond();
      },
    });
    const payload = concatBytes(head({ Profile: profile }), noise(bodyBytes, 1));
    for (let at = 0; at < payload.length; at += cutInto)
      peer.sendPayload(1, at + cutInto < payload.length ? MORE : 0, payload.subarray(at, at + cutInto));
    await time.advance(10);
    const reply = peer.frames.find((frame): frame is MessageFrame => frame.kind === 'message');
    const properties = reply && splitPayload(reply.payload)!.properties;
    const error = reply?.type === MessageType.error ? readErrorReply(properties!, '').code : undefined;
    return { delivered, error, isOpen: connection.isOpen, closed: peer.closedWith?.code };
  };

  it.each([
    ['other', 1000],
    ['big', 50_000],
    ['tiny', 10],
    ['toString', 1000],
  ])(
    'a %s request may have %i bytes; a larger one is read to its end and answered HTTP/413',
    async (profile, limit) => {
      for (const cutInto of [16_000, 77]) {
        expect(await answerTo(profile, limit, cutInto)).toMatchObject({ delivered: [limit], error: undefined });
        expect(await answerTo(profile, limit + 1, cutInto)).toMatchObject({ delivered: [], error: 413, isOpen: true });
      }
    },
  );

  it('a request far above its limit ends the connection with 1009', async () => {
    expect(await answerTo('other', 300_000, 16_000)).toMatchObject({ delivered: [], closed: 1009 });
  });

  it('a reply above its limit becomes an error for the asker', async () => {
    for (const bytes of [5000, 40_000]) {
      const { time, connection, peer } = connectionToRawPeer({ limits: { replyBytes: 4000 } });
      const reply = connection.request({ properties: Properties.none });
      const payload = concatBytes(fromText('\0'), noise(bytes, 2));
      for (let at = 0; at < payload.length; at += 10_000)
        peer.sendPayload(1, 1 | (at + 10_000 < payload.length ? MORE : 0), payload.subarray(at, at + 10_000));
      expect(await time.until(reply)).toMatchObject({ body: new Uint8Array(0), error: { domain: 'HTTP', code: 413 } });
    }
  });

  // docs/protocol/blip.md#inflated-size
  it('a bomb costs no more than its limit', async () => {
    const { time, connection, peer } = connectionToRawPeer({
      limits: { bodyBytes: 100_000, discardedBytes: 1_000_000 },
    });
    peer.sendPayload(1, MORE, fromText('\0'));
    for (let i = 0; i < 200; i++) peer.sendPayload(1, MORE | FrameFlag.compressed, new Uint8Array(16_000));
    expect(await time.until(connection.closed)).toMatchObject({ code: 1009, error: { rule: 'message-too-large' } });
  });

  it('too many unfinished messages: 1008', async () => {
    const { time, connection, peer } = connectionToRawPeer({ limits: { unfinishedMessages: 10 } });
    for (let number = 1; number <= 11; number++) peer.sendPayload(number, MORE, fromText('\0x'));
    expect(await time.until(connection.closed)).toMatchObject({ code: 1008, error: { rule: 'too-many-unfinished' } });
  });

  it('too many requests without an answer: 4001', async () => {
    const { time, connection, peer } = connectionToRawPeer({ onRequest: none, limits: { unansweredRequests: 10 } });
    for (let number = 1; number <= 11; number++) peer.sendMessage(number, 0);
    expect(await time.until(connection.closed)).toMatchObject({ code: 4001, error: { rule: 'too-many-unanswered' } });
  });

  it('too much memory in bodies, unfinished or unanswered, or behind handlers that take their time: 4001', async () => {
    const never = new Promise<void>(() => {});
    const cases: [flags: number, RequestHandler][] = [
      [MORE, none],
      [0, none],
      [FrameFlag.noReply, () => never],
    ];
    for (const [flags, onRequest] of cases) {
      const { time, connection, peer } = connectionToRawPeer({ onRequest, limits: { incomingBytes: 100_000 } });
      for (let number = 1; number <= 11; number++)
        peer.sendPayload(number, flags, concatBytes(fromText('\0'), noise(10_000, number)));
      expect(await time.until(connection.closed)).toMatchObject({ code: 4001, error: { rule: 'too-many-unanswered' } });
    }
  });

  it('answered requests do not count', async () => {
    const { time, connection, peer } = connectionToRawPeer({
      onRequest: (request) => (request.noReply ? undefined : request.respond()),
      limits: { unansweredRequests: 2, incomingBytes: 20_000 },
    });
    for (let number = 1; number <= 50; number++)
      peer.sendPayload(number, number % 2 ? FrameFlag.noReply : 0, concatBytes(fromText('\0'), noise(10_000, number)));
    await time.advance(1);
    expect(connection.isOpen).toBe(true);
  });

  it('a message in frames of one byte takes memory for its bytes only', async () => {
    const bodies: number[] = [];
    const { time, peer } = connectionToRawPeer({ onRequest: (request) => void bodies.push(request.body.length) });
    const payload = concatBytes(head({ Profile: 'x', long: 'y'.repeat(3000) }), noise(3000, 1));
    for (const [at, byte] of payload.entries())
      peer.sendPayload(1, at + 1 < payload.length ? MORE : 0, Uint8Array.of(byte));
    await time.advance(1);
    expect(bodies).toEqual([3000]);
  });

  it('S8: a peer that never ACKs is given up with 4001 when nothing has moved for a while', async () => {
    const { time, connection } = connectionToRawPeer({ limits: { stallMs: 60_000 } });
    const reply = connection.request({ properties: Properties.none, body: noise(500_000, 1) });
    reply.catch(() => {});
    await time.advance(50_000);
    expect(connection.isOpen).toBe(true);
    expect(await time.until(connection.closed)).toMatchObject({ code: 4001, error: { rule: 'peer-stalled' } });
    await expect(reply).rejects.toThrow('4001');
  });

  it('S8: a peer that only waits for our slow source is not', async () => {
    const { time, connection, peer } = connectionToRawPeer({ limits: { stallMs: 60_000 } });
    const slow = async function* () {
      yield fromText('first');
      await new Promise<void>((resolve) => time.schedule(500_000, resolve));
      yield fromText('second');
    };
    connection.request({ properties: Properties.none, body: slow() }).catch(() => {});
    await time.advance(499_000);
    expect(connection.isOpen).toBe(true);
    await time.advance(2_000);
    expect(peer.frames.map((frame) => (frame as MessageFrame).flags)).toEqual([MORE, MORE, MORE, 0]);
  });
});
