import type { CollectionHandler } from './handler.js';

/** Handles `getAttachment` (docs/protocol/replication.md#getattachment). */
export const getAttachment: CollectionHandler = {
  direction: 'pull',
  handle: ({ blobs }, request) => blobs.get(request),
};
