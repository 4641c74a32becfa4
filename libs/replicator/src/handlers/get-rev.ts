import { EdgeError } from '@edgesync/errors';
import { offeredId } from '@edgesync/revision';
import { buildGetRevReply, parseGetRev } from '@edgesync/sync-protocol';
import type { CollectionHandler } from './handler.js';

/** Handles `getRev`: one document for a connected client (docs/protocol/replication.md#connected-clients). */
export const getRev: CollectionHandler = {
  direction: 'pull',
  async handle({ collection, kind }, request) {
    const { id, ifNotRev } = parseGetRev(request);
    const { storage } = collection.link.environment;
    const [stored] = await storage.read(collection.keyspace, [id]);
    if (!stored) throw new EdgeError('doc.missing');
    if (stored.deleted) throw new EdgeError('doc.deleted');
    const rev = offeredId(stored, kind);
    if (ifNotRev === rev) request.respondError({ domain: 'HTTP', code: 304, message: 'Not Modified' });
    else request.respond(buildGetRevReply(rev, stored.body));
  },
};
