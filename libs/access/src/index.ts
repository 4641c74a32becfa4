export * from './keyspace-pattern.js';
export * from './principal.js';
