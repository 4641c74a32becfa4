export * from './change-feeds.js';
export * from './subscription.js';
export * from './tuning.js';
