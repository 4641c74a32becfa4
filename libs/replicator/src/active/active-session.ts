import { BlipConnection, CloseCode, type CloseInfo, type IncomingRequest, type Transport } from '@edgesync/blip';
import { BlipClosedError, type BlipConnectionOptions } from '@edgesync/blip';
import { EdgeError } from '@edgesync/errors';
import { formatWireCollection, isDefaultCollection, type CollectionName } from '@edgesync/document';
import type { Direction } from '@edgesync/sync-policy';
import {
  buildGetCollections,
  type CheckpointEntry,
  parseCollectionsReply,
  Profile,
  readCollectionIndex,
} from '@edgesync/sync-protocol';
import { BlobReceiver } from '../jobs/blobs.js';
import { ReplicationError } from '../jobs/errors.js';
import { Inserter } from '../jobs/inserter.js';
import { dispatch, type MessageSession } from '../jobs/message-table.js';
import { PeerLink, type Traffic } from '../jobs/peer-link.js';
import { ActiveCollection, type ActiveCollectionOptions, type ReplicatedCollection } from './active-collection.js';
import { ACTIVE_MESSAGES } from './messages.js';

export interface ActiveSessionOptions extends Omit<ActiveCollectionOptions, 'inserter' | 'blobs' | 'onProgress'> {
  /** The local database. */
  readonly database: string;
  readonly collections: readonly ReplicatedCollection[];
  /** The older form for the default collection alone, as clients up to 3.3 speak it. */
  readonly withoutCollections?: boolean;
  /** The local database's public UUID, for `getCollections`. */
  readonly uuid?: string;
  readonly blip?: Pick<BlipConnectionOptions, 'compression' | 'limits'>;
  /** Called whenever {@link ActiveSession.isIdle} or the counts may have changed: often. */
  readonly onProgress?: () => void;
}

/** How a replication ended. */
export interface ActiveSessionEnd {
  readonly close: CloseInfo;
  /** The error that ended it early. */
  readonly error?: unknown;
}

/**
 * The active role: replicates a local database with a server over one connection. It is used once. After a lost
 * connection, make another one: it starts at the checkpoints of this one.
 */
export class ActiveSession implements MessageSession<ActiveCollection> {
  readonly link: PeerLink;
  /** How it ended. Never rejects. */
  readonly ended: Promise<ActiveSessionEnd>;

  private collections: readonly ActiveCollection[] = [];
  private readonly inserter: Inserter;
  private readonly blobs: BlobReceiver;
  private isStopping = false;
  private idleWaiters: (() => void)[] = [];

  constructor(
    transport: Transport,
    private readonly options: ActiveSessionOptions,
  ) {
    const { context, version, database, blip } = options;
    const connection = new BlipConnection(transport, {
      ...blip,
      scheduler: context.scheduler,
      onRequest: (request) => dispatch(ACTIVE_MESSAGES, this, request),
      onFault: (error) => context.log.warn(`replication: ${String(error)}`),
    });
    this.link = new PeerLink(connection, context, version, database);
    this.link.trustsTime = true;
    this.link.peerId = options.collections[0]?.checkpointId ?? '';
    this.inserter = new Inserter(this.link);
    this.blobs = new BlobReceiver(this.link);
    this.ended = this.run();
  }

  get traffic(): Readonly<Traffic> {
    return this.link.traffic;
  }

  /** Revisions that are known to wait, in both directions. */
  get pending(): number {
    return this.collections.reduce((sum, { pending }) => sum + pending, 0);
  }

  /** Revisions that failed for reasons that may pass; they wait for the next connection. */
  get deferred(): number {
    return this.collections.reduce((sum, { deferred }) => sum + deferred, 0);
  }

  /** Local sequences up to which everything has been pushed, parallel to the collections; empty before they are open. */
  get pushed(): readonly number[] {
    return this.collections.map(({ pushed }) => pushed);
  }

  /** Whether everything known is replicated and it waits for changes. */
  get isIdle(): boolean {
    return this.collections.length > 0 && this.collections.every((collection) => collection.isIdle);
  }

  /** Resolves when {@link isIdle}, or when the replication has ended. */
  whenIdle(): Promise<void> {
    if (this.isIdle || !this.link.connection.isOpen) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  /** Ends a continuous replication: saves where it is and closes. */
  async stop(): Promise<ActiveSessionEnd> {
    this.isStopping = true;
    for (const collection of this.collections) collection.stop();
    return this.ended;
  }

  collectionOf(request: IncomingRequest): ActiveCollection {
    const collection = this.collections[readCollectionIndex(request.properties) ?? 0];
    if (!collection) throw new EdgeError('request.invalid', 'the collection property is out of range');
    return collection;
  }

  checkDirection(direction: Direction, { puller }: ActiveCollection): void {
    if (direction === 'push' && !puller) throw new EdgeError('sync.pull-only', 'this replication does not pull');
  }

  private async run(): Promise<ActiveSessionEnd> {
    const { connection } = this.link;
    let error: unknown;
    try {
      const answered = this.expectAnswers();
      this.collections = await this.open().finally(answered);
      if (this.isStopping) for (const collection of this.collections) collection.stop();
      await Promise.race([Promise.all(this.collections.map((collection) => collection.run())), connection.closed]);
      if (connection.isOpen) await Promise.all(this.collections.map((collection) => collection.saveCheckpoint()));
    } catch (caught) {
      if (!(caught instanceof BlipClosedError)) error = caught;
    }
    for (const collection of this.collections) collection.stop();
    const close = await connection.close(error === undefined ? CloseCode.normal : CloseCode.permanent, '');
    for (const resolve of this.idleWaiters.splice(0)) resolve();
    error ??= this.link.failure;
    if (error === undefined && close.by !== 'us') error = new BlipClosedError(close);
    return error === undefined ? { close } : { close, error };
  }

  private async open(): Promise<readonly ActiveCollection[]> {
    const { collections, withoutCollections = false } = this.options;
    const [only] = collections;
    if (withoutCollections && (collections.length !== 1 || !isDefaultCollection(remoteOf(only!))))
      throw new EdgeError('request.invalid', 'without getCollections only the default collection can be replicated');
    const entries = withoutCollections ? undefined : await this.getCollections();
    return Promise.all(
      collections.map((collection, index) =>
        this.openCollection(collection, entries && String(index), entries?.[index]),
      ),
    );
  }

  /**
   * A server that is connected, answers pings, and nothing else is as good as away.
   * @returns to be called when it has answered
   */
  private expectAnswers(): () => void {
    const { scheduler, tuning } = this.options.context;
    return scheduler.schedule(tuning.openingMs, () => {
      const info = { domain: 'HTTP', code: 504, message: 'no answer' };
      this.link.fail(new ReplicationError(info, 'the opening of the replication'));
    });
  }

  private async getCollections(): Promise<readonly (CheckpointEntry | null)[] | undefined> {
    const { collections, uuid } = this.options;
    const request = buildGetCollections({
      collections: collections.map((collection) => ({
        text: formatWireCollection(remoteOf(collection)),
        checkpointId: collection.checkpointId,
      })),
      ...(uuid !== undefined && { uuid }),
    });
    const reply = await this.link.connection.request(request);
    if (reply.error) {
      // A server from before collections: the older form serves the default collection
      // (docs/protocol/replication.md#the-older-form).
      const isUnknown = reply.error.domain === 'BLIP' && reply.error.code === 404;
      if (isUnknown && collections.length === 1 && isDefaultCollection(remoteOf(collections[0]!))) return undefined;
      throw new ReplicationError(reply.error, Profile.getCollections);
    }
    const entries = parseCollectionsReply(reply.body);
    return collections.map((collection, index) => {
      const entry = entries[index];
      if (entry !== undefined) return entry;
      const name = formatWireCollection(remoteOf(collection));
      const info = { domain: 'WebSocket', code: 404, message: `collection ${name} is not found on the remote server` };
      throw new ReplicationError(info, Profile.getCollections);
    });
  }

  private async openCollection(
    collection: ReplicatedCollection,
    tag: string | undefined,
    entry: CheckpointEntry | null | undefined,
  ): Promise<ActiveCollection> {
    const opened = new ActiveCollection({ link: this.link, keyspace: collection.local, tag }, collection, {
      ...this.options,
      inserter: this.inserter,
      blobs: this.blobs,
      onProgress: () => this.checkIdle(),
    });
    await opened.open(entry);
    return opened;
  }

  private checkIdle(): void {
    this.options.onProgress?.();
    if (this.idleWaiters.length === 0 || !this.isIdle) return;
    for (const resolve of this.idleWaiters.splice(0)) resolve();
  }
}

function remoteOf({ local, remote }: ReplicatedCollection): CollectionName {
  return remote ?? local;
}
