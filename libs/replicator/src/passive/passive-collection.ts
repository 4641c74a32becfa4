import { EdgeError } from '@edgesync/errors';
import type { RevisionKind } from '@edgesync/revision';
import { resumePoint, revisionKindOf, type SubChanges } from '@edgesync/sync-protocol';
import type { Checkpoint } from '@edgesync/ports';
import { BlobSender, type BlobReceiver } from '../jobs/blobs.js';
import { IncomingRevs } from '../jobs/incoming-revs.js';
import type { Inserter } from '../jobs/inserter.js';
import type { CollectionLink } from '../jobs/peer-link.js';
import { EchoFilter } from '../jobs/peer-memory.js';
import { RevFinder } from '../jobs/rev-finder.js';
import { RevSender } from '../jobs/rev-sender.js';
import { ChangesSender } from './changes-sender.js';

/** One collection of a connected app: its jobs and its checkpoints. */
export class PassiveCollection {
  readonly finder: RevFinder;
  readonly incoming: IncomingRevs;
  readonly blobs: BlobSender;

  private readonly echoes: EchoFilter;
  private changes: ChangesSender | undefined;
  private readonly checkpointPrefix: string;

  constructor(
    readonly collection: CollectionLink,
    inserter: Inserter,
    blobReceiver: BlobReceiver,
    user: string | undefined,
  ) {
    // Encoded, so that no user name can run into a client ID.
    this.checkpointPrefix = `${encodeURIComponent(user ?? '')}/`;
    this.echoes = new EchoFilter(collection.link.context.tuning.echoes);
    this.finder = new RevFinder(collection);
    this.blobs = new BlobSender(collection);
    this.incoming = new IncomingRevs(collection, inserter, blobReceiver, {
      onConflict: 'refuse',
      echoes: this.echoes,
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
    const { feeds, storage, tuning } = link.context;
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
    const changes = new ChangesSender(this.collection, subscription, revs, this.echoes, {
      kind,
      continuous: request.continuous,
      ignoreNoConflicts: request.fromGateway,
    });
    this.changes = changes;
    return () => void changes.run();
  }

  /**
   * Checkpoints are stored by user and client: another user's client of the same name is another client
   * (docs/protocol/checkpoints.md#server-duties).
   * @throws EdgeError `storage.*`
   */
  loadCheckpoint(client: string): Promise<Checkpoint | undefined> {
    const { link, keyspace } = this.collection;
    return link.context.storage.loadCheckpoint(keyspace, this.checkpointPrefix + client);
  }

  /** @returns the new revision @throws EdgeError `checkpoint.conflict`, `storage.*` */
  saveCheckpoint(client: string, rev: string, body: string): Promise<string> {
    const { link, keyspace } = this.collection;
    return link.context.storage.saveCheckpoint(keyspace, this.checkpointPrefix + client, rev, body);
  }

  /** Ends the subscription, if there is one. Revisions that were asked for still go out. */
  unsubscribe(): void {
    this.changes?.stop();
  }
}
