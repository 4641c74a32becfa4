import { errorReplyOf, refuseUnknownProfile, type IncomingRequest } from '@edgesync/blip';
import { isEdgeError } from '@edgesync/errors';
import type { Direction } from '@edgesync/sync-policy';
import type { Profile } from '@edgesync/sync-protocol';
import type { PeerLink } from './peer-link.js';

/** Answers one kind of message about a collection. What it throws is answered as the error catalogue says. */
export interface CollectionMessage<C> {
  /** Which way documents move, as the peer sees it: checked before the message is handled. */
  readonly direction: Direction;
  readonly handle: (collection: C, request: IncomingRequest) => void | Promise<void>;
}

/** Answers one kind of message about the connection. */
export interface ConnectionMessage<S> {
  readonly handleConnection: (session: S, request: IncomingRequest) => void | Promise<void>;
}

/** Every message that a peer may send. */
export type MessageTable<S, C> = Readonly<Partial<Record<Profile, CollectionMessage<C> | ConnectionMessage<S>>>>;

/** The session, as the messages that arrive in it use it. */
export interface MessageSession<C> {
  readonly link: PeerLink;
  /** The collection that a message is about. @throws EdgeError `request.invalid` */
  collectionOf(request: IncomingRequest): C;
  /** @throws EdgeError if documents may not move that way */
  checkDirection(direction: Direction, collection: C): void;
}

/** Answers one message: finds its handler and its collection, and asks whether documents may move that way. */
export function dispatch<S extends MessageSession<C>, C>(
  table: MessageTable<S, C>,
  session: S,
  request: IncomingRequest,
): void | Promise<void> {
  const message = Object.hasOwn(table, request.profile) ? table[request.profile as Profile] : undefined;
  if (!message) return refuseUnknownProfile(request);
  return apply(message, session, request)?.catch((error: unknown) => {
    if (!isEdgeError(error)) throw error;
    if (!request.answered) request.respondError(errorReplyOf(error));
    // A peer that was refused for a reason that will pass must come back
    // (docs/protocol/replication.md#errors-on-rev-for-a-pusher).
    session.link.failIfTemporary(error);
  });
}

function apply<S extends MessageSession<C>, C>(
  message: CollectionMessage<C> | ConnectionMessage<S>,
  session: S,
  request: IncomingRequest,
): void | Promise<void> {
  if ('handleConnection' in message) return message.handleConnection(session, request);
  const collection = session.collectionOf(request);
  session.checkDirection(message.direction, collection);
  return message.handle(collection, request);
}
