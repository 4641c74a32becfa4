export { createStorageService } from './create-storage-service.js';
