export { ReplicationError } from '../jobs/errors.js';
export type { ReplicatedCollection } from './active-collection.js';
export * from './active-session.js';
export { decodeCheckpoint, StoredCheckpoints, type LocalCheckpoints } from './checkpoints.js';
