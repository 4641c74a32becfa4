import { buildCollectionsReply, parseGetCollections } from '@edgesync/sync-protocol';
import type { ConnectionHandler } from './handler.js';

/**
 * Handles `getCollections` (docs/protocol/replication.md#getcollections): which of the collections exist, and
 * the client's checkpoints.
 */
export const getCollections: ConnectionHandler = {
  async handleConnection(session, request) {
    const asked = parseGetCollections(request);
    const opened = session.openCollections(asked);
    const entries = opened.map(async (collection, index) => {
      if (!collection) return undefined;
      const { checkpointId } = asked.collections[index]!;
      return (await session.checkpointer.load(collection.collection.keyspace, checkpointId)) ?? null;
    });
    request.respond(buildCollectionsReply(await Promise.all(entries)));
  },
};
