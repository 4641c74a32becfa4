export * from './accept.js';
export { DialError, type ClientTls, type ProxyOptions } from './connect.js';
export * from './dial.js';
export * from './tuning.js';
export * from './ws-transport.js';
