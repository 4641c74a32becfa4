export * from './blob-names.js';
export * from './bundle-error.js';
export * from './bundle-header.js';
export * from './document-row.js';
export { FleeceReader, NO_SHARED_KEYS, SharedKeys } from './fleece-reader.js';
export * from './revision-ids.js';
export * from './table-names.js';
export * from './checkpoint-id.js';
export { SharedKeyTable, writeFleece } from './fleece-writer.js';
