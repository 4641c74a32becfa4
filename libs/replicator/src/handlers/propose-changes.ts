import { isVersion } from '@edgesync/revision';
import { buildProposeReply, parseProposeChanges } from '@edgesync/sync-protocol';
import type { CollectionHandler } from './handler.js';

/**
 * Handles `proposeChanges` (docs/protocol/replication.md#proposechanges). An idle pusher sends an empty list
 * that wants no reply.
 */
export const proposeChanges: CollectionHandler = {
  direction: 'push',
  async handle(collection, request) {
    const { rows, conflictIncludesRev } = parseProposeChanges(request);
    const answers = rows.length === 0 ? [] : await collection.finder.judge(rows);
    // A client with rev trees may push over version 4 (docs/protocol/replication.md#differences-by-sub-protocol);
    // histories of trees are what `maxHistory` is about.
    const kind = rows[0] && !isVersion(rows[0].rev) ? 'tree' : collection.kind;
    const options = collection.collection.link.receiverOptions(kind);
    request.respond(buildProposeReply(answers, conflictIncludesRev, options));
  },
};
