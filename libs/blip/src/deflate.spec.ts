import { deflateRawSync, constants } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32, deflateEngine, deflateEngineWorks, nativeEngine } from './deflate.js';
import { MAX_INFLATED_FRAME_BYTES, SYNC_TRAILER, type DeflateEngine } from './deflate-engine.js';
import { pakoEngine } from './deflate-pako.js';
import { DeflaterPool } from './deflater-pool.js';
import { concatBytes, fromHex, fromText, noise } from './testing/bytes.js';
import { vectors } from './testing/vectors.js';

const engines: [string, DeflateEngine][] = [
  ['native', nativeEngine],
  ['pako', pakoEngine],
];
const withTrailer = (deflated: Uint8Array): Uint8Array => concatBytes(deflated, SYNC_TRAILER);

describe('crc32', () => {
  it('matches the vectors', () => {
    expect(crc32(fromText('123456789'), 0)).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0), 0)).toBe(0);
    expect(crc32(new Uint8Array(0), crc32(fromHex('0000'), 0))).toBe(0x41d912ff);
    expect(vectors.crc32).toHaveLength(3);
  });
});

describe.each(engines)('the %s engine', (_, engine) => {
  it('passes the self-test', () => {
    expect(deflateEngineWorks(engine)).toBe(true);
  });

  it('round-trips any sequence of frames through one context, with either engine at the other end', () => {
    const frame = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 400 }),
      fc.nat(100_000).map((length) => noise(length + 1, length, true)),
      fc.nat(100_000).map((length) => noise(length + 1, length)),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), (frames) => {
        const deflater = engine.createDeflater();
        const inflaters = engines.map(([, other]) => other.createInflater());
        for (const payload of frames) {
          const deflated = deflater.deflate(payload).slice();
          for (const inflater of inflaters)
            expect(Buffer.compare(inflater.inflate(withTrailer(deflated)), payload)).toBe(0);
        }
        for (const context of [deflater, ...inflaters]) context.close();
      }),
      { numRuns: 40 },
    );
  });

  // docs/protocol/blip.md#compression
  it('uses what went before', () => {
    const deflater = engine.createDeflater();
    const payload = noise(500, 1);
    const first = deflater.deflate(payload).length;
    expect(first).toBeGreaterThan(450);
    expect(deflater.deflate(payload).length).toBeLessThan(20);
  });

  it('understands a sender who forgets what went before', () => {
    const deflater = engine.createDeflater();
    const inflater = engine.createInflater();
    for (let turn = 0; turn < 3; turn++) {
      for (const payload of [noise(500, 1, true), noise(500, 1, true), noise(40_000, turn)])
        expect(Buffer.compare(inflater.inflate(withTrailer(deflater.deflate(payload))), payload)).toBe(0);
      deflater.reset();
    }
  });

  // docs/protocol/blip.md#inflated-size
  it('inflates a small frame to whatever it holds', () => {
    const zeros = new Uint8Array(1_000_000);
    const deflated = deflateRawSync(zeros, { finishFlush: constants.Z_SYNC_FLUSH });
    expect(deflated.length).toBeLessThan(1100);
    expect(engine.createInflater().inflate(deflated)).toEqual(zeros);
  });

  it('stops a bomb', () => {
    const bomb = deflateRawSync(new Uint8Array(MAX_INFLATED_FRAME_BYTES + 100_000), {
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    expect(() => engine.createInflater().inflate(bomb)).toThrow(expect.objectContaining({ rule: 'message-too-large' }));
  });

  it.each([
    ['rubbish', new Uint8Array(40).fill(0xff)],
    [
      'a reference to before the beginning',
      deflateRawSync(Buffer.from('aaaaaaaaaaaaaaaaaaaaaa'), {
        dictionary: Buffer.from('aaaaaaaaaaaaaaaaaa'),
        finishFlush: constants.Z_SYNC_FLUSH,
      }),
    ],
    ['a stream that is finished', withTrailer(deflateRawSync(Buffer.from('the end')))],
  ])('refuses %s', (_what, bytes) => {
    expect(() => engine.createInflater().inflate(bytes)).toThrow(expect.objectContaining({ rule: 'inflate-failed' }));
  });
});

describe('the choice of the engine', () => {
  it('is the native one on the runtime we ship', () => {
    expect(deflateEngine().name).toBe('native');
  });

  it('notices an engine that does not work', () => {
    const broken = (change: Partial<DeflateEngine>): DeflateEngine => ({ ...pakoEngine, ...change });
    const failing = (): never => {
      throw new Error('no such handle');
    };
    expect(deflateEngineWorks(broken({ createInflater: failing }))).toBe(false);
    const forgetful = broken({
      createDeflater: () => ({
        deflate: (payload) => pakoEngine.createDeflater().deflate(payload),
        reset: () => {},
        close: () => {},
      }),
    });
    expect(deflateEngineWorks(forgetful)).toBe(false);
    const credulous = broken({
      createInflater: () => {
        const inflater = pakoEngine.createInflater();
        return {
          inflate: (bytes) => (bytes[0] === 0xff ? bytes : inflater.inflate(bytes)),
          close: () => inflater.close(),
        };
      },
    });
    expect(deflateEngineWorks(credulous)).toBe(false);
  });
});

describe('the deflater pool', () => {
  it('moves contexts from idle connections to busy ones without confusing their peers', () => {
    let created = 0;
    const counting: DeflateEngine = {
      ...nativeEngine,
      createDeflater: () => {
        created++;
        return nativeEngine.createDeflater();
      },
    };
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(2000), fc.boolean()), { maxLength: 60 }), (steps) => {
        created = 0;
        const pool = new DeflaterPool<object>(() => counting, 2);
        const peers = Array.from({ length: 5 }, () => ({ borrower: {}, inflater: nativeEngine.createInflater() }));
        for (const [index, length, releases] of steps) {
          const { borrower, inflater } = peers[index]!;
          const payload = noise(length + 1, length, true);
          expect(Buffer.compare(inflater.inflate(withTrailer(pool.deflate(borrower, payload))), payload)).toBe(0);
          if (releases) pool.release(borrower);
        }
        expect(created).toBeLessThanOrEqual(2);
        for (const { inflater } of peers) inflater.close();
      }),
      { numRuns: 50 },
    );
  });
});
