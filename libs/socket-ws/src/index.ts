export * from './accept.js';
export type { ClientTls } from './connect.js';
export * from './dial.js';
export * from './dial-error.js';
export * from './system-scheduler.js';
export * from './tuning.js';
export type { ProxyOptions } from './tunnel.js';
export * from './ws-transport.js';
