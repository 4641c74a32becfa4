import { EdgeError } from '@edgesync/errors';
import { buildChangesReply, isEmptyList, parseChanges } from '@edgesync/sync-protocol';
import type { CollectionHandler } from './handler.js';

/**
 * Handles `changes`, the verb with which a Sync Gateway pushes
 * (docs/protocol/replication.md#sync-gateway-as-active-peer). Couchbase Lite uses `proposeChanges`.
 */
export const changes: CollectionHandler = {
  direction: 'push',
  async handle(collection, request) {
    const { kind } = collection;
    const { link } = collection.collection;
    if (isEmptyList(request.body)) {
      request.respond(buildChangesReply([], link.receiverOptions(kind)));
      return;
    }
    const { rows, ignoreNoConflicts } = parseChanges(request);
    if (!ignoreNoConflicts) throw new EdgeError('doc.conflict', "Use 'proposeChanges' instead");
    request.respond(buildChangesReply(await collection.finder.find(rows), link.receiverOptions(kind)));
  },
};
