export * from './link-proxy.js';
export * from './chromium.js';
export * from './installed-program.js';
export * from './nats-proxy.js';
export * from './nats-server.js';
export * from './seeded.js';
export * from './test-pki.js';
export * from './transcripts.js';
