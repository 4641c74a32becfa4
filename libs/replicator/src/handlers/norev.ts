import { parseNoRev } from '@edgesync/sync-protocol';
import type { CollectionHandler } from './handler.js';

/** Handles `norev` (docs/protocol/replication.md#norev): the pusher cannot send it. Nothing waits for it. */
export const norev: CollectionHandler = {
  direction: 'push',
  handle({ collection }, request) {
    const { id, error, reason } = parseNoRev(request);
    collection.link.environment.log.info(`the client does not send "${id}": ${error} ${reason ?? ''}`);
    request.respond();
  },
};
