export { ReplicationServiceModule, type ReplicationServiceParts } from './replication-service.module.js';
