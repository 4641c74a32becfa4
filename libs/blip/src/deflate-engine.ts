/** Compresses the frames of one direction with one context (docs/protocol/blip.md#compression). */
export interface FrameDeflater {
  /** The frame's raw deflate bytes without the sync trailer. Valid until the next call to any deflater. */
  deflate(payload: Uint8Array): Uint8Array;
  /** Forgets the history: what follows refers to nothing that came before, which any inflater understands. */
  reset(): void;
  close(): void;
}

/** Inflates the frames of one direction with one context (docs/protocol/blip.md#compression). */
export interface FrameInflater {
  /**
   * The content of one compressed frame, whose bytes end with {@link SYNC_TRAILER}. Valid until the next call to any
   * inflater.
   * @throws {BlipProtocolError} when the bytes are not deflate, or inflate to more than {@link MAX_INFLATED_FRAME_BYTES}
   */
  inflate(bodyWithTrailer: Uint8Array): Uint8Array;
  close(): void;
}

export interface DeflateEngine {
  readonly name: string;
  createDeflater(): FrameDeflater;
  createInflater(): FrameInflater;
}

/** The end of a sync flush. Senders leave it out, receivers put it back. */
export const SYNC_TRAILER = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/** Deflate shrinks at most 1032 : 1, so a frame of legal size (16 KiB) holds less than 16.2 MiB. */
export const MAX_INFLATED_FRAME_BYTES = 17 * 1024 * 1024;

/**
 * Compression settings, by measurement (docs/decisions/deflate-engine.md). On documents of a kilobyte a window of 8 KiB
 * with small tables compresses as well as one of 32 KiB, in less time and memory; level 3 gives up 8 % of the size for a
 * quarter of the time. Every receiver has the full window of 32 KiB, so it understands.
 */
export const DEFLATE_SETTINGS = { level: 3, windowBits: 13, memLevel: 6 } as const;
