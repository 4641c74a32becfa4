import { BlipClosedError, refuseUnknownProfile, type IncomingRequest } from '@edgesync/blip';
import type { Subscription } from '@edgesync/change-feed';
import { EdgeError } from '@edgesync/errors';
import { revisionKindOf, Profile, type CheckpointEntry } from '@edgesync/sync-protocol';
import type { BlobReceiver } from '../blob-receiver.js';
import { BlobSender } from '../blob-sender.js';
import type { Inserter } from '../inserter.js';
import { OwnPushes } from '../own-pushes.js';
import type { CollectionLink } from '../peer-link.js';
import { CheckpointSaver } from './checkpoint-saver.js';
import { KnownRevisions } from './known-revisions.js';
import { Puller } from './puller.js';
import { Pusher } from './pusher.js';
import type { ReplicatedCollection, ActiveSessionOptions } from './active-session.js';
import type { SyncCheckpoint } from './sync-checkpoint.js';

export interface CollectionReplicationOptions extends ActiveSessionOptions {
  readonly inserter: Inserter;
  readonly blobs: BlobReceiver;
  readonly onProgress: () => void;
}

/** One collection of a {@link import('./active-session.js').ActiveSession}: its pusher, its puller, its checkpoint. */
export class CollectionReplication {
  private readonly saver: CheckpointSaver;
  private readonly blobSender: BlobSender;
  private pusher: Pusher | undefined;
  private puller: Puller | undefined;
  private start: SyncCheckpoint = {};
  private stopSaving: () => void = () => {};
  private isStopped = false;
  private pullEnded: () => void = () => {};

  constructor(
    private readonly collection: CollectionLink,
    private readonly replicated: ReplicatedCollection,
    private readonly options: CollectionReplicationOptions,
  ) {
    this.saver = new CheckpointSaver(collection, replicated.checkpointId, options.checkpoints);
    this.blobSender = new BlobSender(collection);
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
    const { environment, push, pull, version, continuous, onDocumentError, onConflict, inserter, blobs } = this.options;
    const { docIds, channels, local } = this.replicated;
    const kind = revisionKindOf(version, undefined);
    const pulled = new OwnPushes(environment.tuning.ownPushes);
    const known = new KnownRevisions(environment.tuning.ownPushes);
    const onServerRevision = (id: string, rev: string): void => known.set(id, rev);
    const onProgress = (): void => this.makeProgress();
    if (push) {
      const subscribe = (since: number): Subscription =>
        environment.feeds.subscribe(local, { since, bodies: true, utf8: true, ...(docIds && { ids: docIds }) });
      this.pusher = new Pusher(this.collection, subscribe, this.start.local ?? 0, this.blobSender, {
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
        batch: environment.tuning.changesBatch,
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

  /** Answers a message about the collection. */
  handle(request: IncomingRequest): void | Promise<void> {
    const { puller, blobSender } = this;
    switch (request.profile) {
      case Profile.getAttachment:
        return blobSender.get(request);
      case Profile.proveAttachment:
        return blobSender.prove(request);
      case Profile.changes:
      case Profile.rev:
      case Profile.norev:
        if (!puller) throw new EdgeError('sync.pull-only', 'this replication does not pull');
        if (request.profile === Profile.changes) return puller.handleChanges(request);
        return request.profile === Profile.rev ? puller.handleRev(request) : puller.handleNoRev(request);
      default:
        return refuseUnknownProfile(request);
    }
  }

  /** Outcomes of conflicts go back in the same run; pulled revisions need no push. */
  private async pushOutcomes(): Promise<void> {
    await this.options.inserter.whenIdle();
    if (this.collection.link.connection.isOpen) await this.pusher?.run();
  }

  private async runPuller(): Promise<void> {
    if (!this.puller || this.isStopped) return;
    const info = await this.options.environment.storage.collection(this.replicated.local);
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
    const { scheduler, tuning, log } = this.options.environment;
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
