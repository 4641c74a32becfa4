export { mountPeers } from './peers/mount-peers.js';
export { fileIssues } from './replications/remote-files.js';
export type { PeerServer } from './peers/peer-server.js';
export { PeerSessions, type PeerInfo } from './peers/peer-sessions.service.js';
export { ReplicationModule, type ReplicationModuleOptions } from './replication.module.js';
