import { EdgeError } from '@edgesync/errors';
import type { IncomingRequest } from '@edgesync/blip';
import type { RevisionKind } from '@edgesync/revision';
import {
  buildChangesReply,
  buildSubChanges,
  isEmptyList,
  parseChanges,
  parseNoRev,
  sequenceProperty,
  type ChangeRowIn,
  type RevMessage,
  type SequenceText,
} from '@edgesync/sync-protocol';
import type { BlobReceiver } from '../blob-receiver.js';
import { IncomingRevs, type RevOutcome } from '../incoming-revs.js';
import type { Inserter } from '../inserter.js';
import type { OwnPushes } from '../own-pushes.js';
import type { CollectionLink } from '../peer-link.js';
import { RevFinder } from '../rev-finder.js';
import { isTemporary } from '../temporary.js';
import { ReplicationError } from './replication-error.js';
import { SequenceTracker } from './sequence-tracker.js';

export interface PullerOptions {
  readonly kind: RevisionKind;
  readonly continuous: boolean;
  readonly batch: number;
  readonly docIds?: readonly string[];
  readonly channels?: readonly string[];
  /** Sequences of stored revisions that came from the server: they need not be pushed. */
  readonly pulled: OwnPushes;
  /** Told the revision the server has of a document. */
  readonly onServerRevision: (id: string, rev: string) => void;
  readonly onDocumentError: (id: string, error: unknown) => void;
  /** Told that a conflict was resolved, and whose content won. */
  readonly onConflict: (id: string, winner: 'local' | 'remote') => void;
  readonly onProgress: () => void;
}

/** Pulls one collection: subscribes, says which of the changes it wants, stores what comes. */
export class Puller {
  hasCaughtUp = false;

  private readonly tracker: SequenceTracker;
  private readonly finder: RevFinder;
  private readonly incoming: IncomingRevs;
  private lists = 0;

  constructor(
    private readonly collection: CollectionLink,
    since: SequenceText | undefined,
    inserter: Inserter,
    blobs: BlobReceiver,
    private readonly options: PullerOptions,
  ) {
    this.tracker = new SequenceTracker(since);
    this.finder = new RevFinder(collection);
    this.incoming = new IncomingRevs(collection, inserter, blobs, {
      onConflict: 'resolve',
      purgesRemoved: true,
      ownPushes: options.pulled,
      onDone: (rev, outcome) => this.finish(rev, outcome),
    });
  }

  /** Where a later pull goes on. */
  get completed(): SequenceText | undefined {
    return this.tracker.completed;
  }

  /** Revisions that were announced and are not stored yet. */
  get pending(): number {
    return this.tracker.openCount + this.tracker.deferredCount;
  }

  /** Revisions that failed for now; the next connection brings them. */
  get deferred(): number {
    return this.tracker.deferredCount;
  }

  /** Whether all that was announced is done. */
  get isIdle(): boolean {
    return this.hasCaughtUp && this.lists === 0 && this.tracker.openCount === 0;
  }

  /** @throws ReplicationError if the server refuses the subscription */
  async start(isEmpty: boolean): Promise<void> {
    const { kind, continuous, batch, docIds, channels } = this.options;
    const since = this.tracker.completed;
    const reply = await this.collection.link.connection.request(
      buildSubChanges(
        {
          ...(since !== undefined && { since }),
          continuous,
          batch,
          versioning: kind === 'tree' ? 'rev-trees' : 'version-vectors',
          activeOnly: isEmpty && since === undefined,
          revocations: true,
          ...(docIds && { docIds }),
          ...(channels && { channels }),
        },
        this.collection.tag,
      ),
    );
    if (reply.error) throw new ReplicationError(reply.error, 'subChanges');
  }

  /** Answers `changes`. A list that cannot be answered is lost for the sender, so that ends the connection (J.4-57). */
  async handleChanges(request: IncomingRequest): Promise<void> {
    try {
      await this.answerChanges(request);
    } catch (error) {
      this.collection.link.fail(error);
    }
  }

  private async answerChanges(request: IncomingRequest): Promise<void> {
    const { link } = this.collection;
    const receiver = link.receiverOptions(this.options.kind);
    if (isEmptyList(request.body)) {
      this.hasCaughtUp = true;
      request.respond(buildChangesReply([], receiver));
      this.options.onProgress();
      return;
    }
    const { rows } = parseChanges(request);
    for (const { sequence } of rows) if (sequence !== undefined) this.tracker.add(sequence);
    this.lists++;
    try {
      const wanted = await this.finder.find(rows);
      await this.purge(rows.filter(({ revoked }) => revoked));
      for (const [index, { id, rev, revoked, sequence }] of rows.entries()) {
        if (wanted[index]) continue;
        if (sequence !== undefined) this.tracker.complete(sequence);
        if (!revoked) this.options.onServerRevision(id, rev);
      }
      request.respond(buildChangesReply(wanted, receiver));
    } finally {
      this.lists--;
      this.options.onProgress();
    }
  }

  handleRev(request: IncomingRequest): void {
    this.incoming.receive(request);
  }

  /** A revision will not come: its sequence is done (J.2-9). */
  handleNoRev(request: IncomingRequest): void {
    const { id, sequence, error, reason } = parseNoRev(request);
    if (sequence !== undefined) this.tracker.complete(sequenceProperty(sequence));
    this.options.onDocumentError(id, new EdgeError('doc.missing', reason ?? `the server answers ${error}`));
    request.respond();
    this.options.onProgress();
  }

  /** Removes what the server has taken from us; nobody else is told (wire C.17). */
  private async purge(rows: readonly ChangeRowIn[]): Promise<void> {
    if (rows.length === 0) return;
    const { link, keyspace } = this.collection;
    await link.environment.storage.write(
      link.database,
      rows.map(({ id }) => ({ type: 'purge', keyspace, id })),
    );
  }

  private finish({ id, rev, sequence }: RevMessage, outcome: RevOutcome): void {
    if ('error' in outcome) {
      // After a delta that did not apply the whole body comes; after temporary trouble the next connection asks again.
      if (outcome.error instanceof EdgeError && outcome.error.code.startsWith('delta.')) return;
      if (isTemporary(outcome.error) || !this.collection.link.connection.isOpen) {
        if (sequence !== undefined) this.tracker.defer(sequenceProperty(sequence));
        this.options.onProgress();
        return;
      }
      this.options.onDocumentError(id, outcome.error);
    } else if (outcome.result.status !== 'purged' && outcome.result.status !== 'missing') {
      this.options.onServerRevision(id, rev);
      if (outcome.result.status === 'stored' && outcome.result.resolved)
        this.options.onConflict(id, outcome.result.resolved);
    }
    if (sequence !== undefined) this.tracker.complete(sequenceProperty(sequence));
    this.options.onProgress();
  }
}
