import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { RecycledReads } from './recycled-reads.js';

const FROM = { once: () => undefined, resume: () => undefined, pause: () => undefined } as unknown as Socket;

/** A client that takes nothing until a test lets it. */
function slowClient() {
  const waiting: { readonly chunk: Buffer; readonly done: () => void }[] = [];
  const write = (chunk: Buffer, _: string, done: () => void): void => void waiting.push({ chunk, done });
  const to = new Writable({ write, highWaterMark: 256 * 1_024 });
  return { to, waiting };
}

/** Does what a socket does with what it reads. @returns whether it would read on */
function read({ onread }: RecycledReads, sent: Buffer): boolean {
  const memory = onread.buffer as Buffer;
  sent.copy(memory);
  return onread.callback(sent.length, memory) !== false;
}

it('connections that nothing comes from share the memory they will read into, whatever came before', () => {
  const [one, other] = [new RecycledReads(), new RecycledReads()];
  one.pipe(FROM, slowClient().to);
  read(one, randomBytes(65_536));
  expect(one.onread.buffer).toBe(other.onread.buffer);
});

it('what waits for a slow client holds about as much memory as it is long', () => {
  for (const size of [100, 2_048, 4_096, 20_000, 65_536]) {
    const held: Buffer[] = [];
    const to = { write: (chunk: Buffer) => held.push(chunk), once: () => undefined } as unknown as Writable;
    const reads = new RecycledReads();
    reads.pipe(FROM, to);
    const count = Math.ceil(1_000_000 / size);
    for (let index = 0; index < count; index++) read(reads, Buffer.alloc(size));
    const memory = [...new Set(held.map(({ buffer }) => buffer))];
    expect(memory.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(4 * count * size);
  }
});

it('memory is used again when it was written, and not before', async () => {
  const { to, waiting } = slowClient();
  const reads = new RecycledReads();
  reads.pipe(FROM, to);
  const sent = Array.from({ length: 5 }, () => randomBytes(65_536));
  expect(sent.map((piece) => read(reads, piece))).toEqual([true, true, true, false, false]);
  const memory = new Set<ArrayBufferLike>();
  for (const [index, piece] of sent.entries()) {
    const { chunk, done } = waiting[index]!;
    expect(chunk.equals(piece)).toBe(true);
    memory.add(chunk.buffer);
    done();
  }
  expect(memory.size).toBe(sent.length);
  await setImmediate();
  read(reads, sent[0]!);
  expect(memory).toContain(waiting.at(-1)!.chunk.buffer);
});
