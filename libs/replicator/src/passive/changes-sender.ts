import type { BlipReply } from '@edgesync/blip';
import type { Subscription } from '@edgesync/change-feed';
import type { ChangeRow } from '@edgesync/ports';
import { isLinear, listedLegacy, offeredId, type RevisionKind } from '@edgesync/revision';
import {
  buildCaughtUp,
  buildChanges,
  encodeChangeRows,
  parseChangesReply,
  readReceiverOptions,
  type ProtocolVersion,
  type WantedRow,
} from '@edgesync/sync-protocol';
import type { EchoFilter } from '../jobs/peer-memory.js';
import type { CollectionLink } from '../jobs/peer-link.js';
import type { RevSender } from '../jobs/rev-sender.js';
import { wantedRev, type WantedRev } from '../jobs/wanted-revs.js';

export interface ChangesSenderOptions {
  readonly kind: RevisionKind;
  readonly continuous: boolean;
  /** The subscriber is a Sync Gateway (docs/protocol/replication.md#sync-gateway-as-active-peer). */
  readonly ignoreNoConflicts: boolean;
}

/**
 * Offers changes to a subscriber and hands on what it asks for: the backlog, once that it is caught up, then, if it
 * asked for that, every later change.
 */
export class ChangesSender {
  private unanswered = 0;
  private hasCaughtUp = false;
  private isStopped = false;
  private wake: (() => void) | undefined;

  constructor(
    private readonly collection: CollectionLink,
    private readonly subscription: Subscription,
    private readonly revSender: RevSender,
    private readonly echoes: EchoFilter,
    private readonly options: ChangesSenderOptions,
  ) {}

  /** Whether further lists may come. */
  get isActive(): boolean {
    return !this.isStopped;
  }

  /** Sends until there is nothing more to send, or {@link stop}. Never rejects. */
  async run(): Promise<void> {
    const { link } = this.collection;
    try {
      while (!this.isStopped && link.connection.isOpen) {
        if (!this.hasRoom()) {
          await new Promise<void>((resolve) => (this.wake = resolve));
          continue;
        }
        const page = await this.subscription.next();
        if (!page || this.isStopped) break;
        this.offer(this.withoutEchoes(page.rows));
        if (page.caughtUp && !this.hasCaughtUp) this.tellCaughtUp();
      }
    } catch (error) {
      link.fail(error);
    }
    this.stop();
  }

  /** No list is sent after this. */
  stop(): void {
    this.isStopped = true;
    this.subscription.close();
    this.makeProgress();
  }

  /** To be called whenever there may be room for a further list. */
  makeProgress(): void {
    if (!this.wake || !(this.isStopped || this.hasRoom() || !this.collection.link.connection.isOpen)) return;
    this.wake();
    this.wake = undefined;
  }

  private hasRoom(): boolean {
    const { tuning } = this.collection.link.context;
    const most = this.hasCaughtUp ? tuning.unansweredLiveLists : tuning.unansweredBacklogLists;
    return this.unanswered < most && this.revSender.backlog <= tuning.wantedRevs;
  }

  /**
   * A document with branches is offered to its pusher too: it began again over a tombstone
   * (docs/protocol/revisions.md#no-conflicts-mode), which the peer may get after its push. The tombstone wins there,
   * and what is current here would never be offered.
   */
  private withoutEchoes(rows: readonly ChangeRow[]): readonly ChangeRow[] {
    if (this.echoes.isEmpty) return rows;
    const others = rows.filter(({ sequence, tree }) => !this.echoes.take(sequence) || !isLinear(tree));
    return others.length === rows.length ? rows : others;
  }

  private tellCaughtUp(): void {
    this.hasCaughtUp = true;
    this.collection.link.connection.notify(buildCaughtUp(this.collection.tag));
    if (!this.options.continuous) this.stop();
  }

  private offer(rows: readonly ChangeRow[]): void {
    if (rows.length === 0) return;
    const { link, tag } = this.collection;
    const { kind, ignoreNoConflicts } = this.options;
    this.unanswered++;
    link.send(buildChanges(encodePage(rows, kind, link.version), tag, ignoreNoConflicts), (reply) => {
      this.unanswered--;
      if (reply?.error) this.offerInParts(rows, reply);
      else if (reply) this.handleReply(rows, reply);
      this.makeProgress();
    });
  }

  /**
   * The client could not take the list: a single row that it dislikes makes it refuse all
   * (docs/protocol/replication.md#rows-that-clients-refuse, docs/protocol/replication.md#reply-to-changes). The rows
   * are offered again in halves, until the one it dislikes stands alone and is left out.
   */
  private offerInParts(rows: readonly ChangeRow[], { error }: BlipReply): void {
    const { log } = this.collection.link.context;
    const [first] = rows;
    if (rows.length === 1 && first) {
      log.warn(`the client cannot take "${first.id}": ${error!.domain}/${error!.code} ${error!.message}`);
      return;
    }
    const middle = rows.length >> 1;
    this.offer(rows.slice(0, middle));
    this.offer(rows.slice(middle));
  }

  private handleReply(rows: readonly ChangeRow[], reply: BlipReply): void {
    const { link } = this.collection;
    const receiver = readReceiverOptions(reply.properties);
    if (receiver.deltas) link.takesDeltas = true;
    let wanted: readonly WantedRow[];
    try {
      wanted = parseChangesReply(reply);
    } catch (error) {
      link.fail(error);
      return;
    }
    const revs: WantedRev[] = [];
    for (let index = 0; index < rows.length && index < wanted.length; index++) {
      const listed = wanted[index];
      if (listed) revs.push(this.wantedRev(rows[index]!, listed));
    }
    // Bodies are read along with the rows as long as the client wants most of them.
    this.subscription.bodies = revs.length * 2 >= rows.length;
    this.revSender.receiver = receiver;
    this.revSender.send(revs);
  }

  private wantedRev(row: ChangeRow, listed: readonly string[]): WantedRev {
    if (this.options.kind === 'vector' && listed.length > 0) this.rememberLegacy(row.id, listed);
    return wantedRev(row, listed);
  }

  private rememberLegacy(id: string, listed: readonly string[]): void {
    const head = listedLegacy(listed);
    const { link, tag } = this.collection;
    if (head !== undefined) link.context.legacy.remember(link.peerId, tag ?? '', id, head);
  }
}

/** Encoded lists by the page they were made of: pages are shared by all who wait at the same place. */
const encoded = new WeakMap<readonly ChangeRow[], Map<string, Uint8Array>>();

/** The body of `changes` for a page of the log. */
function encodePage(rows: readonly ChangeRow[], kind: RevisionKind, version: ProtocolVersion): Uint8Array {
  const form = version === 2 ? 'boolean' : kind;
  let forms = encoded.get(rows);
  if (!forms) encoded.set(rows, (forms = new Map<string, Uint8Array>()));
  let body = forms.get(form);
  if (!body) forms.set(form, (body = encodeRows(rows, kind, version)));
  return body;
}

function encodeRows(rows: readonly ChangeRow[], kind: RevisionKind, version: ProtocolVersion): Uint8Array {
  const offers = rows.map((row) => ({
    sequence: row.sequence,
    id: row.id,
    rev: offeredId(row, kind),
    deleted: row.deleted,
    bodySize: row.bodySize,
  }));
  return encodeChangeRows(offers, version);
}
