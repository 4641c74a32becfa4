import { errorReplyOf, type IncomingRequest, refuseUnknownProfile } from '@edgesync/blip';
import { isEdgeError } from '@edgesync/errors';
import { checkDirection } from '@edgesync/sync-policy';
import { Profile } from '@edgesync/sync-protocol';
import type { PeerSession } from '../peer-session.js';
import { changes } from './changes.js';
import { getAttachment } from './get-attachment.js';
import { getCheckpoint } from './get-checkpoint.js';
import { getCollections } from './get-collections.js';
import { getRev } from './get-rev.js';
import type { Handler } from './handler.js';
import { norev } from './norev.js';
import { ping } from './ping.js';
import { proposeChanges } from './propose-changes.js';
import { proveAttachment } from './prove-attachment.js';
import { rev } from './rev.js';
import { setCheckpoint } from './set-checkpoint.js';
import { subChanges } from './sub-changes.js';
import { unsubChanges } from './unsub-changes.js';

/** Every message that a connected app may send. */
const HANDLERS: Readonly<Record<Profile, Handler>> = {
  [Profile.getCollections]: getCollections,
  [Profile.getCheckpoint]: getCheckpoint,
  [Profile.setCheckpoint]: setCheckpoint,
  [Profile.subChanges]: subChanges,
  [Profile.unsubChanges]: unsubChanges,
  [Profile.changes]: changes,
  [Profile.proposeChanges]: proposeChanges,
  [Profile.rev]: rev,
  [Profile.norev]: norev,
  [Profile.getAttachment]: getAttachment,
  [Profile.proveAttachment]: proveAttachment,
  [Profile.getRev]: getRev,
  [Profile.putRev]: rev,
  [Profile.ping]: ping,
};

const TABLE: ReadonlyMap<string, Handler> = new Map(Object.entries(HANDLERS));

/** Answers one message of a connected app: finds its handler, its collection, and asks the policy. */
export function dispatch(session: PeerSession, request: IncomingRequest): void | Promise<void> {
  const handler = TABLE.get(request.profile);
  if (!handler) return refuseUnknownProfile(request);
  return apply(handler, session, request)?.catch((error: unknown) => {
    if (!isEdgeError(error)) throw error;
    if (!request.answered) request.respondError(errorReplyOf(error));
    // A peer that was refused for a reason that will pass must come back
    // (docs/protocol/replication.md#errors-on-rev-for-a-pusher).
    session.link.failIfTemporary(error);
  });
}

function apply(handler: Handler, session: PeerSession, request: IncomingRequest): void | Promise<void> {
  if ('handleConnection' in handler) return handler.handleConnection(session, request);
  const collection = session.collectionOf(request);
  checkDirection(session.policy, handler.direction, collection.collection.keyspace);
  return handler.handle(collection, request, session);
}
