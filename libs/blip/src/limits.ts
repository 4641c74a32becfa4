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
