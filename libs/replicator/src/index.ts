export * from './active/index.js';
export type { Traffic } from './jobs/peer-link.js';
export * from './passive/passive-session.js';
export * from './replicator-context.js';
