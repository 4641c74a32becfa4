import { finishesWithin } from '@edgesync/async';
import { type BlipConnection, CloseCode, type RequestInit, type BlipReply } from '@edgesync/blip';
import { isEdgeError } from '@edgesync/errors';
import type { Keyspace } from '@edgesync/document';
import { type ProtocolVersion, type ReceiverOptions } from '@edgesync/sync-protocol';
import type { RevisionKind } from '@edgesync/revision';
import type { ReplicatorContext } from '../replicator-context.js';
import { isTemporary } from './errors.js';

/** Counts what went over one connection. */
export interface Traffic {
  /** Revisions sent to the peer. */
  sent: number;
  /** Revisions of the peer that were stored. */
  received: number;
}

/** Shared by all jobs of one connection: the connection, the abilities of the peer, and the way out. */
export class PeerLink {
  readonly traffic: Traffic = { sent: 0, received: 0 };
  /** The peer takes deltas. It says so once per connection (docs/protocol/replication.md#reply-to-changes). */
  takesDeltas = false;
  /** Identifies the peer's database across connections, for what is remembered about it. */
  peerId = '';
  /**
   * The time of an upstream server's versions is not ours to refuse: it takes only what it finds right, and will not
   * change its mind.
   */
  trustsTime = false;
  private toldAhead = false;

  /** The error for which {@link fail} ended the connection. */
  failure: unknown;

  private isFailing = false;

  constructor(
    readonly connection: BlipConnection,
    readonly context: ReplicatorContext,
    readonly version: ProtocolVersion,
    readonly database: string,
    /** The user as whom the peer is connected; undefined: nobody in particular. */
    private readonly user?: string,
  ) {}

  /** Our abilities in the reply to a list of changes. Rev-tree clients trim their histories by `maxHistory`. */
  receiverOptions(kind: RevisionKind): ReceiverOptions {
    const { maxHistory } = this.context.tuning;
    return {
      ...(kind === 'tree' && { maxHistory }),
      blobs: true,
      deltas: true,
      sendReplacementRevs: kind === 'vector',
    };
  }

  send(request: RequestInit, onReply: (reply: BlipReply | undefined) => void): void {
    this.connection.send(request, onReply);
  }

  /**
   * Something failed that no reply can report. The peer is sent away with 4001, for it comes back after that
   * (docs/protocol/connection.md#close-codes); a fault of ours is logged.
   */
  fail(error: unknown): void {
    if (this.isFailing || !this.connection.isOpen) return;
    this.isFailing = true;
    this.failure = error;
    const reason = isEdgeError(error) ? error.message : 'internal error';
    if (isEdgeError(error)) this.context.log.warn(`sync session ends: ${error.message}`);
    else this.context.log.error('sync session ends', error);
    void this.closeAfterLastWords(CloseCode.transient, reason);
  }

  /** The peer as a witness of the time: its user, for one user may have any number of databases. */
  get witness(): string {
    return this.user === undefined ? `database ${this.peerId}` : `user ${this.user}`;
  }

  /** Says once that either clock is wrong. */
  tellAhead(version: string): void {
    if (this.toldAhead) return;
    this.toldAhead = true;
    this.context.log.warn(
      `the clock of ${this.witness} is ahead, or that of this server behind: ${version.slice(0, 80)} has to wait`,
    );
  }

  /**
   * Ends the connection if the server is in trouble that will pass: the peer is to come back
   * (docs/protocol/replication.md#errors-on-rev-for-a-pusher). A revision that must wait for its own sake waits for the
   * next connection without that.
   */
  failIfTemporary(error: unknown): void {
    if (isTemporary(error) && !isEdgeError(error, 'version.ahead')) this.fail(error);
  }

  /** Closes once the replies given so far are in the socket, or the peer does not take them. */
  async closeAfterLastWords(code: number, reason: string): Promise<void> {
    const { scheduler, tuning } = this.context;
    await finishesWithin(tuning.lastWordsMs, this.connection.whenQueuedBelow(1), scheduler);
    await this.connection.close(code, reason);
  }
}

/** One collection of a connection. */
export interface CollectionLink {
  readonly link: PeerLink;
  readonly keyspace: Keyspace;
  /** The `collection` property of its messages; undefined in the older form without getCollections. */
  readonly tag: string | undefined;
}
