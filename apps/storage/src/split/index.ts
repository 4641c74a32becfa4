export { serveOnBus } from './serve-on-bus.js';
export { StorageServiceModule, type StorageServiceParts } from './storage-service.module.js';
