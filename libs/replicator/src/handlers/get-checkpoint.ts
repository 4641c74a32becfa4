import { EdgeError } from '@edgesync/errors';
import { buildCheckpointReply, parseGetCheckpoint } from '@edgesync/sync-protocol';
import type { CollectionHandler } from './handler.js';

/** Handles `getCheckpoint` (docs/protocol/replication.md#getcheckpoint). */
export const getCheckpoint: CollectionHandler = {
  direction: 'either',
  async handle({ collection }, request, session) {
    const client = parseGetCheckpoint(request);
    if (collection.tag === undefined) collection.link.peerId ||= client;
    const checkpoint = await session.checkpointer.load(collection.keyspace, client);
    if (!checkpoint) throw new EdgeError('checkpoint.missing');
    request.respond(buildCheckpointReply(checkpoint));
  },
};
