export { serveSessions } from './serve-sessions.js';
export { WorkerModule, type WorkerParts } from './worker.module.js';
