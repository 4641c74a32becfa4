import { copyBytes } from './byte-pool.js';

/** Memory of a piece beside its bytes, so that many tiny ones count for what they take. */
const PIECE_OVERHEAD_BYTES = 128;

/** A body that is read while it arrives. */
export class BodyStream implements AsyncIterable<Uint8Array> {
  private readonly pieces: Uint8Array[] = [];
  private isEnded = false;
  private isAbandoned = false;
  private failure: Error | undefined;
  private wake: (() => void) | undefined;
  /** Memory held by pieces that were not read yet. */
  heldBytes = 0;

  /** @param onHeldChange receives by how much the memory held has grown or shrunk */
  constructor(private readonly onHeldChange: (delta: number) => void) {}

  /** Adds a copy of `piece`, or drops it when the reader has left; returns whether it was kept. */
  push(piece: Uint8Array): boolean {
    if (this.isAbandoned) return false;
    if (piece.length === 0) return true;
    this.pieces.push(copyBytes(piece));
    this.changeHeld(piece.length + PIECE_OVERHEAD_BYTES);
    this.wake?.();
    return true;
  }

  end(): void {
    this.isEnded = true;
    this.wake?.();
  }

  fail(error: Error): void {
    this.failure = error;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        const piece = this.pieces.shift();
        if (piece) {
          this.changeHeld(-piece.length - PIECE_OVERHEAD_BYTES);
          yield piece;
        } else if (this.isEnded) return;
        else if (this.failure) throw this.failure;
        else await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      this.isAbandoned = true;
      this.pieces.length = 0;
      this.changeHeld(-this.heldBytes);
    }
  }

  private changeHeld(delta: number): void {
    this.heldBytes += delta;
    this.onHeldChange(delta);
  }
}
