import { EdgeError } from '@edgesync/errors';
import type { RevisionKind } from '@edgesync/revision';
import { resumePoint, revisionKindOf, type SubChanges } from '@edgesync/sync-protocol';
import { BlobSender } from './blob-sender.js';
import type { BlobReceiver } from './blob-receiver.js';
import { ChangesSender } from './changes-sender.js';
import { IncomingRevs } from './incoming-revs.js';
import type { Inserter } from './inserter.js';
import { OwnPushes } from './own-pushes.js';
import type { CollectionLink } from './peer-link.js';
import { RevFinder } from './rev-finder.js';
import { RevSender } from './rev-sender.js';

/** One collection of a connected app: its jobs, made when they are needed first. */
export class CollectionSession {
  readonly finder: RevFinder;
  readonly incoming: IncomingRevs;
  readonly blobs: BlobSender;

  private readonly ownPushes: OwnPushes;
  private changes: ChangesSender | undefined;

  constructor(
    readonly collection: CollectionLink,
    inserter: Inserter,
    blobReceiver: BlobReceiver,
  ) {
    this.ownPushes = new OwnPushes(collection.link.environment.tuning.ownPushes);
    this.finder = new RevFinder(collection);
    this.blobs = new BlobSender(collection);
    this.incoming = new IncomingRevs(collection, inserter, blobReceiver, {
      onConflict: 'refuse',
      ownPushes: this.ownPushes,
    });
  }

  /** The kind of IDs that lists of this collection carry by default. */
  get kind(): RevisionKind {
    return revisionKindOf(this.collection.link.version, undefined);
  }

  /**
   * Makes the subscription; the returned function starts it, once the request is answered.
   * @throws EdgeError `request.invalid` for what is not supported, `storage.*`
   */
  async subscribe(request: SubChanges): Promise<() => void> {
    // Statuses other than 400, 403 and 503 would leave the client connected and deaf
    // (docs/protocol/replication.md#refusing-a-subscription).
    if (request.filter !== undefined || request.channels !== undefined)
      throw new EdgeError('request.invalid', `unknown filter "${request.filter ?? 'channels'}"`);
    if (this.changes?.isActive) throw new EdgeError('request.invalid', 'the collection is subscribed to already');
    const { link, keyspace } = this.collection;
    const { feeds, storage, tuning } = link.environment;
    const since = request.future ? (await storage.collection(keyspace)).lastSequence : resumePoint(request.since);
    const kind = revisionKindOf(link.version, request.versioning);
    const subscription = feeds.subscribe(keyspace, {
      since,
      pageRows: Math.max(1, Math.min(request.batch || tuning.changesBatch, tuning.largestChangesBatch)),
      activeOnly: request.activeOnly,
      bodies: since === 0,
      utf8: true,
      ...(request.docIds && { ids: request.docIds }),
    });
    const revs = new RevSender(
      this.collection,
      this.blobs,
      { kind, isPush: false, takesReplacements: request.sendReplacementRevs },
      () => changes.makeProgress(),
    );
    const changes = new ChangesSender(this.collection, subscription, revs, this.ownPushes, {
      kind,
      continuous: request.continuous,
      ignoreNoConflicts: request.fromGateway,
    });
    this.changes = changes;
    return () => void changes.run();
  }

  /** Ends the subscription, if there is one. Revisions that were asked for still go out. */
  unsubscribe(): void {
    this.changes?.stop();
  }
}
