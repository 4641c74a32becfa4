export * from './local-checkpoints.js';
export * from './active-session.js';
export * from './replication-error.js';
export { decodeCheckpoint } from './sync-checkpoint.js';
