export * from './change-feeds.js';
export type { Scheduler } from './shared-log.js';
export * from './subscription.js';
export * from './tuning.js';
