/** Jobs are added to a transaction until it weighs this many documents: longer ones would hold up reads too long. */
export const GROUP_WEIGHT = 2_000;
/** Writes that wait; beyond it callers get `server.overloaded`. */
export const QUEUE_WEIGHT = 200_000;
/** A longer body weighs more: one for every so many characters. */
export const CHARACTERS_PER_WEIGHT = 4_096;
/** How long and how often a commit waits for a lock that another process holds: 2 s in all. */
export const BUSY_RETRY_MS = 20;
export const BUSY_RETRIES = 100;

/** A page ends when its rows reach this many characters: memory follows the page, not the documents. */
export const PAGE_CHARACTERS = 1_000_000;
/** A page of changes ends after looking at this many rows, however few of them it takes: about 20 ms. */
export const PAGE_SCANNED = 20_000;

/** Revisions kept in a document's tree; Couchbase Lite 3.1 and later send at most as many ancestors. */
export const TREE_DEPTH = 50;
/** Superseded bodies kept per document as bases of deltas. */
export const SUPERSEDED_PER_DOCUMENT = 2;
/** How long a superseded body is kept, in seconds. */
export const SUPERSEDED_SECONDS = 24 * 3_600;
/** Deltas of bodies shorter than this save nothing (docs/protocol/blobs-and-deltas.md#deltas). */
export const SUPERSEDED_MINIMUM_BYTES = 200;

/** How long a blob that nothing refers to is kept, in seconds: its document may be on the way. */
export const BLOB_GRACE_SECONDS = 3_600;
/** Largest blob, in bytes; REST accepts less than this (docs/protocol/edge-server.md#limits). */
export const BLOB_LIMIT = 20 * 1_024 * 1_024;

/** How long the outcome of a write is kept for those who repeat it, in seconds; a call over NATS lasts ten. */
export const DONE_WRITE_SECONDS = 600;

/** Rows removed per transaction by upkeep. */
export const SWEEP_ROWS = 500;
/** Upkeep looks for work at least this often, in milliseconds. */
export const SWEEP_INTERVAL_MS = 60_000;

/** Room for documents that were read lately, in characters: about as many bytes, and several thousand documents. */
export const CACHED_CHARACTERS = 16 * 1_024 * 1_024;
