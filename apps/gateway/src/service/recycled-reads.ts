import type { OnReadOpts, Socket } from 'node:net';
import type { Writable } from 'node:stream';

/** What an idle connection reads into. */
const SMALL_BYTES = 2 * 1_024;
/** What it reads into while more comes at a time. */
const LARGE_BYTES = 64 * 1_024;
/** Large pieces of memory that are kept while nobody reads into them. */
const MOST_SPARE = 32;

const spare: Buffer[] = [];

/**
 * Reads of a connection that are passed on as they are, into memory that is used again once it was written. Fresh memory
 * for every read, as streams have it, costs a gateway more time to collect than all else it does.
 */
export class RecycledReads {
  /** For the options of the connection. */
  readonly onread: OnReadOpts = { buffer: () => this.memory, callback: (count, memory) => this.pass(count, memory) };

  private readonly small = Buffer.allocUnsafeSlow(SMALL_BYTES);
  private memory: Uint8Array = this.small;
  private from: Socket | undefined;
  private to: Writable | undefined;

  /** Passes on what `from` reads, no faster than `to` takes it, and its end. Nothing may have been read before. */
  pipe(from: Socket, to: Writable): void {
    this.from = from;
    this.to = to;
    from.once('end', () => to.end());
    from.resume();
  }

  private pass(count: number, memory: Uint8Array): boolean {
    const { to } = this;
    if (!to) throw new Error('a connection was read before it was known where to');
    const read = memory.subarray(0, count);
    let takesMore: boolean;
    if (memory === this.small) takesMore = to.write(Buffer.from(read));
    else takesMore = to.write(read, () => giveBack(memory as Buffer));
    this.memory = count < SMALL_BYTES ? this.small : (spare.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES));
    if (!takesMore) this.waitFor(to);
    return takesMore;
  }

  private waitFor(to: Writable): void {
    this.from!.pause();
    to.once('drain', () => this.from!.resume());
  }
}

function giveBack(memory: Buffer): void {
  if (spare.length < MOST_SPARE) spare.push(memory);
}
