/** Memory is taken from the runtime in slabs of this size. */
const SLAB_BYTES = 16 * 1024;
/** Larger pieces get memory of their own, so that a piece that is kept holds back little more than itself. */
const LARGEST_POOLED = 2 * 1024;

let slab = new ArrayBuffer(SLAB_BYTES);
let used = 0;

/**
 * Memory for one frame or body, with undefined content. Small pieces share slabs: an `ArrayBuffer` per small message
 * would cost more than the rest of its handling.
 */
export function allocateBytes(length: number): Uint8Array {
  if (length > LARGEST_POOLED) return new Uint8Array(length);
  if (used + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const piece = new Uint8Array(slab, used, length);
  used += (length + 7) & ~7;
  return piece;
}

/** A copy that owns its memory. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return NO_BYTES;
  const copy = allocateBytes(bytes.length);
  copy.set(bytes);
  return copy;
}

export const NO_BYTES = new Uint8Array(0);

/** Collects bytes that come in pieces of any size. Memory stays below twice the content, however small the pieces. */
export class ByteCollector {
  private buffer: Uint8Array = NO_BYTES;
  length = 0;

  append(piece: Uint8Array): void {
    const needed = this.length + piece.length;
    if (needed > this.buffer.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.buffer.length, 512));
      grown.set(this.bytes);
      this.buffer = grown;
    }
    this.buffer.set(piece, this.length);
    this.length = needed;
  }

  /** The content so far. Valid until the next `append`. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}
