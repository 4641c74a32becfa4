export { StorageServiceModule, type StorageServiceParts } from './storage-service.module.js';
