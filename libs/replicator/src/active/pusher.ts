import type { BlipErrorInfo } from '@edgesync/blip';
import type { Subscription } from '@edgesync/change-feed';
import type { ChangeRow } from '@edgesync/ports';
import {
  currentPath,
  currentVersionOf,
  isVersion,
  offeredId,
  treeHas,
  vectorIncludes,
  type RevisionKind,
} from '@edgesync/revision';
import {
  buildProposeChanges,
  isTransient,
  parseProposeReply,
  readReceiverOptions,
  type Proposal,
  type ProposalAnswer,
} from '@edgesync/sync-protocol';
import type { BlobSender } from '../jobs/blobs.js';
import type { EchoFilter } from '../jobs/peer-memory.js';
import type { CollectionLink } from '../jobs/peer-link.js';
import { RevSender, SUPERSEDED } from '../jobs/rev-sender.js';
import { wantedRev, type WantedRev } from '../jobs/wanted-revs.js';
import { ReplicationError } from '../jobs/errors.js';
import { SequenceTracker } from './sequence-tracker.js';

export interface PusherOptions {
  readonly kind: RevisionKind;
  readonly continuous: boolean;
  /** Whether conflicts are met and resolved by a puller beside this pusher, so that they are no errors here. */
  readonly pulls: boolean;
  /** Sequences of revisions that came from the server. */
  readonly pulled: EchoFilter;
  /** The revision the server is known to have of a document, if any. */
  readonly serverRevision: (id: string) => string | undefined;
  readonly onServerRevision: (id: string, rev: string) => void;
  readonly onDocumentError: (id: string, error: BlipErrorInfo) => void;
  readonly onProgress: () => void;
}

/** Lists of proposals that wait for their answers. */
const UNANSWERED_PROPOSALS = 3;
/** A document is proposed again after a conflict so often, each time on the revision that the server named. */
const MOST_PROPOSALS = 3;
/** So many forbidden revisions are kept for another attempt at the end. */
const MOST_FORBIDDEN = 1_000;

interface Candidate {
  readonly row: ChangeRow;
  readonly parent: string;
  readonly attempt: number;
}

/** Pushes one collection: proposes what changed here and sends what is accepted. */
export class Pusher {
  hasCaughtUp = false;

  private readonly tracker: SequenceTracker;
  private readonly sender: RevSender;
  /**
   * Sizes of the documents proposed or being sent. A newer change of one waits (docs/protocol/failures.md#ordering).
   */
  private readonly inFlight = new Map<string, number>();
  private bytesInFlight = 0;
  private unanswered = 0;
  private isStopped = false;
  private wake: (() => void) | undefined;
  private isWaitingForChanges = false;
  private unscanned = 0;
  /** Rows of the page at hand that wait until they may be proposed. */
  private unproposed = 0;
  /**
   * Revisions that the server has forbidden once. They are tried once more at the end of the push
   * (docs/protocol/replication.md#rev).
   */
  private readonly forbidden = new Map<string, WantedRev>();
  private readonly triedAgain = new WeakSet<WantedRev>();
  private subscription: Subscription | undefined;
  /** Up to where the log has been read. */
  private scanned: number;

  constructor(
    private readonly collection: CollectionLink,
    private readonly subscribe: (since: number) => Subscription,
    since: number,
    blobs: BlobSender,
    private readonly options: PusherOptions,
  ) {
    this.scanned = since;
    this.tracker = new SequenceTracker(String(since));
    this.sender = new RevSender(
      collection,
      blobs,
      { kind: options.kind, isPush: true, onSettled: (wanted, error) => this.settle(wanted, error) },
      () => this.makeProgress(),
    );
  }

  /** Where a later push goes on. */
  get completed(): number {
    return Number(this.tracker.completed);
  }

  /** Revisions that are known to wait. What is not looked at yet counts as if each of its sequences were to be pushed. */
  get pending(): number {
    return this.tracker.openCount + this.tracker.deferredCount + this.unproposed + this.unscanned;
  }

  /** Revisions that the server refused for now; the next connection offers them again. */
  get deferred(): number {
    return this.tracker.deferredCount;
  }

  get isIdle(): boolean {
    return this.hasCaughtUp && this.isWaitingForChanges && this.inFlight.size === 0;
  }

  /**
   * Pushes until all is pushed or, if continuous, until {@link stop}. What is written later is pushed by another call.
   * @throws ReplicationError, EdgeError `storage.*`
   */
  async run(): Promise<void> {
    if (this.isStopped) return;
    const subscription = (this.subscription = this.subscribe(this.scanned));
    try {
      await this.pushFrom(subscription);
    } finally {
      subscription.close();
    }
    await this.when(() => {
      this.tryForbidden();
      return this.inFlight.size === 0;
    });
    if (!this.isRunning) return;
    this.isWaitingForChanges = true;
    this.options.onProgress();
  }

  stop(): void {
    this.isStopped = true;
    this.subscription?.close();
    this.makeProgress();
  }

  private async pushFrom(subscription: Subscription): Promise<void> {
    while (this.isRunning) {
      this.isWaitingForChanges = true;
      this.options.onProgress();
      const page = await subscription.next();
      this.isWaitingForChanges = false;
      if (!page) break;
      this.unscanned = Math.max(0, page.lastSequence - page.scanned);
      this.unproposed = page.rows.length;
      for (let from = 0; from < page.rows.length && this.isRunning;) from = await this.proposeFrom(page.rows, from);
      // What was not proposed must not count as looked at.
      if (!this.isRunning) break;
      this.scanned = page.scanned;
      this.tracker.skipTo(String(page.scanned));
      if (!page.caughtUp) continue;
      this.hasCaughtUp = true;
      this.tryForbidden();
      if (!this.options.continuous) break;
    }
  }

  /** Proposes rows up to the next one whose document is in flight. @returns where to go on */
  private async proposeFrom(rows: readonly ChangeRow[], from: number): Promise<number> {
    const { pushWindowRevs, pushWindowBytes } = this.collection.link.context.tuning;
    const first = rows[from]!;
    await this.when(() => {
      // Its answer may come while we wait for it.
      this.dropForbidden(first.id);
      return (
        this.unanswered < UNANSWERED_PROPOSALS &&
        this.sender.backlog < pushWindowRevs &&
        this.bytesInFlight < pushWindowBytes &&
        !this.inFlight.has(first.id)
      );
    });
    if (!this.isRunning) return from;
    const candidates: Candidate[] = [];
    let next = from;
    for (; next < rows.length && !this.inFlight.has(rows[next]!.id); next++) {
      const row = rows[next]!;
      const sequence = String(row.sequence);
      this.tracker.add(sequence);
      if (this.options.pulled.take(row.sequence)) this.tracker.complete(sequence);
      else {
        this.inFlight.set(row.id, row.bodySize);
        this.bytesInFlight += row.bodySize;
        candidates.push({ row, parent: this.likelyParent(row), attempt: 1 });
      }
    }
    this.unproposed = rows.length - next;
    this.propose(candidates);
    return next;
  }

  /** The revision that the server probably has: the one it showed, else the one before ours. */
  private likelyParent(row: ChangeRow): string {
    const known = this.options.serverRevision(row.id);
    if (known !== undefined) return known;
    // A vector speaks for itself; of a tree the server only knows the IDs it has.
    return this.options.kind === 'tree' ? (currentPath(row.tree)[1] ?? '') : '';
  }

  private propose(candidates: readonly Candidate[]): void {
    if (candidates.length === 0) return;
    const { link, tag } = this.collection;
    const rows: Proposal[] = candidates.map(({ row, parent }) => ({
      id: row.id,
      rev: this.options.kind === 'tree' ? row.rev : row.vector,
      parent,
      bodySize: row.bodySize,
    }));
    this.unanswered++;
    link.send(buildProposeChanges(rows, tag), (reply) => {
      this.unanswered--;
      if (reply?.error) this.giveUp(candidates, reply.error);
      else if (reply) {
        const receiver = readReceiverOptions(reply.properties);
        if (receiver.deltas) link.takesDeltas = true;
        this.sender.receiver = receiver;
        this.handleAnswers(candidates, parseProposeReply(reply, rows.length));
      }
      this.makeProgress();
    });
  }

  private handleAnswers(candidates: readonly Candidate[], answers: readonly ProposalAnswer[]): void {
    const accepted: WantedRev[] = [];
    const again: Candidate[] = [];
    for (const [index, candidate] of candidates.entries()) {
      const { row, parent, attempt } = candidate;
      const { status, rev } = answers[index]!;
      if (status === 0) accepted.push(wantedRev(row, parent === '' ? [] : [parent]));
      else if (status === 304) this.finish(row.id, row.sequence, offeredId(row, this.options.kind));
      else if (status === 409 && rev !== undefined && canBuildOn(candidate, rev)) {
        if (attempt < MOST_PROPOSALS) again.push({ row, parent: rev, attempt: attempt + 1 });
        else this.refuse(row, { domain: 'HTTP', code: 500, message: 'the server contradicts itself about a conflict' });
      } else {
        // What the server has comes by pull and is resolved here; the outcome is a change of its own.
        const error = { domain: 'HTTP', code: status, message: 'the server refuses the change' };
        if (isTransient(error)) this.defer(row.id, String(row.sequence));
        else this.refuse(row, error);
      }
    }
    this.sender.send(accepted);
    this.propose(again);
  }

  private settle(wanted: WantedRev, error: BlipErrorInfo | undefined): void {
    if (!error) {
      this.finish(wanted.id, Number(wanted.sequence), offeredId(wanted, this.options.kind));
      return;
    }
    if (isTransient(error)) this.defer(wanted.id, wanted.sequence);
    else if (isForbidden(error) && !this.triedAgain.has(wanted)) this.forbid(wanted);
    else {
      if (error !== SUPERSEDED) this.report(wanted.id, error);
      this.finish(wanted.id, Number(wanted.sequence), undefined);
    }
  }

  private refuse({ id, sequence }: ChangeRow, error: BlipErrorInfo): void {
    this.report(id, error);
    this.finish(id, sequence, undefined);
  }

  private defer(id: string, sequence: string): void {
    this.leave(id);
    this.tracker.defer(sequence);
    this.makeProgress();
  }

  /** Keeps a revision, without its body, for another attempt; access may be granted by what is pushed after it. */
  private forbid(wanted: WantedRev): void {
    const again = { ...wanted, body: undefined };
    this.triedAgain.add(again);
    this.forbidden.set(wanted.id, again);
    this.bytesInFlight -= this.inFlight.get(wanted.id) ?? 0;
    this.inFlight.set(wanted.id, 0);
    if (this.hasCaughtUp || this.forbidden.size >= MOST_FORBIDDEN) this.tryForbidden();
    this.makeProgress();
  }

  /** Sends once more what was forbidden, when nothing else is under way or when it has become too much to keep. */
  private tryForbidden(): void {
    const { size } = this.forbidden;
    if (size === 0 || (this.inFlight.size > size && size < MOST_FORBIDDEN)) return;
    const again = [...this.forbidden.values()];
    this.forbidden.clear();
    this.sender.send(again);
  }

  /** A newer revision takes the place of one that was forbidden. */
  private dropForbidden(id: string): void {
    const old = this.forbidden.get(id);
    if (!old) return;
    this.forbidden.delete(id);
    this.finish(id, Number(old.sequence), undefined);
  }

  private finish(id: string, sequence: number, rev: string | undefined): void {
    this.leave(id);
    if (rev !== undefined) this.options.onServerRevision(id, rev);
    this.tracker.complete(String(sequence));
    this.makeProgress();
  }

  private leave(id: string): void {
    this.bytesInFlight -= this.inFlight.get(id) ?? 0;
    this.inFlight.delete(id);
    if (this.hasCaughtUp) this.tryForbidden();
  }

  private report(id: string, error: BlipErrorInfo): void {
    if (isConflict(error) && this.options.pulls) return;
    this.options.onDocumentError(id, error);
  }

  private giveUp(candidates: readonly Candidate[], error: BlipErrorInfo): void {
    for (const { row } of candidates) this.leave(row.id);
    this.collection.link.fail(new ReplicationError(error, 'proposeChanges'));
  }

  private makeProgress(): void {
    this.wake?.();
    this.wake = undefined;
    this.options.onProgress();
  }

  private get isRunning(): boolean {
    return !this.isStopped && this.collection.link.connection.isOpen;
  }

  private async when(condition: () => boolean): Promise<void> {
    while (!condition() && this.isRunning) await new Promise<void>((resolve) => (this.wake = resolve));
  }
}

function isForbidden({ domain, code }: BlipErrorInfo): boolean {
  return domain === 'HTTP' && code === 403;
}

/** A refusal because the server has another revision: 409, or LiteCore's own code for it. */
function isConflict({ domain, code }: BlipErrorInfo): boolean {
  return domain === 'LiteCore' ? code === 8 : code === 409;
}

/** Whether our revision builds on the one the server has; '': it has none, contrary to our notes (LiteCore). */
function canBuildOn({ row, parent }: Candidate, rev: string): boolean {
  if (rev === '') return parent !== '';
  if (!isVersion(rev)) return rev !== row.rev && treeHas(row.tree, rev);
  return rev !== currentVersionOf(row.vector) && vectorIncludes(row.vector, rev);
}
