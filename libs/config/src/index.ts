export * from './edge-config.js';
