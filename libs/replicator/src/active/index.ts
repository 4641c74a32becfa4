export * from './local-checkpoints.js';
export * from './replication.js';
export * from './replication-error.js';
export { decodeCheckpoint } from './sync-checkpoint.js';
