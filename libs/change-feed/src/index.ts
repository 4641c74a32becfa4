export * from './subscriptions.js';
export * from './subscription.js';
export * from './tuning.js';
