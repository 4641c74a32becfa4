import type { OnReadOpts, Socket } from 'node:net';
import type { Writable } from 'node:stream';

const PIECE_BYTES = 64 * 1_024;
/** Shorter reads get memory of their own length: what waits for a slow client holds little more than it is long. */
const RECYCLED_BYTES = PIECE_BYTES / 4;
/** Pieces of memory that are kept while nothing is in them. */
const MOST_SPARE = 32;

/** All connections read into this, one after the other: what was read is copied before the next one reads. */
const landing = Buffer.allocUnsafeSlow(PIECE_BYTES);
const spare: Buffer[] = [];

/**
 * Reads of a connection that are passed on as they are, in memory that is used again once it was written. Fresh memory
 * for every read, as streams have it, costs a gateway more time to collect than all else it does. A connection that
 * nothing comes from has no memory.
 */
export class RecycledReads {
  /** For the options of the connection. */
  readonly onread: OnReadOpts = { buffer: landing, callback: (count) => this.pass(count) };

  private from: Socket | undefined;
  private to: Writable | undefined;

  /** Passes on what `from` reads, no faster than `to` takes it, and its end. Nothing may have been read before. */
  pipe(from: Socket, to: Writable): void {
    this.from = from;
    this.to = to;
    from.once('end', () => to.end());
    from.resume();
  }

  private pass(count: number): boolean {
    const { to } = this;
    if (!to) throw new Error('a connection was read before it was known where to');
    const takesMore = count < RECYCLED_BYTES ? to.write(Buffer.from(landing.subarray(0, count))) : recycle(count, to);
    if (!takesMore) this.waitFor(to);
    return takesMore;
  }

  private waitFor(to: Writable): void {
    this.from!.pause();
    to.once('drain', () => this.from!.resume());
  }
}

function recycle(count: number, to: Writable): boolean {
  const memory = spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  landing.copy(memory, 0, 0, count);
  return to.write(memory.subarray(0, count), () => {
    if (spare.length < MOST_SPARE) spare.push(memory);
  });
}
