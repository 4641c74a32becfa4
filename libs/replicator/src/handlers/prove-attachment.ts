import type { CollectionHandler } from './handler.js';

/** Wire C.13. */
export const proveAttachment: CollectionHandler = {
  direction: 'pull',
  handle: ({ blobs }, request) => blobs.prove(request),
};
