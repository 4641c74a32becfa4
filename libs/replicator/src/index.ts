export * from './environment.js';
export * from './peer-session.js';
export type { Traffic } from './peer-link.js';
export * from './tuning.js';
export * from './active/index.js';
