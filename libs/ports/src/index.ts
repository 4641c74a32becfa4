import type { BlobStore } from './blobs.js';
import type { DatabaseCatalog } from './catalog.js';
import type { ChangeLog } from './changes.js';
import type { Checkpoints } from './checkpoints.js';
import type { DocumentStore } from './documents.js';

export * from './blobs.js';
export * from './catalog.js';
export * from './changes.js';
export * from './checkpoints.js';
export * from './documents.js';
export * from './queries.js';
export * from './replication-control.js';
export * from './replication-records.js';
export * from './replication-table.js';

/** Everything the storage owner offers, in process or through NATS. */
export interface Storage extends DatabaseCatalog, DocumentStore, ChangeLog, BlobStore, Checkpoints {}
