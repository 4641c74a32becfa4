import type { CollectionHandler } from './handler.js';

/** Handles `unsubChanges` (docs/protocol/replication.md#unsubchanges). */
export const unsubChanges: CollectionHandler = {
  direction: 'either',
  handle(collection, request) {
    collection.unsubscribe();
    request.respond();
  },
};
