/** Limits and sizes of the REST server, each with its reason. */

/** Largest request body in bytes, and smallest blob that is refused: "20 MB" (ref 6.0, 13). */
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

/** Idle connections are kept this long: longer than the usual 60 s of proxies, which then close first. */
export const KEEP_ALIVE_TIMEOUT_MS = 72_000;

/**
 * Rows read at once for a listing. The event loop is free between pages; one page with bodies takes about 5 ms.
 */
export const LIST_PAGE_ROWS = 500;

/** Keyspaces whose existence is remembered. */
export const MAX_KNOWN_KEYSPACES = 10_000;
