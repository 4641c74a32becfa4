import { Properties } from '@edgesync/blip';
import { parseSetCheckpoint } from '@edgesync/sync-protocol';
import type { CollectionHandler } from './handler.js';

/**
 * Handles `setCheckpoint` (docs/protocol/replication.md#setcheckpoint) in every direction: a client that may only pull
 * keeps its place, too (docs/protocol/edge-server.md#sync-with-apps).
 */
export const setCheckpoint: CollectionHandler = {
  direction: 'either',
  async handle({ collection }, request, session) {
    const { client, rev, body } = parseSetCheckpoint(request);
    const saved = await session.checkpointer.save(collection.keyspace, client, rev, body);
    request.respond({ properties: Properties.of('rev', saved) });
  },
};
