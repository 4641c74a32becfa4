export { mountPeers } from './peers/sync-ws.adapter.js';
export { fileIssues } from './replications/remote-files.js';
export { PeerSessions, type PeerInfo } from './peers/peer-sessions.service.js';
export { ReplicationModule, type ReplicationModuleOptions } from './replication.module.js';
