export * from './keyspace.js';
