import type { CollectionHandler } from './handler.js';

/** Handles `rev` (docs/protocol/replication.md#rev), and `putRev`, which has the same properties. */
export const rev: CollectionHandler = {
  direction: 'push',
  handle(collection, request) {
    collection.incoming.receive(request);
  },
};
