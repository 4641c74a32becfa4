import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTRACT_VERSION, decodeMessage, encodeMessage, encodePieces, surelyExceeds, MessageKind } from './index.js';

const join = (pieces: Iterable<Uint8Array>): Uint8Array => Buffer.concat([...pieces]);

describe('a message', () => {
  it('has the layout that is written down', () => {
    const bytes = encodeMessage(MessageKind.reply, 7, { a: 1 }, ['ü', Uint8Array.of(0, 255)], 1);
    expect(Buffer.from(bytes).toString('hex')).toBe(
      `01020701${'00000007'}${'00000002'}${'00000002'}${'00000002'}7b2261223a317d${'c3bc'}${'00ff'}`,
    );
  });

  it('reads back as written, whatever the texts', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.string({ unit: 'grapheme' })), (meta, texts) => {
        const message = decodeMessage(encodeMessage(MessageKind.request, 3, meta, texts));
        expect(message).toMatchObject({ kind: MessageKind.request, version: 3, bodyCount: texts.length });
        expect(message.meta).toEqual(JSON.parse(JSON.stringify(meta)));
        expect(message.texts()).toEqual(texts);
        expect(message.views()).toEqual(texts.map((text) => new TextEncoder().encode(text)));
      }),
    );
  });

  it('is the same whether written whole or in pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array())), (bodies) => {
        const meta = { rows: bodies.length };
        expect(join(encodePieces(MessageKind.reply, 1, { meta, bodies }))).toEqual(
          Buffer.from(encodeMessage(MessageKind.reply, 1, meta, bodies)),
        );
      }),
    );
  });

  it('carries texts that are far larger than its buffers', () => {
    const large = 'äb'.repeat(3_000_000);
    expect(decodeMessage(encodeMessage(MessageKind.reply, 1, {}, [large, 'x'])).texts()).toEqual([large, 'x']);
  });

  it('is not changed by the next one', () => {
    const first = encodeMessage(MessageKind.reply, 1, {}, ['first']);
    encodeMessage(MessageKind.reply, 1, {}, ['other']);
    expect(decodeMessage(first).texts()).toEqual(['first']);
  });

  it('of another contract version is refused with a reason that names both', () => {
    const bytes = encodeMessage(MessageKind.reply, 1, {});
    bytes[0] = CONTRACT_VERSION + 1;
    expect(() => decodeMessage(bytes)).toThrow(
      expect.objectContaining({ code: 'bus.version', message: expect.stringMatching(/version 2 .* speaks 1/) }),
    );
  });

  it('that is cut anywhere is refused', () => {
    const bytes = encodeMessage(MessageKind.reply, 1, { some: 'meta' }, ['one', 'two']);
    for (let length = 0; length < bytes.byteLength; length++)
      expect(() => decodeMessage(bytes.subarray(0, length))).toThrow(expect.objectContaining({ code: 'bus.invalid' }));
  });

  it('of random bytes is read or refused, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        bytes[0] = CONTRACT_VERSION;
        try {
          decodeMessage(bytes).texts();
        } catch (error) {
          expect(error).toMatchObject({ code: 'bus.invalid' });
        }
      }),
    );
  });

  it('is known to be too large without writing it', () => {
    expect(surelyExceeds({ meta: {}, bodies: ['x'.repeat(100)] }, 100)).toBe(true);
    expect(surelyExceeds({ meta: {}, bodies: ['x'.repeat(10)] }, 100)).toBe(false);
  });
});
