/** Names of the replication messages: the `Profile` property of a request (wire C). */
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
  /** Heartbeat of browser clients, which cannot send WebSocket pings (wire A.5). */
  ping: 'PING',
} as const;
export type Profile = (typeof Profile)[keyof typeof Profile];
