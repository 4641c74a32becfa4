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
