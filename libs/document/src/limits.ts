/** Sizes the document layer enforces, each with the reason for its value. */

/**
 * Largest document in bytes of compact UTF-8 JSON: the published limit of Edge Server and Sync Gateway
 * (docs/protocol/edge-server.md#limits, docs/protocol/blobs-and-deltas.md#transfer).
 */
export const MAX_DOCUMENT_BYTES = 20 * 1024 * 1024;

/** A blob sent over REST must be smaller than this (docs/protocol/rest.md#properties). */
export const MAX_BLOB_BYTES = 20 * 1024 * 1024;

/**
 * Longest document ID in UTF-8 bytes. The manual says 250, but no Couchbase Lite can store more than 240
 * (docs/protocol/rest.md#keyspaces, docs/protocol/replication.md#changes).
 */
export const MAX_DOC_ID_BYTES = 240;

/** Longest database name in bytes (docs/protocol/rest.md#keyspaces). */
export const MAX_DATABASE_NAME_BYTES = 240;

/** Longest scope or collection name in characters (docs/protocol/rest.md#keyspaces). */
export const MAX_COLLECTION_NAME_LENGTH = 251;

/**
 * Deepest nesting of objects and arrays in a document that a peer sends, the document itself being level 1. SQLite
 * refuses JSON beyond 1,000 levels and a recursive reader in any peer has a stack to lose, so half of that is accepted.
 */
export const MAX_NESTING = 500;

/** Deepest nesting that the JSON reader of Couchbase Lite 3.x and 4.x takes, and so of what other clients may write. */
export const MAX_APP_NESTING = 100;

/**
 * Shortest string in UTF-8 bytes that a delta patches instead of replacing; LiteCore uses the same
 * (docs/protocol/blobs-and-deltas.md#delta-format).
 */
export const MIN_PATCHED_STRING_BYTES = 60;

/**
 * Random bytes in a generated document ID: 128 bits never collide in practice and give 22 characters
 * (docs/protocol/rest.md#creating-documents).
 */
export const DOC_ID_RANDOM_BYTES = 16;
