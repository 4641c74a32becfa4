/** Settings of a WebSocket for BLIP, each with its reason. */
export interface SocketTuning {
  /** A peer from which nothing came for so long is pinged; proxies drop idle connections after a minute or so. */
  readonly pingIntervalMs: number;
  /** How long the peer may take to answer our close frame. Couchbase Lite waits as long for ours. */
  readonly closeTimeoutMs: number;
}

export const DEFAULT_SOCKET_TUNING: SocketTuning = {
  pingIntervalMs: 30_000,
  closeTimeoutMs: 5_000,
};

/**
 * Largest WebSocket message taken; beyond it the socket is closed with 1009. The same as Couchbase Lite's
 * (docs/protocol/connection.md#websocket-rules).
 */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

/**
 * Connection and upgrade of an outgoing connection. The same as Couchbase Lite's
 * (docs/protocol/connection.md#websocket-rules).
 */
export const DIAL_TIMEOUT_MS = 15_000;

/** Redirects followed in a row. The same as Couchbase Lite's. */
export const MAX_REDIRECTS = 10;
