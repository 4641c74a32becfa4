import { EdgeError } from '@edgesync/errors';
import type { IncomingRequest } from '@edgesync/blip';
import type { WriteResult } from '@edgesync/ports';
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
import type { BlobReceiver } from '../jobs/blobs.js';
import { IncomingRevs, type RevOutcome } from '../jobs/incoming-revs.js';
import type { Inserter } from '../jobs/inserter.js';
import type { EchoFilter } from '../jobs/peer-memory.js';
import type { CollectionLink } from '../jobs/peer-link.js';
import { RevFinder } from '../jobs/rev-finder.js';
import { isRefusal } from '../jobs/errors.js';
import { PullWindow } from './pull-window.js';
import { ReplicationError } from '../jobs/errors.js';
import { SequenceTracker } from './sequence-tracker.js';

export interface PullerOptions {
  readonly kind: RevisionKind;
  readonly continuous: boolean;
  readonly batch: number;
  readonly docIds?: readonly string[];
  readonly channels?: readonly string[];
  /** Sequences of stored revisions that came from the server: they need not be pushed. */
  readonly pulled: EchoFilter;
  /** Receives the revision that the server has of a document. */
  readonly onServerRevision: (id: string, rev: string) => void;
  readonly onDocumentError: (id: string, error: unknown) => void;
  /** Called when a conflict was resolved, with the side that won. */
  readonly onConflict: (id: string, winner: 'local' | 'remote') => void;
  readonly onProgress: () => void;
}

/** Pulls one collection: subscribes, says which of the changes it wants, stores what comes. */
export class Puller {
  hasCaughtUp = false;

  private readonly tracker: SequenceTracker;
  private readonly finder: RevFinder;
  private readonly incoming: IncomingRevs;
  private readonly window: PullWindow;
  private lists = 0;
  /** Lists are worked on one after the other: what one takes away, a later one may give back. */
  private line = Promise.resolve();

  constructor(
    private readonly collection: CollectionLink,
    since: SequenceText | undefined,
    inserter: Inserter,
    blobs: BlobReceiver,
    private readonly options: PullerOptions,
  ) {
    this.tracker = new SequenceTracker(since);
    this.finder = new RevFinder(collection);
    const { tuning } = collection.link.context;
    this.window = new PullWindow({ revs: tuning.pullWindowRevs, bytes: tuning.pullWindowBytes });
    void collection.link.connection.closed.then(() => this.window.close());
    this.incoming = new IncomingRevs(collection, inserter, blobs, {
      onConflict: 'resolve',
      purgesRemoved: true,
      echoes: options.pulled,
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

  /** Revisions that were asked for and are not stored yet. */
  get underWay(): number {
    return this.window.size;
  }

  /**
   * Answers `changes`. A list that cannot be answered is lost for the sender, so that ends the connection
   * (docs/protocol/replication.md#reply-to-changes).
   */
  handleChanges(request: IncomingRequest): void {
    const { link } = this.collection;
    if (isEmptyList(request.body)) {
      this.hasCaughtUp = true;
      request.respond(buildChangesReply([], link.receiverOptions(this.options.kind)));
      this.options.onProgress();
      return;
    }
    let rows: readonly ChangeRowIn[];
    try {
      ({ rows } = parseChanges(request));
    } catch (error) {
      link.fail(error);
      return;
    }
    for (const { sequence } of rows) if (sequence !== undefined) this.tracker.add(sequence);
    this.lists++;
    this.line = this.line.then(async () => {
      try {
        await this.answerChanges(request, rows);
      } catch (error) {
        link.fail(error);
      } finally {
        this.lists--;
        this.options.onProgress();
      }
    });
  }

  private async answerChanges(request: IncomingRequest, rows: readonly ChangeRowIn[]): Promise<void> {
    const { link } = this.collection;
    await this.window.whenOpen();
    if (!link.connection.isOpen) return;
    const wanted = await this.finder.find(rows);
    await this.purge(rows.filter(({ revoked }) => revoked));
    if (!link.connection.isOpen) return;
    for (const [index, row] of rows.entries()) {
      const { id, rev, revoked, sequence } = row;
      if (wanted[index]) {
        this.window.add(row);
        continue;
      }
      if (sequence !== undefined) this.tracker.complete(sequence);
      if (!revoked) this.options.onServerRevision(id, rev);
    }
    request.respond(buildChangesReply(wanted, link.receiverOptions(this.options.kind)));
  }

  /** A message that does not say which revision it is about would be waited for for ever, so it ends the connection. */
  handleRev(request: IncomingRequest): void {
    this.readable(() => this.incoming.receive(request));
  }

  /** A revision will not come: its sequence is done (docs/protocol/replication.md#norev). */
  handleNoRev(request: IncomingRequest): void {
    const { id, sequence, error, reason } = this.readable(() => parseNoRev(request));
    this.window.settle(id);
    if (sequence !== undefined) this.tracker.complete(sequenceProperty(sequence));
    this.options.onDocumentError(id, new EdgeError('doc.missing', reason ?? `the server answers ${error}`));
    request.respond();
    this.options.onProgress();
  }

  private readable<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.collection.link.fail(error);
      throw error;
    }
  }

  /**
   * Purges documents that the server has taken from us, without a notification
   * (docs/protocol/replication.md#revocations-and-removals). What was asked for before comes first.
   */
  private async purge(rows: readonly ChangeRowIn[]): Promise<void> {
    if (rows.length === 0) return;
    const { link, keyspace } = this.collection;
    await this.window.whenSettled(rows.map(({ id }) => id));
    if (!link.connection.isOpen) return;
    await link.context.storage.write(
      link.database,
      rows.map(({ id }) => ({ type: 'purge', keyspace, id })),
    );
  }

  private finish(message: RevMessage, outcome: RevOutcome): void {
    const { id, sequence } = message;
    // After a delta that did not apply the whole body comes.
    if ('error' in outcome && outcome.error instanceof EdgeError && outcome.error.code.startsWith('delta.')) return;
    this.window.settle(id);
    if ('result' in outcome) this.note(message, outcome.result);
    else if (!isRefusal(outcome.error) || !this.collection.link.connection.isOpen) {
      // The next connection asks again; also after a fault of ours, for a revision that is passed over does not come again.
      if (sequence !== undefined) this.tracker.defer(sequenceProperty(sequence));
      this.options.onProgress();
      return;
    } else this.options.onDocumentError(id, outcome.error);
    if (sequence !== undefined) this.tracker.complete(sequenceProperty(sequence));
    this.options.onProgress();
  }

  private note({ id, rev }: RevMessage, result: WriteResult): void {
    if (result.status === 'purged' || result.status === 'missing') return;
    this.options.onServerRevision(id, rev);
    if (result.status === 'stored' && result.resolved) this.options.onConflict(id, result.resolved);
  }
}
