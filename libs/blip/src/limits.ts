/** Bounds on one connection. Sizes are bytes. */
export interface BlipLimits {
  /** Largest body of an incoming message unless {@link bodyBytesByProfile} names its Profile. */
  readonly bodyBytes: number;
  readonly bodyBytesByProfile: Readonly<Record<string, number>>;
  /** Largest body of a reply that is collected in memory. */
  readonly replyBytes: number;
  /** Incoming messages whose last frame has not come. */
  readonly unfinishedMessages: number;
  /** Incoming requests that were handed over and not answered yet. */
  readonly unansweredRequests: number;
  /** Bodies in memory of all unfinished and unanswered incoming messages together. */
  readonly incomingBytes: number;
  /** A request larger than its limit is read to its end and refused; above this the connection is closed instead. */
  readonly discardedBytes: number;
  /** How long queued frames may make no progress (socket full, or no ACKs) before the connection is given up, in ms. */
  readonly stallMs: number;
}

const MiB = 1024 * 1024;

export const DEFAULT_LIMITS: BlipLimits = {
  // A document or blob of 20 MB with some room for its wrapping.
  bodyBytes: 21 * MiB,
  bodyBytesByProfile: {},
  replyBytes: 21 * MiB,
  // Couchbase Lite has about 10 revisions and a few change lists on the way at once
  // (docs/protocol/failures.md#windows).
  unfinishedMessages: 256,
  unansweredRequests: 4096,
  incomingBytes: 96 * MiB,
  discardedBytes: 256 * MiB,
  stallMs: 60_000,
};

/**
 * The receiver of a message acknowledges whenever this many more bytes of it have come
 * (docs/protocol/blip.md#flow-control).
 */
export const ACK_EVERY_BYTES = 50_000;

/**
 * The sender of a message stops when this many of its bytes are not acknowledged (docs/protocol/blip.md#flow-control).
 */
export const WINDOW_BYTES = 128_000;

/**
 * A streamed body is acknowledged only while its reader is at most this far behind. Together with the window this
 * bounds what a slow reader makes us hold.
 */
export const STREAM_READ_AHEAD_BYTES = 64 * 1024;

/**
 * No more frames are made while the transport holds this much. Enough to keep a socket busy for a turn of the event
 * loop, little enough that an urgent message is not stuck behind it.
 */
export const TRANSPORT_HIGH_WATER_BYTES = 128 * 1024;

/**
 * When to deflate frames of messages that their sender calls worth compressing. Compression costs the sender more
 * processor time than anything else per message; on a fast link it costs throughput, on a slow one it gains.
 * - `never`
 * - `congested`: when the socket has a backlog, so that the link is the bottleneck
 * - `flagged`: always
 */
export type CompressionPolicy = 'never' | 'congested' | 'flagged';
