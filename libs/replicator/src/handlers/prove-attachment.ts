import type { CollectionHandler } from './handler.js';

/** Handles `proveAttachment` (docs/protocol/replication.md#proveattachment). */
export const proveAttachment: CollectionHandler = {
  direction: 'pull',
  handle: ({ blobs }, request) => blobs.prove(request),
};
