export { inspectDatabase } from '@edgesync/storage-sqlite';
export { StorageModule } from './storage.module.js';
