/** Constants of the replicator, each with its reason and its neighbours in mind. Sizes are bytes. */
export interface Tuning {
  /**
   * Rows per `changes`, if the client does not say; Couchbase Lite asks for 200
   * (docs/protocol/replication.md#subchanges).
   */
  readonly changesBatch: number;
  /** The most we put into one message, whatever the client asks for. */
  readonly largestChangesBatch: number;
  /** `changes` that wait for the client's answer: enough to hide a round trip while there is a backlog, */
  readonly unansweredBacklogLists: number;
  /**
   * fewer afterwards, so that a slow client gets the newest of each document instead of every step
   * (docs/protocol/replication.md#after-catching-up).
   */
  readonly unansweredLiveLists: number;
  /** No further `changes` while more revisions than this wait to be sent. */
  readonly wantedRevs: number;
  /** Bodies read from storage at once, in number and bytes. */
  readonly bodyBatch: number;
  readonly bodyBatchBytes: number;
  /** Revisions are queued for the socket up to this many bytes; below the second figure more are prepared. */
  readonly queuedBytes: number;
  readonly lowQueuedBytes: number;
  /** Revisions that wait for an answer: bounds what is kept for resending. Couchbase Lite answers in groups of up to 100. */
  readonly unansweredRevs: number;
  readonly unansweredRevBytes: number;
  /**
   * Bodies below this size are not worth a delta (LiteCore uses the same, docs/protocol/blobs-and-deltas.md#deltas),
   * nor are those above worth the time.
   */
  readonly smallestDeltaBody: number;
  readonly largestDeltaBody: number;
  /** Deltas kept for other peers that ask for the same: in a live feed many do at once. */
  readonly sharedDeltas: number;
  /** Revisions inserted in one write. */
  readonly insertBatch: number;
  /** Writes under way; while they run, the next batch gathers. */
  readonly concurrentWrites: number;
  /** A busy storage is asked again so often, after a delay that starts here and doubles, before the client is sent away. */
  readonly writeRetries: number;
  readonly writeRetryMs: number;
  /** Blobs fetched at once from one peer. */
  readonly concurrentBlobs: number;
  /** Generations of history we want and keep (docs/protocol/replication.md#changes). */
  readonly maxHistory: number;
  /** Sequences of the client's own pushes remembered so that they are not offered back. */
  readonly echoes: number;
  /**
   * Documents whose legacy IDs are remembered, for all clients together
   * (docs/protocol/revisions.md#sending-to-version-vector-clients).
   */
  readonly legacyDocuments: number;
  /** How long a closing session waits for what is in flight, and for its last replies to reach the socket. */
  readonly drainMs: number;
  readonly lastWordsMs: number;
  /** An active replicator saves its checkpoints this often while it works (docs/protocol/checkpoints.md#starting). */
  readonly checkpointMs: number;
  /**
   * Revisions an active pusher has under way. Sync Gateway works on five at a time and lets the others wait
   * (docs/protocol/failures.md#windows); a long link is only filled by more. The bytes are as many as Couchbase
   * Lite has unanswered.
   */
  readonly pushWindowRevs: number;
  readonly pushWindowBytes: number;
  /** An active puller answers no further list while it has asked for so much that is not stored yet. */
  readonly pullWindowRevs: number;
  readonly pullWindowBytes: number;
  /** A server must answer the messages that open a replication within this time; pings alone do not count. */
  readonly openingMs: number;
}

export const TUNING: Tuning = {
  changesBatch: 200,
  largestChangesBatch: 1000,
  unansweredBacklogLists: 4,
  unansweredLiveLists: 2,
  wantedRevs: 1000,
  bodyBatch: 100,
  bodyBatchBytes: 1024 * 1024,
  queuedBytes: 256 * 1024,
  lowQueuedBytes: 96 * 1024,
  unansweredRevs: 1_000,
  unansweredRevBytes: 4 * 1024 * 1024,
  smallestDeltaBody: 200,
  largestDeltaBody: 1024 * 1024,
  sharedDeltas: 256,
  insertBatch: 200,
  concurrentWrites: 2,
  writeRetries: 5,
  writeRetryMs: 50,
  concurrentBlobs: 8,
  maxHistory: 50,
  echoes: 10_000,
  legacyDocuments: 50_000,
  drainMs: 5_000,
  lastWordsMs: 1_000,
  checkpointMs: 5_000,
  pushWindowRevs: 1_000,
  pushWindowBytes: 2 * 1024 * 1024,
  pullWindowRevs: 1_000,
  pullWindowBytes: 4 * 1024 * 1024,
  openingMs: 60_000,
};
