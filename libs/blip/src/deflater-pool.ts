import { deflateEngine } from './deflate.js';
import type { DeflateEngine, FrameDeflater } from './deflate-engine.js';

/** Contexts that are kept: about 120 kB each. */
const DEFAULT_CAPACITY = 64;

/**
 * Lends deflate contexts to the connections that compress at the moment. A sender may forget its history at any frame
 * border, so a context can move from an idle connection to a busy one, and memory does not grow with the number of peers.
 */
export class DeflaterPool<Borrower extends object> {
  /** Least recently used first. */
  private readonly lent = new Map<Borrower, FrameDeflater>();
  private readonly free: FrameDeflater[] = [];
  private latest: Borrower | undefined;

  constructor(
    private readonly engine: () => DeflateEngine = deflateEngine,
    private readonly capacity = DEFAULT_CAPACITY,
  ) {}

  /** Compresses a frame in the borrower's context. The result is valid until the next call. */
  deflate(borrower: Borrower, payload: Uint8Array): Uint8Array {
    let deflater = this.lent.get(borrower);
    if (!deflater) this.lent.set(borrower, (deflater = this.free.pop() ?? this.takeFromIdle() ?? this.create()));
    else if (this.latest !== borrower) {
      this.lent.delete(borrower);
      this.lent.set(borrower, deflater);
    }
    this.latest = borrower;
    return deflater.deflate(payload);
  }

  /** Takes back what the borrower holds. */
  release(borrower: Borrower): void {
    const deflater = this.lent.get(borrower);
    if (!deflater) return;
    this.lent.delete(borrower);
    if (this.latest === borrower) this.latest = undefined;
    deflater.reset();
    this.free.push(deflater);
  }

  private takeFromIdle(): FrameDeflater | undefined {
    if (this.lent.size < this.capacity) return undefined;
    const [idle, deflater] = this.lent.entries().next().value!;
    this.lent.delete(idle);
    deflater.reset();
    return deflater;
  }

  private create(): FrameDeflater {
    return this.engine().createDeflater();
  }
}
