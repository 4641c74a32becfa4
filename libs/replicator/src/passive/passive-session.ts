import { finishesWithin } from '@edgesync/async';
import type { Principal } from '@edgesync/access';
import { BlipConnection, CloseCode, type CloseInfo, type IncomingRequest, type Transport } from '@edgesync/blip';
import type { BlipConnectionOptions } from '@edgesync/blip';
import { EdgeError } from '@edgesync/errors';
import { DEFAULT_COLLECTION, DEFAULT_SCOPE, keyspaceKey, type Keyspace } from '@edgesync/document';
import type { DatabaseInfo } from '@edgesync/ports';
import { type GetCollections, Profile, type ProtocolVersion, readCollectionIndex } from '@edgesync/sync-protocol';
import { checkDirection, isVisible, type Direction, type SyncPolicy } from '@edgesync/sync-policy';
import { BlobReceiver } from '../jobs/blobs.js';
import { Inserter } from '../jobs/inserter.js';
import { dispatch } from '../jobs/message-table.js';
import { PeerLink, type Traffic } from '../jobs/peer-link.js';
import type { ReplicatorContext } from '../replicator-context.js';
import { PASSIVE_MESSAGES, type PassivePeer } from './messages.js';
import { PassiveCollection } from './passive-collection.js';

export interface PassiveSessionOptions {
  readonly context: ReplicatorContext;
  readonly version: ProtocolVersion;
  readonly database: DatabaseInfo;
  readonly principal: Principal;
  readonly policy: SyncPolicy;
  readonly blip?: Pick<BlipConnectionOptions, 'compression' | 'limits'>;
}

/**
 * How the session addresses collections (docs/protocol/replication.md#the-collection-property): not known before the
 * first message, then either by the indexes of `getCollections`, or not at all, meaning the default collection.
 */
type Addressing =
  | { readonly form: 'open' }
  | { readonly form: 'plain'; readonly session: PassiveCollection | undefined }
  | { readonly form: 'indexed'; readonly sessions: readonly (PassiveCollection | undefined)[] };

/** One connected app, from the first message to the last. It never reconnects: the next connection is the next session. */
export class PassiveSession implements PassivePeer {
  readonly link: PeerLink;

  private readonly policy: SyncPolicy;
  private readonly user: string | undefined;
  private readonly inserter: Inserter;
  private readonly blobReceiver: BlobReceiver;
  private readonly database: DatabaseInfo;
  private readonly served: ReadonlySet<string>;
  private addressing: Addressing = { form: 'open' };
  private isDraining = false;

  constructor(transport: Transport, options: PassiveSessionOptions) {
    const { context, version, database, principal, policy, blip } = options;
    const connection = new BlipConnection(transport, {
      ...blip,
      scheduler: context.scheduler,
      onRequest: (request) => this.handle(request),
      onFault: (error) => context.log.warn(`sync connection: ${String(error)}`),
    });
    this.link = new PeerLink(connection, context, version, database.name, principal.name);
    context.time.atLeast(database.clock);
    this.policy = policy;
    this.database = database;
    this.user = principal.name;
    this.inserter = new Inserter(this.link);
    this.blobReceiver = new BlobReceiver(this.link);
    this.served = new Set(
      database.collections.map(({ scope, collection }) => keyspaceKey({ database: database.name, scope, collection })),
    );
    void connection.closed.then(() => this.unsubscribeAll());
  }

  get closed(): Promise<CloseInfo> {
    return this.link.connection.closed;
  }

  get traffic(): Readonly<Traffic> {
    return this.link.traffic;
  }

  /** Ends the session so that the client comes back later: no new work, what is in flight is finished, close 4001. */
  async drain(reason: string): Promise<CloseInfo> {
    this.isDraining = true;
    this.unsubscribeAll();
    const { scheduler, tuning } = this.link.context;
    await finishesWithin(tuning.drainMs, this.link.connection.whenIdle(), scheduler);
    return this.link.connection.close(CloseCode.transient, reason);
  }

  /** Ends the session at once, so that the client comes back later: close 4001. */
  end(reason: string): Promise<CloseInfo> {
    this.isDraining = true;
    this.unsubscribeAll();
    return this.link.connection.close(CloseCode.transient, reason);
  }

  openCollections(request: GetCollections): readonly (PassiveCollection | undefined)[] {
    if (this.addressing.form !== 'open')
      throw new EdgeError('request.invalid', 'getCollections must be the first message and sent once');
    const { name: database } = this.database;
    const sessions = request.collections.map(({ name }, index) => {
      const keyspace = name && { database, ...name };
      return keyspace && this.isOpen(keyspace) ? this.openCollection(keyspace, String(index)) : undefined;
    });
    if (sessions.every((session) => !session) && request.collections.some(({ name }) => name && this.isServed(name)))
      throw new EdgeError('access.denied');
    this.link.peerId = request.uuid ?? request.collections[0]?.checkpointId ?? '';
    this.addressing = { form: 'indexed', sessions };
    return sessions;
  }

  collectionOf(request: IncomingRequest): PassiveCollection {
    const index = readCollectionIndex(request.properties);
    if (this.addressing.form === 'open' && index === undefined) this.addressing = this.openPlain();
    const { addressing } = this;
    if (addressing.form === 'indexed') {
      if (index === undefined) throw inappropriate();
      const session = addressing.sessions[index];
      if (!session) throw new EdgeError('request.invalid', 'the collection property is out of range');
      return session;
    }
    if (addressing.form === 'open' || index !== undefined) throw inappropriate();
    if (!addressing.session) throw new EdgeError('request.invalid', 'the default collection is not served');
    return addressing.session;
  }

  checkDirection(direction: Direction, { collection }: PassiveCollection): void {
    checkDirection(this.policy, direction, collection.keyspace);
  }

  private handle(request: IncomingRequest): void | Promise<void> {
    if (this.isDraining && STARTS_WORK.has(request.profile)) throw new EdgeError('server.draining');
    return dispatch(PASSIVE_MESSAGES, this, request);
  }

  private openPlain(): Addressing {
    const keyspace = { database: this.database.name, scope: DEFAULT_SCOPE, collection: DEFAULT_COLLECTION };
    const session = this.isOpen(keyspace) ? this.openCollection(keyspace, undefined) : undefined;
    return { form: 'plain', session };
  }

  private openCollection(keyspace: Keyspace, tag: string | undefined): PassiveCollection {
    return new PassiveCollection({ link: this.link, keyspace, tag }, this.inserter, this.blobReceiver, this.user);
  }

  private isServed(name: { readonly scope: string; readonly collection: string }): boolean {
    return this.served.has(keyspaceKey({ database: this.database.name, ...name }));
  }

  private isOpen(keyspace: Keyspace): boolean {
    return this.isServed(keyspace) && isVisible(this.policy, keyspace);
  }

  private unsubscribeAll(): void {
    if (this.addressing.form === 'plain') this.addressing.session?.unsubscribe();
    if (this.addressing.form === 'indexed') for (const session of this.addressing.sessions) session?.unsubscribe();
  }
}

/** Requests that a session about to end no longer takes; it still answers those of work under way. */
const STARTS_WORK: ReadonlySet<string> = new Set([
  Profile.getCollections,
  Profile.subChanges,
  Profile.proposeChanges,
  Profile.changes,
]);

function inappropriate(): EdgeError {
  return new EdgeError('request.invalid', 'inappropriate use of the collection property');
}
