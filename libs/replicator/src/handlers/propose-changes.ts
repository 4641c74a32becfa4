import { buildProposeReply, parseProposeChanges } from '@edgesync/sync-protocol';
import type { CollectionHandler } from './handler.js';

/** Wire C.9. An empty list, which an idle pusher sends without wanting a reply, is an empty list (J.4-34). */
export const proposeChanges: CollectionHandler = {
  direction: 'push',
  async handle(collection, request) {
    const { rows, conflictIncludesRev } = parseProposeChanges(request);
    const answers = rows.length === 0 ? [] : await collection.finder.judge(rows);
    const { link } = collection.collection;
    request.respond(buildProposeReply(answers, conflictIncludesRev, link.receiverOptions(collection.kind)));
  },
};
