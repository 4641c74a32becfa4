import type { CollectionHandler } from './handler.js';

/** docs/protocol/replication.md#rev, and `putRev` of the connected-client API, which says the same. */
export const rev: CollectionHandler = {
  direction: 'push',
  handle(collection, request) {
    collection.incoming.receive(request);
  },
};
