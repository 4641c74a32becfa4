import { decodeMessage, type Message } from '@edgesync/bus-contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkReceiver } from './chunk-receiver.js';
import { ChunkSender, regroup } from './chunk-sender.js';
import { WINDOW_CHUNKS } from './tuning.js';

/** A sender and a receiver whose messages arrive at once, unless `passes` says otherwise. */
function pair(passes: (number: number, message: Message) => boolean = () => true) {
  let number = 0;
  let open = true;
  const receiver: ChunkReceiver = new ChunkReceiver(
    (bytes) => queueMicrotask(() => sender.accept(decodeMessage(bytes))),
    () => (open = false),
  );
  const sender = new ChunkSender((bytes) => {
    const message = decodeMessage(bytes);
    if (passes(number++, message)) queueMicrotask(() => receiver.accept(message));
  });
  return { sender, receiver, isOpen: () => open };
}

const bytesOf = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * seed * 31 + (index >> 8)) & 255);

const MEGABYTE = 1_048_576;

describe('a large value in chunks', () => {
  it('arrives as it was, however its source is cut', async () => {
    const pieces = [bytesOf(0), bytesOf(3 * MEGABYTE), bytesOf(17, 3), bytesOf(MEGABYTE + 1, 5)];
    const { sender, receiver, isOpen } = pair();
    const [whole] = await Promise.all([receiver.whole(), sender.send(pieces)]);
    expect(Buffer.from(whole).equals(Buffer.concat(pieces))).toBe(true);
    expect(isOpen()).toBe(false);
  });

  it('is not sent further ahead than the window', async () => {
    let chunks = 0;
    const { sender, receiver } = pair(() => (chunks++, true));
    const sending = sender.send([bytesOf(8 * MEGABYTE)]);
    const reading = receiver[Symbol.asyncIterator]();
    await reading.next();
    await new Promise((resolve) => setImmediate(resolve));
    expect(chunks).toBeLessThanOrEqual(WINDOW_CHUNKS + 1);
    await reading.return();
    await expect(sending).rejects.toMatchObject({ code: 'storage.unavailable' });
  });

  it.each([0, 1, 5])('is not taken without its piece %i', async (lost) => {
    const { sender, receiver } = pair((number) => number !== lost);
    const outcomes = await Promise.allSettled([receiver.whole(), sender.send([bytesOf(3 * MEGABYTE)])]);
    expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: { code: 'storage.unavailable' } });
  });

  it('is not taken if a byte of it changed', async () => {
    const { sender, receiver } = pair((number, message) => {
      if (number === 1) message.rest()[77]! ^= 1;
      return true;
    });
    await expect(Promise.all([receiver.whole(), sender.send([bytesOf(MEGABYTE)])])).rejects.toMatchObject({
      message: expect.stringMatching(/damaged/),
    });
  });

  it('whose source fails ends both sides', async () => {
    const failing = async function* () {
      yield bytesOf(10);
      throw new Error('the source failed');
    };
    const { sender, receiver, isOpen } = pair();
    const [received, sent] = await Promise.allSettled([receiver.whole(), sender.send(failing())]);
    expect(received).toMatchObject({ status: 'rejected', reason: { code: 'storage.unavailable' } });
    expect(sent).toMatchObject({ status: 'rejected', reason: { message: 'the source failed' } });
    expect(isOpen()).toBe(false);
  });

  it('is cut into chunks of the asked size that join to the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 20 })),
        fc.integer({ min: 1, max: 9 }),
        async (pieces, size) => {
          const chunks: Uint8Array[] = [];
          for await (const chunk of regroup(pieces, size)) chunks.push(chunk);
          expect(Buffer.concat(chunks)).toEqual(Buffer.concat(pieces));
          expect(chunks.slice(0, -1).every(({ byteLength }) => byteLength === size)).toBe(true);
          expect(chunks.every(({ byteLength }) => byteLength > 0)).toBe(true);
        },
      ),
    );
  });
});
