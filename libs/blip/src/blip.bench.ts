import { test } from 'vitest';
import { BlipConnection } from './connection.js';
import { nativeEngine } from './deflate.js';
import { SYNC_TRAILER } from './deflate-engine.js';
import { pakoEngine } from './deflate-pako.js';
import { FrameDecoder } from './frame-decoder.js';
import { FrameEncoder } from './frame-encoder.js';
import { wholeMessage } from './incoming-message.js';
import { outgoingMessage } from './outgoing-message.js';
import { concatBytes } from './testing/bytes.js';
import { revMessages } from './testing/rev-messages.js';
import type { Transport, TransportReceiver } from './transport.js';

/** Messages per iteration: the figures shown are thousands of messages per second. */
const BATCH = 1000;
const messages = revMessages(BATCH);

/** A link without any cost: the peer gets the frame within `send`. */
class DirectTransport implements Transport {
  peer!: DirectTransport;
  receiver!: TransportReceiver;
  readonly bufferedBytes = 0;
  readonly congested = false;
  attach(receiver: TransportReceiver): void {
    this.receiver = receiver;
  }
  send(frame: Uint8Array): void {
    this.peer.receiver.onFrame(frame);
  }
  close(): void {}
  terminate(): void {}
}

for (const compress of [false, true])
  test(`${BATCH} rev messages of 0.9 kB, ${compress ? 'compressed' : 'plain'}`, async ({ bench }) => {
    const encoder = new FrameEncoder();
    const decoder = new FrameDecoder();
    let number = 1;
    const encodeAll = (use: (frame: Uint8Array) => void): void => {
      for (const message of messages) {
        const outgoing = outgoingMessage(number++, 0, message);
        use(encoder.encode(outgoing.number, 0, outgoing, outgoing.availableBytes, compress));
      }
    };

    const [left, right] = [new DirectTransport(), new DirectTransport()];
    left.peer = right;
    right.peer = left;
    const scheduler = { schedule: () => () => {} };
    const sender = new BlipConnection(left, { scheduler, onRequest: () => {} });
    new BlipConnection(right, { scheduler, onRequest: (request) => request.respond() });

    await bench.compare(
      bench('encode and decode', () => {
        encodeAll((frame) => {
          const decoded = decoder.decode(frame);
          if (decoded.kind === 'message') wholeMessage(decoded.number, decoded.type, decoded.flags, decoded.payload);
        });
      }),
      bench('two whole connections: request, empty reply', () => {
        let answers = 0;
        for (const { properties, body } of messages)
          sender.send({ properties, body, compressed: compress }, (reply) => {
            if (reply) answers++;
          });
        if (answers !== BATCH) throw new Error(`${answers} answers`);
      }),
    );
  });

for (const engine of [nativeEngine, pakoEngine])
  test(`${BATCH} frames of 0.9 kB, ${engine.name}`, async ({ bench }) => {
    const payloads = messages.map(({ properties, body }) => concatBytes(properties.encode(), body));
    const once = engine.createDeflater();
    const frames = payloads.map((payload) => concatBytes(once.deflate(payload), SYNC_TRAILER));
    const deflater = engine.createDeflater();

    await bench.compare(
      bench('deflate', () => {
        for (const payload of payloads) deflater.deflate(payload);
      }),
      bench('inflate', () => {
        const inflater = engine.createInflater();
        for (const frame of frames) inflater.inflate(frame);
        inflater.close();
      }),
    );
  });
