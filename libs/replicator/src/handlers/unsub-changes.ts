import type { CollectionHandler } from './handler.js';

/** Wire C.6. */
export const unsubChanges: CollectionHandler = {
  direction: 'either',
  handle(collection, request) {
    collection.unsubscribe();
    request.respond();
  },
};
