export * from './accept.js';
export * from './dial.js';
export * from './system-scheduler.js';
export * from './tuning.js';
export * from './ws-transport.js';
