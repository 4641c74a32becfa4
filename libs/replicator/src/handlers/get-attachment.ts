import type { CollectionHandler } from './handler.js';

/** Wire C.12. */
export const getAttachment: CollectionHandler = {
  direction: 'pull',
  handle: ({ blobs }, request) => blobs.get(request),
};
