import { createHash } from 'node:crypto';
import { ChunkMark, CreditSignal, encodeMessage, MessageKind, type Message } from '@edgesync/bus-contract';
import { EdgeError } from '@edgesync/errors';
import { ALIVE_MS, CHUNK_BYTES, STALL_MS, WINDOW_CHUNKS } from './tuning.js';

/** Sends one large value in chunks, never more of them ahead than the receiver has room for. */
export class ChunkSender {
  private taken = 0;
  private heardAt = performance.now();
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  /**
   * @param publish sends to the receiver
   * @param failed called when the receiver has gone, so that the source need not go on
   */
  constructor(
    private readonly publish: (message: Uint8Array) => void,
    private readonly failed: (error: Error) => void = () => undefined,
  ) {}

  /** Messages of the receiver: credit or cancellation. */
  accept(message: Message): void {
    this.heardAt = performance.now();
    if (message.kind === MessageKind.cancel) return this.fail(new EdgeError('storage.unavailable', 'cancelled'));
    if (message.kind !== MessageKind.credit) return;
    const { taken } = CreditSignal.parse(message);
    if (taken > this.taken) {
      this.taken = taken;
      this.wake?.();
    }
  }

  /** Ends {@link send} with an error. */
  fail(error: Error): void {
    if (this.failure) return;
    this.failure = error;
    this.failed(error);
    this.wake?.();
  }

  /** Resolves when all is sent, which is before all has arrived. @throws EdgeError `storage.unavailable` */
  send(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    return this.sendChunks(regroup(source, CHUNK_BYTES));
  }

  /** As {@link send}, but each piece at once: a piece never waits for the next one to make a whole chunk. */
  sendPieces(source: AsyncIterable<Uint8Array>): Promise<void> {
    return this.sendChunks(cut(source, CHUNK_BYTES));
  }

  private async sendChunks(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const hash = createHash('sha256');
    let index = 0;
    this.heardAt = performance.now();
    const alive = setInterval(() => this.showAlive(), ALIVE_MS);
    try {
      for await (const chunk of chunks) {
        await this.waitForRoom(index);
        hash.update(chunk);
        this.publish(encodeMessage(MessageKind.chunk, ChunkMark.version, new ChunkMark(index++), [chunk]));
      }
      if (this.failure) throw this.failure;
      const end = new ChunkMark(index, hash.digest('hex'));
      this.publish(encodeMessage(MessageKind.end, ChunkMark.version, end));
    } catch (error) {
      // The receiver need not wait to find out, whatever it was.
      this.publish(encodeMessage(MessageKind.cancel, ChunkMark.version, undefined));
      throw error;
    } finally {
      clearInterval(alive);
    }
  }

  private async waitForRoom(index: number): Promise<void> {
    while (!this.failure && index >= this.taken + WINDOW_CHUNKS)
      await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
    if (this.failure) throw this.failure;
  }

  private showAlive(): void {
    if (performance.now() - this.heardAt > STALL_MS)
      return this.fail(new EdgeError('storage.unavailable', 'the receiver of a transfer has gone'));
    this.publish(encodeMessage(MessageKind.idle, ChunkMark.version, undefined));
  }
}

/** Cuts pieces that are larger than a chunk. */
async function* cut(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of source)
    for (let from = 0; from < piece.byteLength; from += size) yield piece.subarray(from, from + size);
}

/** Cuts and joins pieces into chunks of `size` bytes; the last one may be smaller. */
export async function* regroup(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let chunk = new Uint8Array(size);
  let used = 0;
  for await (const piece of source) {
    for (let from = 0; from < piece.byteLength;) {
      const count = Math.min(size - used, piece.byteLength - from);
      chunk.set(piece.subarray(from, from + count), used);
      used += count;
      from += count;
      if (used === size) {
        yield chunk;
        chunk = new Uint8Array(size);
        used = 0;
      }
    }
  }
  if (used > 0) yield chunk.subarray(0, used);
}
