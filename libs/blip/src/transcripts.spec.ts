import { loadTranscript, transcriptNames, type TranscriptConnection } from '@edgesync/test-kit';
import { describe, expect, it } from 'vitest';
import { BlipConnection } from './connection.js';
import { readErrorReply } from './replies.js';
import { encodeAck, FrameEncoder, MAX_FRAME_BYTES } from './frame-encoder.js';
import { FrameDecoder, type MessageFrame } from './frame-decoder.js';
import type { IncomingRequest } from './incoming-request.js';
import { DEFAULT_LIMITS } from './limits.js';
import { loopbackPair } from './testing/loopback-transport.js';
import { type BlipMessage, FrameFlag, MessageType } from './message.js';
import { MessageReceiver } from './message-receiver.js';
import { Properties } from './properties.js';
import { concatBytes, fromHex, noise, toHex } from './testing/bytes.js';
import {
  assembleMessages,
  decodeFrames,
  type RecordedFrame,
  type RecordedMessage,
  splitAt,
} from './testing/conversation.js';
import { VirtualTime } from './testing/virtual-time.js';

const framesOf = (connection: TranscriptConnection): RecordedFrame[] =>
  decodeFrames(connection.messages.filter(({ type }) => type === 'binary'));

const sides = ['client', 'server'] as const;

describe.each(transcriptNames())('the transcript %s', (name) => {
  const connections = loadTranscript(name).connections.map(framesOf);

  it('S3, S4: decodes with every checksum right, and is encoded again: plain frames byte for byte', () => {
    for (const frames of connections)
      for (const side of sides) {
        const encoder = new FrameEncoder();
        const decoder = new FrameDecoder();
        for (const { hex, number, message, ack } of frames.filter(({ from }) => from === side)) {
          if (ack) {
            expect(toHex(encodeAck(number, ack.ofReply, ack.receivedBytes))).toBe(hex);
            continue;
          }
          const { flags, payload } = message!;
          const compress = (flags & FrameFlag.compressed) !== 0;
          // A frame of a real client may inflate to more than one of ours may hold.
          const capacity = FrameEncoder.payloadCapacity(number, MAX_FRAME_BYTES, compress);
          const pieces: Uint8Array[] = [];
          for (let at = 0; at === 0 || at < payload.length; at += capacity) {
            const piece = payload.subarray(at, at + capacity);
            const source = { takeInto: (target: Uint8Array, to: number) => target.set(piece, to) };
            const bytes = encoder.encode(number, flags & ~FrameFlag.compressed, source, piece.length, compress);
            if (!compress) expect(toHex(bytes)).toBe(hex);
            pieces.push((decoder.decode(bytes) as MessageFrame).payload.slice());
          }
          expect(Buffer.compare(concatBytes(...pieces), payload)).toBe(0);
        }
        encoder.close();
      }
  });

  it('S5: properties are encoded byte for byte', () => {
    for (const message of connections.flatMap(assembleMessages)) {
      const payload = concatBytes(message.properties.encode(), message.body);
      expect(Buffer.compare(payload, message.payload)).toBe(0);
    }
  });

  it('S6: messages arrive the same however they are cut into frames', () => {
    for (const frames of connections)
      for (const side of sides) {
        const sent = assembleMessages(frames).filter(({ from }) => from === side);
        const received: BlipMessage[] = [];
        const receiver = collectingReceiver(received);
        const encoder = new FrameEncoder();
        let expected = 0;
        let nextRequest = 1;
        for (const message of sent) {
          for (const cut of cutsOf(message.payload.length)) {
            const isRequest = message.type === MessageType.request;
            const number = isRequest ? nextRequest++ : message.number;
            const flags = message.type | (message.noReply ? FrameFlag.noReply : 0);
            for (const frame of splitAt(encoder, number, flags, message.payload, cut)) receiver.receive(frame);
            const arrived = received[expected++]!;
            if (arrived.properties.size !== message.properties.size || Buffer.compare(arrived.body, message.body) !== 0)
              expect.fail(`message ${message.number} of the ${side} cut at ${cut}`);
          }
        }
        expect(received).toHaveLength(expected);
      }
  });

  it('S1: every frame that is cut short, or has a byte more, ends the conversation in good order', () => {
    for (const frames of connections)
      for (const { hex } of frames.slice(0, 60)) {
        const bytes = fromHex(hex);
        for (const length of cutsOf(bytes.length)) {
          if (length === bytes.length) continue;
          try {
            new FrameDecoder().decode(bytes.slice(0, length));
          } catch (error) {
            expect(error).toMatchObject({ name: 'BlipProtocolError' });
          }
        }
        if (frames[0]!.hex === hex && frames[0]!.message)
          expect(() => new FrameDecoder().decode(concatBytes(bytes, Uint8Array.of(7)))).toThrow(
            expect.objectContaining({ name: 'BlipProtocolError' }),
          );
      }
  });

  it.each(sides)('S2, S7–S9: a connection of ours can be the %s', async (us) => {
    for (const frames of connections) await play(frames, us);
  });
});

/** All places to cut a short payload, and some of a long one. */
function cutsOf(length: number): number[] {
  if (length <= 300) return Array.from({ length: length + 1 }, (_, at) => at);
  return [
    0,
    1,
    2,
    3,
    64,
    127,
    128,
    length >> 1,
    length - 1,
    length,
    ...noise(8, length).map((byte) => (byte * length) >> 8),
  ];
}

function collectingReceiver(received: BlipMessage[]): MessageReceiver {
  return new MessageReceiver(DEFAULT_LIMITS, {
    onRequest: (request) => received.push(request),
    onReply: (reply) => received.push(reply),
    onAck: () => {},
    sendAck: () => {},
    checkReply: () => {},
    streamReply: () => undefined,
  });
}

/**
 * Plays one side of a conversation with a connection of ours: the other side's frames come as they were recorded, ours
 * say what the recorded side said. What we send must be the same messages, and acknowledge the same bytes.
 */
async function play(frames: readonly RecordedFrame[], us: 'client' | 'server'): Promise<void> {
  const time = new VirtualTime();
  const [ourEnd, theirEnd] = loopbackPair({ scheduler: time, inFlightBytes: 1 << 30 });
  const faults: unknown[] = [];
  const requests = new Map<number, IncomingRequest>();
  const received: BlipMessage[] = [];
  const connection = new BlipConnection(ourEnd, {
    scheduler: time,
    onRequest: (request) => {
      requests.set(request.number, request);
      received.push(request);
    },
    onFault: (fault) => faults.push(fault),
  });
  const sent: { from: string; hex: string }[] = [];
  let theirAcks = 0;
  theirEnd.attach({
    onFrame: (frame) => {
      sent.push({ from: us, hex: toHex(frame) });
      const flags = frame[frame.findIndex((byte) => byte < 0x80) + 1]!;
      if (flags & FrameFlag.moreComing) {
        theirAcks += frame.length - 2;
        const isReply = (flags & FrameFlag.typeMask) !== MessageType.request;
        theirEnd.send(encodeAck(frame[0]!, isReply, theirAcks));
      } else theirAcks = 0;
    },
    onDrain: () => {},
    onClose: () => {},
  });

  const messages = new Map(assembleMessages(frames).map((message) => [message.firstFrame, message]));
  const replies: Promise<void>[] = [];
  for (const [index, { from, hex, ack }] of frames.entries()) {
    if (from !== us) {
      // Their ACKs count bytes as the recorded side compressed them.
      if (!ack) theirEnd.send(fromHex(hex));
    } else {
      const message = messages.get(index);
      if (message) say(connection, message, requests, replies, [...messages.values()]);
    }
    await time.advance(0);
  }
  // A transcript may end with requests that were never answered.
  await time.until(connection.close());
  await Promise.allSettled(replies);

  expect(faults).toEqual([]);
  const theirs = [...messages.values()].filter(({ from, type }) => from !== us && type === MessageType.request);
  expect(received.map(summary)).toEqual(theirs.map(summary));
  const spoken = decodeFrames(sent);
  const ours = [...messages.values()].filter(({ from }) => from === us);
  const inOrder = (list: RecordedMessage[]) => list.map(summary);
  expect(inOrder(assembleMessages(spoken))).toEqual(inOrder(ours));
  // Couchbase's engine also acknowledges the end of a message, which nobody waits for.
  const wanted = frames.filter((frame, at) => frame.from === us && frame.ack && isUnfinished(frames, at, frame));
  expect(spoken.filter(({ ack }) => ack).map(({ hex }) => hex)).toEqual(wanted.map(({ hex }) => hex));
}

/** Whether the message that the ACK at a place belongs to has a frame behind that place. */
function isUnfinished(frames: readonly RecordedFrame[], at: number, { from, number, ack }: RecordedFrame): boolean {
  return frames
    .slice(at)
    .some(
      (frame) =>
        frame.from !== from &&
        frame.number === number &&
        frame.message !== undefined &&
        (frame.message.type !== MessageType.request) === ack!.ofReply,
    );
}

function say(
  connection: BlipConnection,
  message: RecordedMessage,
  requests: ReadonlyMap<number, IncomingRequest>,
  replies: Promise<void>[],
  all: readonly RecordedMessage[],
): void {
  const { type, number, properties, body, urgent, compressed, noReply, from } = message;
  if (type === MessageType.response) requests.get(number)!.respond({ properties, body, urgent, compressed });
  else if (type === MessageType.error)
    requests.get(number)!.respondError(readErrorReply(properties, Buffer.from(body).toString()));
  else if (noReply) connection.notify({ properties, body, urgent, compressed });
  else {
    const recorded = all.find(
      (other) => other.from !== from && other.type !== MessageType.request && other.number === number,
    );
    const reply = connection.request({ properties, body, urgent, compressed });
    replies.push(
      reply.then((received) => {
        expect([...received.properties]).toEqual([...recorded!.properties]);
        expect(Buffer.compare(received.body, recorded!.body)).toBe(0);
      }),
    );
    reply.catch(() => {});
  }
}

function summary({ type, number, properties, body, urgent, noReply }: BlipMessage): unknown {
  const isError = type === MessageType.error;
  const text = isError ? Properties.from({ ...properties.toRecord() }) : properties;
  return [type, number, [...text], urgent, noReply, body.length, Buffer.from(body).toString('base64').slice(0, 2000)];
}
