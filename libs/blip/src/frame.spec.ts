import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nativeEngine } from './deflate.js';
import { pakoEngine } from './deflate-pako.js';
import { FrameDecoder, type MessageFrame } from './frame-decoder.js';
import { encodeAck, FrameEncoder, MAX_FRAME_BYTES } from './frame-encoder.js';
import { FrameFlag } from './message.js';
import { Properties } from './properties.js';
import { BlipProtocolError } from './protocol-error.js';
import { assembleMessages, decodeFrames } from './testing/conversation.js';
import { concatBytes, fromHex, fromText, noise, toHex, toText } from './testing/bytes.js';
import { vectors } from './testing/vectors.js';

const source = (payload: Uint8Array) => ({
  takeInto: (target: Uint8Array, at: number, count: number) => target.set(payload.subarray(0, count), at),
});
const encode = (encoder: FrameEncoder, number: number, flags: number, payload: Uint8Array, compress = false) =>
  encoder.encode(number, flags, source(payload), payload.length, compress);

describe('frames', () => {
  // docs/protocol/blip.md#checksums
  it('an uncompressed conversation is encoded byte for byte, with checksums running per direction', () => {
    const encoders = new Map([
      ['A', new FrameEncoder()],
      ['B', new FrameEncoder()],
    ]);
    for (const frame of vectors.uncompressedConversation.frames) {
      const payload = concatBytes(Properties.from(clean(frame.properties)).encode(), fromText(frame.body));
      expect(toHex(payload)).toBe(frame.payloadHex);
      const bytes = encode(encoders.get(frame.from)!, frame.messageNumber, Number(frame.flags), payload);
      expect(toHex(bytes)).toBe(frame.frameHex);
    }
  });

  it('an uncompressed conversation is decoded', () => {
    const frames = vectors.uncompressedConversation.frames;
    const decoded = decodeFrames(frames.map(({ from, frameHex }) => ({ from, hex: frameHex })));
    expect(decoded.map(({ message }) => toHex(message!.payload))).toEqual(frames.map(({ payloadHex }) => payloadHex));
    expect(decoded.map(({ number }) => number)).toEqual(frames.map(({ messageNumber }) => messageNumber));
  });

  // docs/protocol/blip.md#compression
  it.each([nativeEngine, pakoEngine])('a compressed conversation is decoded ($name)', (engine) => {
    const decoder = new FrameDecoder(() => engine);
    for (const { frameHex, payloadHex, flags } of vectors.compressedConversation.frames) {
      const frame = decoder.decode(fromHex(frameHex)) as MessageFrame;
      expect(toHex(frame.payload)).toBe(payloadHex);
      expect(frame.flags).toBe(Number(flags));
    }
  });

  it('split messages and their ACKs match the vector', () => {
    const { frames, wholePayloadHex } = vectors.multiFrame;
    const decoded = decodeFrames(frames.map(({ from, frameHex }) => ({ from, hex: frameHex })));
    const ofFirst = decoded.filter(({ number, message }) => number === 1 && message);
    expect(toHex(concatBytes(...ofFirst.map(({ message }) => message!.payload)))).toBe(wholePayloadHex);
    for (const { type, messageNumber, ackBytes, frameHex } of frames.filter(({ ackBytes }) => ackBytes)) {
      expect(toHex(encodeAck(messageNumber, type === 'ACKRES', ackBytes!))).toBe(frameHex);
      const ack = new FrameDecoder().decode(fromHex(frameHex));
      expect(ack).toMatchObject({
        kind: 'ack',
        number: messageNumber,
        receivedBytes: ackBytes,
        ofReply: type === 'ACKRES',
      });
    }
  });

  // docs/protocol/blip.md#empty-compressed-frames
  it('a compressed frame with an empty body holds nothing and does not touch the context', () => {
    const frame = new FrameDecoder().decode(fromHex(vectors.emptyCompressedFrame.frameHex)) as MessageFrame;
    expect(frame.payload).toHaveLength(0);
    const encoded = encode(new FrameEncoder(), 1, 0, new Uint8Array(0), true);
    expect(toHex(encoded)).toBe('010000000000');
  });

  it.each(vectors.liveCaptures)('decodes a capture: $description', ({ frames }) => {
    const messages = assembleMessages(decodeFrames(frames.map(({ from, frameHex }) => ({ from, hex: frameHex }))));
    for (const message of messages) {
      const expected = frames[message.firstFrame] as (typeof frames)[number] & { bodyHex?: string };
      expect(message.properties.toRecord()).toEqual(clean(expected.properties));
      if (expected.bodyHex !== undefined) expect(toHex(message.body)).toBe(expected.bodyHex);
      else expect(toText(message.body)).toBe(expected.body);
    }
  });

  // docs/protocol/connection.md#websocket-rules
  it('never exceed 16 KiB, compressed or not, whatever they hold', () => {
    const encoder = new FrameEncoder();
    for (const number of [1, 200, 70_000, 2 ** 40]) {
      for (const compress of [false, true]) {
        const payload = noise(FrameEncoder.payloadCapacity(number, MAX_FRAME_BYTES, compress), number);
        const frame = encode(encoder, number, FrameFlag.urgent, payload, compress);
        expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
        expect(frame.length).toBeGreaterThan(payload.length);
      }
    }
    encoder.close();
  });

  it('come back as they went, in any mixture', () => {
    const frame = fc.tuple(
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.nat(2),
      fc.uint8Array({ maxLength: 500 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.array(frame), (frames) => {
        const encoder = new FrameEncoder();
        const decoder = new FrameDecoder();
        for (const [number, type, payload, compress] of frames) {
          const decoded = decoder.decode(encode(encoder, number, type, payload, compress));
          expect(decoded).toMatchObject({ kind: 'message', number, type });
          expect(Buffer.compare((decoded as MessageFrame).payload, payload)).toBe(0);
        }
        encoder.close();
        decoder.close();
      }),
      { numRuns: 50 },
    );
  });

  it.each([3, 6, 7])('of the unknown type %i are passed over', (type) => {
    expect(new FrameDecoder().decode(Uint8Array.of(1, type, 9, 9))).toEqual({ kind: 'unknown' });
  });

  it('are refused when any bit of their payload or checksum is wrong', () => {
    const good = fromHex(vectors.uncompressedConversation.frames[0]!.frameHex);
    for (let bit = 16; bit < good.length * 8; bit++) {
      const bad = good.slice();
      bad[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => new FrameDecoder().decode(bad)).toThrow(expect.objectContaining({ rule: 'checksum-mismatch' }));
    }
  });

  it.each(['', '01', '80', '0100', '010000', '0100000000', '0134', '013480'])('are refused when cut off: %s', (hex) => {
    expect(() => new FrameDecoder().decode(fromHex(hex))).toThrow(BlipProtocolError);
  });
});

/** JSON imports give optional properties of unions the value undefined. */
function clean(properties: Record<string, string | undefined>): Record<string, string> {
  return Properties.from(properties).toRecord();
}
