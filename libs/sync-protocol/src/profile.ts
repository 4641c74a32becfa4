/** Names of the replication messages: the `Profile` property of a request (docs/protocol/replication.md). */
export const Profile = {
  getCollections: 'getCollections',
  getCheckpoint: 'getCheckpoint',
  setCheckpoint: 'setCheckpoint',
  subChanges: 'subChanges',
  unsubChanges: 'unsubChanges',
  changes: 'changes',
  proposeChanges: 'proposeChanges',
  rev: 'rev',
  norev: 'norev',
  getAttachment: 'getAttachment',
  proveAttachment: 'proveAttachment',
  getRev: 'getRev',
  putRev: 'putRev',
  /** Heartbeat of browser clients, which cannot send WebSocket pings (docs/protocol/connection.md#websocket-rules). */
  ping: 'PING',
} as const;
export type Profile = (typeof Profile)[keyof typeof Profile];

/**
 * Statuses with which Couchbase Lite keeps a revision to be sent again later
 * (docs/protocol/replication.md#errors-on-rev-for-a-pusher).
 */
const TRANSIENT: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

/** Whether an error reply says that the same may work later. */
export function isTransient(error: { readonly domain: string; readonly code: number }): boolean {
  return (error.domain === 'HTTP' || error.domain === 'WebSocket') && TRANSIENT.has(error.code);
}

/**
 * Whether an error reply to a `rev` asks for the whole body instead of a delta
 * (docs/protocol/blobs-and-deltas.md#deltas-that-fail).
 */
export function wantsFullBody(error: { readonly domain: string; readonly code: number }): boolean {
  if (error.domain === 'HTTP') return error.code === 422;
  return error.domain === 'LiteCore' && (error.code === 31 || error.code === 32);
}

/** The HTTP status that an error reply amounts to. */
export function statusOf(error: { readonly domain: string; readonly code: number }): number {
  if (error.domain === 'HTTP') return error.code;
  if (error.domain === 'BLIP' && error.code >= 400 && error.code < 600) return error.code;
  return 500;
}
