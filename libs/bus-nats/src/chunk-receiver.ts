import { createHash } from 'node:crypto';
import { ChunkMark, CreditSignal, encodeMessage, MessageKind, type Message } from '@edgesync/bus-contract';
import { EdgeError } from '@edgesync/errors';
import { ALIVE_MS, STALL_MS, WINDOW_CHUNKS } from './tuning.js';

/**
 * Takes one large value that arrives in chunks. It holds at most a window of them: the sender goes on only as they are
 * read. The end is checked: nothing missing, nothing twice, and the digest of the whole.
 */
export class ChunkReceiver implements AsyncIterable<Uint8Array> {
  private readonly queue: Uint8Array[] = [];
  private readonly hash = createHash('sha256');
  private readonly alive: NodeJS.Timeout;
  private expected = 0;
  private taken = 0;
  private heardAt = performance.now();
  private ended = false;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;

  /**
   * @param publish sends to the sender
   * @param closed called once: nothing more is expected
   */
  constructor(
    private readonly publish: (message: Uint8Array) => void,
    private readonly closed: () => void,
  ) {
    this.alive = setInterval(() => this.showAlive(), ALIVE_MS);
  }

  /** Messages of the sender: a chunk, the end, a sign of life, or that there will be no more. */
  accept(message: Message): void {
    this.heardAt = performance.now();
    if (message.kind === MessageKind.chunk) this.takeChunk(message);
    else if (message.kind === MessageKind.end) this.takeEnd(message);
    else if (message.kind === MessageKind.cancel)
      this.fail(new EdgeError('storage.unavailable', 'the sender of a large value broke off'));
  }

  /** Ends the reading with an error. The sender is notified: it need not wait to find out. */
  fail(error: Error): void {
    if (this.ended || this.failure) return;
    this.failure = error;
    this.publish(encodeMessage(MessageKind.cancel, CreditSignal.version, undefined));
    this.queue.length = 0;
    this.finish();
  }

  /** @throws EdgeError `storage.unavailable` if the transfer breaks off or is damaged */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const chunk = this.queue.shift();
        if (chunk) {
          yield chunk;
          this.taken++;
          if (!this.ended) this.giveCredit();
        } else if (this.failure) throw this.failure;
        else if (this.ended) return;
        else await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      this.cancel();
    }
  }

  /** Everything, as one piece of memory. */
  async whole(): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** Nobody reads any more. */
  cancel(): void {
    this.fail(new EdgeError('storage.unavailable', 'cancelled'));
  }

  private takeChunk(message: Message): void {
    if (this.ended || this.failure) return;
    const { index } = ChunkMark.parse(message);
    if (index !== this.expected || this.queue.length > WINDOW_CHUNKS)
      return this.fail(new EdgeError('storage.unavailable', 'a piece of a large value was lost'));
    this.expected++;
    const chunk = message.rest();
    this.hash.update(chunk);
    this.queue.push(chunk);
    this.wakeReader();
  }

  private takeEnd(message: Message): void {
    if (this.ended || this.failure) return;
    const { index, sha256 } = ChunkMark.parse(message);
    if (index !== this.expected || sha256 !== this.hash.digest('hex'))
      return this.fail(new EdgeError('storage.unavailable', 'a large value arrived damaged'));
    this.ended = true;
    this.finish();
  }

  private giveCredit(): void {
    this.publish(encodeMessage(MessageKind.credit, CreditSignal.version, new CreditSignal(this.taken)));
  }

  private showAlive(): void {
    if (performance.now() - this.heardAt > STALL_MS)
      this.fail(new EdgeError('storage.unavailable', 'the sender of a transfer has gone'));
    else this.giveCredit();
  }

  private finish(): void {
    clearInterval(this.alive);
    this.closed();
    this.wakeReader();
  }

  private wakeReader(): void {
    this.wake?.();
    this.wake = undefined;
  }
}
