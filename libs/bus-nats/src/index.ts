export { Bus, type BusOptions } from './bus.js';
export type { CallerOptions } from './caller.js';
export { DatabaseLease } from './database-lease.js';
export { DatabaseOwnership, type OwnershipHandlers } from './database-ownership.js';
export { LeaseBucket, type LeaseBucketOptions } from './lease-bucket.js';
export { NatsStorage, type NatsStorageOptions } from './nats-storage.js';
export { StorageServer, type StorageServerOptions } from './storage-server.js';
export { WorkerAnnouncer, type WorkerState } from './worker-announcer.js';
export { WorkerRegistry, type Worker } from './worker-registry.js';
