/** Limits and sizes of the REST server, each with its reason. */

/**
 * Largest request body in bytes, and smallest blob that is refused: "20 MB" (docs/protocol/rest.md#request-bodies,
 * docs/protocol/edge-server.md#limits).
 */
export const MAX_BODY_BYTES = 20 * 1024 * 1024;

/**
 * Bytes of a refused body that are still read and thrown away. A client that sends its whole body before it looks
 * at the reply gets to read the reply; one that never stops is cut off.
 */
export const MAX_DISCARDED_BYTES = 8 * MAX_BODY_BYTES;

/** Bytes of request line and headers: `?keys=[…]` of a listing may be long. */
export const MAX_HEADER_BYTES = 64 * 1024;

/** Longest path component. Document IDs take 720 bytes when percent-encoded, property names have no limit of their own. */
export const MAX_PATH_COMPONENT = 16 * 1024;

/** A client must have sent its headers within this time. */
export const HEADERS_TIMEOUT_MS = 60_000;

/** A client must have sent its whole request within this time: 20 MB at 0.6 Mbit/s. */
export const REQUEST_TIMEOUT_MS = 300_000;

/** How often the two are looked at: a client may take so much longer. */
export const TIMEOUT_CHECK_MS = 5_000;

/** Connections at the same time; more are closed at once. Twice as many as there may be feeds. */
export const MAX_CONNECTIONS = 20_000;

/** Idle connections are kept this long: longer than the usual 60 s of proxies, which then close first. */
export const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/**
 * Rows read at once for a listing. The event loop is free between pages; one page with bodies takes about 5 ms.
 */
export const LIST_PAGE_ROWS = 500;

/**
 * Documents that are named one by one are read so many at a time at first, and then as many as have this many characters
 * if they go on as they began: memory follows the page, not the documents.
 */
export const FIRST_READ_ROWS = 16;
export const READ_PAGE_CHARACTERS = 1_000_000;

/** Keyspaces whose existence is remembered. */
export const MAX_KNOWN_KEYSPACES = 10_000;

/** Rows read at once for a feed, at first and for a client that takes them as fast as they come. */
export const FEED_PAGE_ROWS = 200;

/** Rows read at once for a client that is slow. */
export const SLOW_FEED_PAGE_ROWS = 10;

/**
 * Characters of a feed that are handed to a connection at once. A slow client holds about this much, and its place in the
 * log.
 */
export const FEED_PIECE_CHARACTERS = 16 * 1024;

/** A client whose connection takes this long to take a piece is slow: the rest of the page is let go and read again later. */
export const SLOW_AFTER_MS = 20;

/** A client that takes nothing of its reply for this long is gone without a word, or wants nothing: its connection is cut. */
export const STALLED_AFTER_MS = 300_000;

/** Shortest pause between two heartbeats; shorter ones asked for become this (docs/protocol/rest.md#heartbeats). */
export const SHORTEST_HEARTBEAT_MS = 5_000;

/** The meaning of `heartbeat=true` (docs/protocol/rest.md#heartbeats). */
export const HEARTBEAT_MS = 60_000;

/** Longest delay that a timer can take: 24.8 days. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** How long a feed waits for changes unless it says otherwise, and at most (docs/protocol/rest.md#changes-feed). */
export const FEED_TIMEOUT_MS = 300_000;
export const LONGEST_FEED_TIMEOUT_MS = 900_000;

/** Feeds that wait at the same time. At 30 kB each they take 300 MB. */
export const MAX_FEEDS = 10_000;

/** Document IDs that one feed may name: it keeps them as long as it lasts. */
export const MAX_FEED_IDS = 50_000;

/** Characters of a feed's parameters that are shown to operators. */
export const SHOWN_ARGS = 1_000;

/** A query that is complete so soon after its first rows, and no longer than this, is sent as a whole. */
export const HELD_REPLY_MS = 10;
export const HELD_REPLY_CHARACTERS = 256 * 1024;

/** Characters of a statement that are logged. */
export const SHOWN_STATEMENT = 500;

/** Live queries that differ, and clients that follow them. A result is held once, however many follow it. */
export const MAX_LIVE_RESULTS = 1_000;
export const MAX_LIVE_CLIENTS = 10_000;

/** Characters of one result of a live query, and of all that are held: it is compared as a whole. */
export const MAX_LIVE_CHARACTERS = 5_000_000;
export const MAX_HELD_LIVE_CHARACTERS = 100_000_000;

/** Sent to a client of a live query when nothing else was: proxies cut connections that are silent. */
export const LIVE_HEARTBEAT_MS = 30_000;

/**
 * A lost notification of a change, or documents that expire, show up in a live query after so many of its intervals: ten
 * seconds by default.
 */
export const LIVE_CHECK_INTERVALS = 40;

/** A live query that storage has no room for is tried again after this time, and later each time. */
export const LIVE_RETRY_MS = 1_000;
export const LONGEST_LIVE_RETRY_MS = 30_000;
