export * from './access-policy.js';
export * from './keyspace-pattern.js';
export * from './origin-policy.js';
export * from './principal.js';
