export { serveSessions } from './serve-sessions.js';
export { ReplicationServiceModule, type ReplicationServiceParts } from './replication-service.module.js';
