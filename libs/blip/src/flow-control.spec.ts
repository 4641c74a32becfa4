import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CompressionPolicy } from './limits.js';
import { ACK_EVERY_BYTES, STREAM_READ_AHEAD_BYTES, WINDOW_BYTES } from './limits.js';
import type { MessageFrame } from './frame-decoder.js';
import type { IncomingRequest } from './incoming-request.js';
import { FrameFlag, MessageType } from './message.js';
import { Properties } from './properties.js';
import { collect, fromText, inPieces, noise } from './testing/bytes.js';
import { connectionPair, connectionToRawPeer } from './testing/pair.js';

const MAX_FRAME = 16 * 1024;

describe('ACK windows', () => {
  it('S8: sending pauses at 128,000 bytes that are not acknowledged, and goes on with an ACK', async () => {
    const { time, connection, peer } = connectionToRawPeer();
    connection.request({ properties: Properties.none, body: noise(400_000, 1) }).catch(() => {});
    await time.advance(100);
    const sent = () => peer.frames.reduce((total, frame) => total + (frame as MessageFrame).wireBytes, 0);
    expect(sent()).toBeGreaterThanOrEqual(WINDOW_BYTES);
    expect(sent()).toBeLessThan(WINDOW_BYTES + MAX_FRAME);
    peer.sendBytes(1, 0x34, 0xd0, 0x86, 0x03);
    await time.advance(100);
    expect(sent()).toBeGreaterThanOrEqual(WINDOW_BYTES + 50_000);
    expect(sent()).toBeLessThan(WINDOW_BYTES + 50_000 + MAX_FRAME);
    const before = sent();
    peer.sendBytes(1, 0x34, 0xd0, 0x86, 0x03);
    peer.sendBytes(1, 0x34, 0x01);
    await time.advance(100);
    expect(sent()).toBe(before);
  });

  // docs/protocol/blip.md#flow-control
  it('received bytes are acknowledged every 50,000, cumulatively, for requests and replies alike', async () => {
    for (const type of [MessageType.request, MessageType.response]) {
      const { time, connection, peer } = connectionToRawPeer();
      connection.request({ properties: Properties.none }).catch(() => {});
      let received = 0;
      const counts: number[] = [];
      let acked = 0;
      for (let i = 0; i < 40; i++) {
        const payload = i === 0 ? fromText('\0') : noise(12_000 + i, i);
        peer.sendPayload(1, type | FrameFlag.moreComing, payload);
        received += payload.length + 4;
        if (received - acked >= ACK_EVERY_BYTES) counts.push((acked = received));
      }
      peer.sendPayload(1, type, noise(60_000 - 50_000, 99));
      await time.advance(10);
      const acks = peer.frames.filter((frame) => frame.kind === 'ack');
      expect(acks.map(({ receivedBytes }) => receivedBytes)).toEqual(counts);
      expect(acks.every(({ number, ofReply }) => number === 1 && ofReply === (type === MessageType.response))).toBe(
        true,
      );
    }
  });

  it('S9: a reader who stands still holds back the sender within a window and the read-ahead', async () => {
    const blob = noise(2_000_000, 3);
    const { time, left, right } = connectionPair({}, { onRequest: (request) => request.respond({ body: blob }) });
    const reply = await time.until(left.connection.requestStream({ properties: Properties.none }));
    await time.advance(10_000);
    const untaken = right.connection.queuedBytes;
    expect(blob.length - untaken).toBeLessThan(
      WINDOW_BYTES + STREAM_READ_AHEAD_BYTES + ACK_EVERY_BYTES + 2 * MAX_FRAME,
    );
    expect(Buffer.compare(await time.until(collect(reply.body)), blob)).toBe(0);
  });

  // docs/protocol/blip.md#scheduling
  it('S7: a small message is not held up by a large one', async () => {
    const arrived: string[] = [];
    const { time, left } = connectionPair(
      {},
      {
        onRequest: (request) => {
          arrived.push(request.profile);
          request.respond();
        },
      },
      { latencyMs: 1, inFlightBytes: 30_000 },
    );
    const big = left.connection.request({ properties: Properties.of('Profile', 'big'), body: noise(1_000_000, 1) });
    await time.advance(5);
    const small = left.connection.request({ properties: Properties.of('Profile', 'small'), body: fromText('x') });
    const urgent = left.connection.request({ properties: Properties.of('Profile', 'urgent'), urgent: true });
    await time.until(Promise.all([big, small, urgent]));
    expect(arrived.at(-1)).toBe('big');
  });

  it('S7: frames shrink to 4 KiB when an urgent message waits behind them', async () => {
    const { time, connection, peer } = connectionToRawPeer({}, { latencyMs: 1, inFlightBytes: 1 });
    connection.notify({ properties: Properties.none, body: noise(125_000, 1) });
    connection.notify({ properties: Properties.none, body: noise(100_000, 2) });
    for (let i = 0; i < 3; i++) connection.notify({ properties: Properties.of('u', 'x'.repeat(1000)), urgent: true });
    await time.advance(200);
    const sizes = peer.frames.flatMap((frame) =>
      frame.kind === 'message' && !(frame.flags & FrameFlag.urgent) ? [frame.wireBytes + 2] : [],
    );
    expect(Math.max(...sizes)).toBe(MAX_FRAME);
    expect(sizes).toContain(4096);
  });
});

describe('the law of flow control', () => {
  const size = fc.oneof(fc.nat(200), fc.nat(20_000), fc.nat(400_000));
  const exchange = fc.record({
    fromLeft: fc.boolean(),
    requestBytes: size,
    replyBytes: size,
    textLike: fc.boolean(),
    urgent: fc.boolean(),
    compressed: fc.boolean(),
    requestPiece: fc.option(fc.integer({ min: 500, max: 50_000 }), { nil: undefined }),
    replyPiece: fc.option(fc.integer({ min: 500, max: 50_000 }), { nil: undefined }),
    streamsReply: fc.boolean(),
    thinkMs: fc.nat(50),
    startMs: fc.nat(20),
  });
  const link = fc.record({ latencyMs: fc.nat(30), inFlightBytes: fc.constantFrom(1, 20_000, 200_000) });
  const policy = fc.constantFrom<CompressionPolicy>('never', 'congested', 'flagged');

  it('S6–S9: any sizes and interleavings arrive intact, in bounded memory, without deadlock', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(exchange, { maxLength: 12 }),
        link,
        policy,
        async (exchanges, linkOptions, compression) => {
          const body = (bytes: number, seed: number, { textLike }: { textLike: boolean }, piece?: number) => {
            const whole = noise(bytes, seed, textLike);
            return piece ? inPieces(whole, piece) : whole;
          };
          const onRequest = async (request: IncomingRequest): Promise<void> => {
            const index = Number(request.properties.get('index'));
            const plan = exchanges[index]!;
            if (Buffer.compare(request.body, noise(plan.requestBytes, index, plan.textLike)) !== 0)
              throw new Error('request damaged');
            await new Promise<void>((resolve) => time.schedule(plan.thinkMs, resolve));
            const { urgent, compressed } = plan;
            request.respond({ body: body(plan.replyBytes, index + 1000, plan, plan.replyPiece), urgent, compressed });
          };
          const { time, left, right } = connectionPair(
            { onRequest, compression },
            { onRequest, compression },
            linkOptions,
          );
          const all = exchanges.map(async (plan, index) => {
            await new Promise<void>((resolve) => time.schedule(plan.startMs, resolve));
            const { connection } = plan.fromLeft ? left : right;
            const { urgent, compressed } = plan;
            const request = {
              properties: Properties.of('Profile', 'x', 'index', String(index)),
              body: body(plan.requestBytes, index, plan, plan.requestPiece),
              urgent,
              compressed,
            };
            const received = plan.streamsReply
              ? await collect((await connection.requestStream(request)).body)
              : (await connection.request(request)).body;
            return Buffer.compare(received, noise(plan.replyBytes, index + 1000, plan.textLike)) === 0;
          });
          const results = await time.until(Promise.all(all));
          expect(results.every(Boolean)).toBe(true);
          expect([...left.faults, ...right.faults]).toEqual([]);
          await time.until(Promise.all([left.connection.whenIdle(), right.connection.whenIdle()]));
          await time.until(left.connection.close());
          expect((await time.until(right.connection.closed)).code).toBe(1000);
        },
      ),
      { numRuns: 40, interruptAfterTimeLimit: 10_000 },
    );
  }, 60_000);
});
