import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { FEED_PIECE_CHARACTERS, STALLED_AFTER_MS } from '../tuning.js';

/**
 * The reply of a feed. What is written before {@link open} is kept: a feed that ends by then is sent as a whole, with
 * its length. After that everything goes out at once, headers first.
 */
export class FeedOutput {
  /** Called once, when the client is gone or the reply complete. */
  onClose: () => void = () => {};
  private readonly response: ServerResponse;
  private kept: Buffer[] | undefined = [];
  private unflushed = 0;
  private onFlushed: (() => void) | undefined;
  private isClosed = false;

  /** Takes the reply over from Fastify. */
  constructor(reply: FastifyReply, contentType: string) {
    reply.hijack();
    this.response = reply.raw;
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) this.response.setHeader(name, value);
    this.response.setHeader('content-type', contentType);
    const { socket } = reply.request.raw;
    // A client that has closed its side gets no reply from Node, so nothing needs to be kept for it.
    const onEnd = (): void => void this.response.destroy();
    socket.once('end', onEnd);
    this.response.once('close', () => {
      socket.off('end', onEnd);
      this.isClosed = true;
      this.flushed();
      this.onClose();
    });
    if (this.response.destroyed || socket.destroyed) this.isClosed = true;
  }

  /** Whether nobody is left to write to. */
  get closed(): boolean {
    return this.isClosed;
  }

  /** Whether something is on its way to the client. */
  get busy(): boolean {
    return this.unflushed > 0;
  }

  /** Whether enough is on its way: more should wait for {@link drain}. */
  get full(): boolean {
    return this.unflushed > 0 && this.response.writableLength >= FEED_PIECE_CHARACTERS;
  }

  /** Sends the headers, and lets the rest through from now on. */
  open(): void {
    const kept = this.kept;
    if (!kept || this.isClosed) return;
    this.kept = undefined;
    this.response.setHeader('cache-control', 'no-cache');
    // Asks nginx, and others who know the word, to pass on what comes as it comes.
    this.response.setHeader('x-accel-buffering', 'no');
    this.response.flushHeaders();
    for (const bytes of kept) this.write(bytes);
  }

  write(content: Buffer | string): void {
    if (this.isClosed) return;
    if (this.kept) {
      this.kept.push(typeof content === 'string' ? Buffer.from(content) : content);
      return;
    }
    this.unflushed++;
    this.response.write(content, this.afterWrite);
  }

  /** Completes the reply. */
  end(content = ''): void {
    if (this.isClosed) return;
    if (this.kept) {
      const whole = Buffer.concat([...this.kept, Buffer.from(content)]);
      this.kept = undefined;
      this.response.setHeader('content-length', whole.length);
      this.response.end(whole);
    } else {
      this.response.end(content);
    }
  }

  /** Cuts the connection: the client sees that the reply is incomplete. */
  abort(): void {
    this.response.destroy();
  }

  /** Waits until all that was written has left this process or the client is gone. @returns false if that takes longer */
  drain(milliseconds: number): Promise<boolean> {
    if (this.unflushed === 0 || this.isClosed) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.onFlushed = undefined;
        resolve(false);
      }, milliseconds).unref();
      this.onFlushed = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /** Waits for a slow client, and cuts the connection if it takes nothing for too long. @returns false if it did */
  async drainOrAbort(): Promise<boolean> {
    for (let before = this.unsent; !(await this.drain(STALLED_AFTER_MS)); before = this.unsent) {
      if (this.unsent < before) continue;
      this.abort();
      return false;
    }
    return true;
  }

  private get unsent(): number {
    return this.response.writableLength;
  }

  private readonly afterWrite = (): void => {
    if (--this.unflushed === 0) this.flushed();
  };

  private flushed(): void {
    const { onFlushed } = this;
    this.onFlushed = undefined;
    onFlushed?.();
  }
}
