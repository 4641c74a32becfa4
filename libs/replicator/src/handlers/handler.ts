import type { IncomingRequest } from '@edgesync/blip';
import type { Direction } from '@edgesync/sync-policy';
import type { CollectionSession } from '../collection-session.js';
import type { PeerSession } from '../peer-session.js';

/** Answers one kind of message about a collection. What it throws is answered as the catalogue says. */
export interface CollectionHandler {
  /** Which way documents move: checked against the policy before the handler is called. */
  readonly direction: Direction;
  handle(collection: CollectionSession, request: IncomingRequest, session: PeerSession): void | Promise<void>;
}

/** Answers one kind of message about the connection. */
export interface ConnectionHandler {
  readonly handleConnection: (session: PeerSession, request: IncomingRequest) => void | Promise<void>;
}

export type Handler = CollectionHandler | ConnectionHandler;
