import { loadTranscript, transcriptNames } from '@edgesync/test-kit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Properties } from './properties.js';
import { fromHex } from './testing/bytes.js';
import { connectionToRawPeer } from './testing/pair.js';

const FAULT_CODES = [1002, 1008, 1009, 4001];

/** Runs frames against a connection that is in the middle of something, and says how it ended. */
async function feed(frames: readonly Uint8Array[]): Promise<void> {
  const { time, connection, faults, peer } = connectionToRawPeer({
    onRequest: (request) => request.respond({ body: request.body }),
    limits: { bodyBytes: 100_000, incomingBytes: 1_000_000 },
  });
  for (let i = 0; i < 3; i++) connection.request({ properties: Properties.of('Profile', 'x') }).catch(() => {});
  for (const frame of frames) peer.transport.send(frame.slice());
  await time.advance(5);
  for (const fault of faults) expect(fault).toMatchObject({ name: 'BlipProtocolError' });
  if (connection.isOpen) await time.until(connection.close());
  else expect(FAULT_CODES).toContain((await time.until(connection.closed)).code);
}

describe('S13: whatever comes in, the process lives and the connection answers or ends with a known code', () => {
  const seed = 20260801;

  it('rubbish', async () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 });
    await fc.assert(fc.asyncProperty(frames, feed), { seed, numRuns: 400, interruptAfterTimeLimit: 8_000 });
  });

  it('real conversations with bytes changed, frames lost, doubled or swapped', async () => {
    const recorded = transcriptNames()
      .flatMap((name) => loadTranscript(name).connections)
      .map(({ messages }) =>
        messages.flatMap(({ from, type, hex }) => (from === 'client' && type === 'binary' ? [fromHex(hex)] : [])),
      )
      .map((frames) => frames.slice(0, 30));
    const harm = fc.record({
      kind: fc.constantFrom('change', 'lose', 'double', 'swap', 'cut'),
      frame: fc.nat(1000),
      at: fc.nat(20_000),
      value: fc.nat(255),
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...recorded), fc.array(harm, { maxLength: 3 }), async (original, harms) => {
        const frames = original.map((frame) => frame.slice());
        for (const { kind, frame, at, value } of harms) {
          const index = frame % frames.length;
          const bytes = frames[index];
          if (!bytes || bytes.length === 0) continue;
          if (kind === 'change') bytes[at % bytes.length] = value;
          else if (kind === 'lose') frames.splice(index, 1);
          else if (kind === 'double') frames.splice(index, 0, bytes);
          else if (kind === 'cut') frames[index] = bytes.subarray(0, at % bytes.length);
          else frames.push(...frames.splice(index, 1));
          if (frames.length === 0) return;
        }
        await feed(frames);
      }),
      { seed, numRuns: 300, interruptAfterTimeLimit: 8_000 },
    );
  });
});
