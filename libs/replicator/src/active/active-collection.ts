import { BlipClosedError } from '@edgesync/blip';
import type { Subscription } from '@edgesync/change-feed';
import type { CollectionName, Keyspace } from '@edgesync/document';
import { revisionKindOf, type CheckpointEntry, type ProtocolVersion } from '@edgesync/sync-protocol';
import { BlobSender, type BlobReceiver } from '../jobs/blobs.js';
import type { Inserter } from '../jobs/inserter.js';
import type { CollectionLink } from '../jobs/peer-link.js';
import { EchoFilter } from '../jobs/peer-memory.js';
import QuickLRU from 'quick-lru';
import type { ReplicatorContext } from '../replicator-context.js';
import { CheckpointSaver, type LocalCheckpoints, type SyncCheckpoint } from './checkpoints.js';
import { Puller } from './puller.js';
import { Pusher } from './pusher.js';

/** One collection of a replication. */
export interface ReplicatedCollection {
  readonly local: Keyspace;
  /** Its name at the server; default: the same. */
  readonly remote?: CollectionName;
  /** Stable for the same pair of databases, direction and filter; whatever changes what is replicated changes it. */
  readonly checkpointId: string;
  readonly docIds?: readonly string[];
  readonly channels?: readonly string[];
}

export interface ActiveCollectionOptions {
  readonly context: ReplicatorContext;
  readonly version: ProtocolVersion;
  readonly push: boolean;
  readonly pull: boolean;
  readonly continuous: boolean;
  readonly checkpoints: LocalCheckpoints;
  /** Reports revisions that one side refuses for good. */
  readonly onDocumentError?: (direction: 'push' | 'pull', keyspace: Keyspace, id: string, error: unknown) => void;
  /** Reports conflicts that were resolved here, and whose content won. */
  readonly onConflict?: (keyspace: Keyspace, id: string, winner: 'local' | 'remote') => void;
  readonly inserter: Inserter;
  readonly blobs: BlobReceiver;
  readonly onProgress: () => void;
}

/** One collection of a {@link import('./active-session.js').ActiveSession}: its pusher, its puller, its checkpoint. */
export class ActiveCollection {
  readonly blobs: BlobSender;
  puller: Puller | undefined;

  private readonly saver: CheckpointSaver;
  private pusher: Pusher | undefined;
  private start: SyncCheckpoint = {};
  private stopSaving: () => void = () => {};
  private isStopped = false;
  private pullEnded: () => void = () => {};

  constructor(
    private readonly collection: CollectionLink,
    private readonly replicated: ReplicatedCollection,
    private readonly options: ActiveCollectionOptions,
  ) {
    this.saver = new CheckpointSaver(collection, replicated.checkpointId, options.checkpoints);
    this.blobs = new BlobSender(collection);
  }

  /** Revisions that are known to wait, in both directions. */
  get pending(): number {
    return (this.pusher?.pending ?? 0) + (this.puller?.pending ?? 0);
  }

  /** Revisions that failed for now. */
  get deferred(): number {
    return (this.pusher?.deferred ?? 0) + (this.puller?.deferred ?? 0);
  }

  /** Local sequence up to which everything has been pushed. */
  get pushed(): number {
    return this.pusher?.completed ?? this.start.local ?? 0;
  }

  get isIdle(): boolean {
    return (this.pusher?.isIdle ?? true) && (this.puller?.isIdle ?? true);
  }

  /** Loads the checkpoints of both sides and makes the jobs. @param entry what the server has, if that is known */
  async open(entry: CheckpointEntry | null | undefined): Promise<void> {
    this.start = await this.saver.load(entry);
    const { context, push, pull, version, continuous, onDocumentError, onConflict, inserter, blobs } = this.options;
    const { docIds, channels, local } = this.replicated;
    const kind = revisionKindOf(version, undefined);
    const pulled = new EchoFilter(context.tuning.echoes);
    // The revisions that the server is known to have of documents that were transferred lately.
    const known = new QuickLRU<string, string>({ maxSize: context.tuning.echoes });
    const onServerRevision = (id: string, rev: string): void => void known.set(id, rev);
    const onProgress = (): void => this.makeProgress();
    if (push) {
      const subscribe = (since: number): Subscription =>
        context.feeds.subscribe(local, { since, bodies: true, utf8: true, ...(docIds && { ids: docIds }) });
      this.pusher = new Pusher(this.collection, subscribe, this.start.local ?? 0, this.blobs, {
        kind,
        continuous,
        pulls: pull,
        pulled,
        serverRevision: (id) => known.get(id),
        onServerRevision,
        onDocumentError: (id, error) => onDocumentError?.('push', local, id, error),
        onProgress,
      });
    }
    if (pull)
      this.puller = new Puller(this.collection, this.start.remote, inserter, blobs, {
        kind,
        continuous,
        batch: context.tuning.changesBatch,
        ...(docIds && { docIds }),
        ...(channels && { channels }),
        pulled,
        onServerRevision,
        onDocumentError: (id, error) => onDocumentError?.('pull', local, id, error),
        onConflict: (id, winner) => onConflict?.(local, id, winner),
        onProgress,
      });
  }

  /** Replicates until all is done or, if continuous, until {@link stop}. @throws ReplicationError, EdgeError */
  async run(): Promise<void> {
    this.scheduleSave();
    try {
      await Promise.all([this.pusher?.run(), this.runPuller()]);
      if (this.puller && !this.options.continuous) await this.pushOutcomes();
    } finally {
      this.stopSaving();
    }
  }

  stop(): void {
    this.isStopped = true;
    this.stopSaving();
    this.pusher?.stop();
    this.pullEnded();
  }

  /** @throws EdgeError `storage.*` */
  async saveCheckpoint(): Promise<void> {
    await this.options.inserter.whenIdle();
    await this.saver.save(() => this.position());
  }

  /** Outcomes of conflicts go back in the same run; pulled revisions need no push. */
  private async pushOutcomes(): Promise<void> {
    await this.options.inserter.whenIdle();
    if (this.collection.link.connection.isOpen) await this.pusher?.run();
  }

  private async runPuller(): Promise<void> {
    if (!this.puller || this.isStopped) return;
    const info = await this.options.context.storage.collection(this.replicated.local);
    const ended = new Promise<void>((resolve) => (this.pullEnded = resolve));
    await this.puller.start(info.lastSequence === 0);
    this.makeProgress();
    await ended;
  }

  private makeProgress(): void {
    if (this.puller?.isIdle && !this.options.continuous) this.pullEnded();
    this.options.onProgress();
  }

  private position(): SyncCheckpoint {
    const local = this.pusher ? this.pusher.completed : this.start.local;
    const remote = this.puller ? this.puller.completed : this.start.remote;
    return { ...(local ? { local } : {}), ...(remote !== undefined && { remote }) };
  }

  private scheduleSave(): void {
    if (this.isStopped) return;
    const { scheduler, tuning, log } = this.options.context;
    this.stopSaving = scheduler.schedule(tuning.checkpointMs, () => {
      this.saver
        .save(() => this.position())
        .catch((error: unknown) => {
          if (!(error instanceof BlipClosedError)) log.error('checkpoint not saved', error);
        })
        .finally(() => this.scheduleSave());
    });
  }
}
