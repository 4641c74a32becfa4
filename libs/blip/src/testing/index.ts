export * from './loopback-transport.js';
export * from './virtual-time.js';
