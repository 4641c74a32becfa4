import { parseSubChanges } from '@edgesync/sync-protocol';
import type { CollectionHandler } from './handler.js';

/** Handles `subChanges` (docs/protocol/replication.md#subchanges): the reply comes first, then the changes. */
export const subChanges: CollectionHandler = {
  direction: 'pull',
  async handle(collection, request) {
    const start = await collection.subscribe(parseSubChanges(request));
    request.respond();
    start();
  },
};
