export type { ReplicationRow, ReplicationTable } from '@edgesync/bus-contract';
export { Bus, isRefusal, type BusOptions } from './bus.js';
export type { CallerOptions } from './caller.js';
export { answer, type Request, type Result } from './answer.js';
export { Lease } from './lease.js';
export { LeaseBucket, OWNERS, RUNNERS, type LeaseBucketOptions } from './lease-bucket.js';
export { NatsReplicationControl, type NatsReplicationControlOptions } from './nats-replication-control.js';
export { NatsStorage, type NatsStorageOptions } from './nats-storage.js';
export { SessionClient } from './session-client.js';
export { SessionServer, type SessionHandlers } from './session-server.js';
export { Ownership, type OwnershipHandlers } from './ownership.js';
export { ReplicationRecords, type ReplicationRecordsOptions } from './replication-records.js';
export { ReplicationServer, type ReplicationHandlers } from './replication-server.js';
export {
  addReplication,
  endReplication,
  hideReplication,
  isWantedReplication,
  removeReplications,
  reviveReplication,
  type NewReplication,
} from './replication-table.js';
export { recordedTask } from './shown-replications.js';
export { StorageServer, type StorageServerOptions } from './storage-server.js';
export { WorkerAnnouncer, type WorkerState } from './worker-announcer.js';
export { WorkerRegistry, type Worker } from './worker-registry.js';
export { REPLICATION_SHARING_MS } from './tuning.js';
