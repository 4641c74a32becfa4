import type { BlipErrorInfo, BlipReply } from '@edgesync/blip';
import { findBlobs, withAttachments } from '@edgesync/document';
import { generationOf, offeredId, treeHistory, vectorHistory, type RevisionKind } from '@edgesync/revision';
import {
  buildNoRev,
  buildRev,
  decodeText,
  encodeText,
  wantsFullBody,
  type ReceiverOptions,
} from '@edgesync/sync-protocol';
import type { BlobSender } from './blobs.js';
import type { Delta } from './delta-source.js';
import type { CollectionLink } from './peer-link.js';
import { RecentlySent } from './wanted-revs.js';
import { readRevBodies, type RevContent } from './wanted-revs.js';
import type { WantedRev } from './wanted-revs.js';

export interface RevSenderOptions {
  readonly kind: RevisionKind;
  /** A pusher: the receiver must refuse what does not descend from its revision, and every answer counts. */
  readonly isPush: boolean;
  /**
   * The peer takes a newer revision for one that is gone, as it said when it subscribed
   * (docs/protocol/replication.md#subchanges).
   */
  readonly takesReplacements?: boolean;
  /** Called when a revision ended: answered, or not sent at all. `error` undefined: stored, or not to be known. */
  readonly onSettled?: (wanted: WantedRev, error: BlipErrorInfo | undefined) => void;
}

/** A revision ready to be sent. */
interface Prepared {
  readonly wanted: WantedRev;
  readonly content: RevContent;
  readonly delta: Delta | undefined;
}

const UNKNOWN_RECEIVER: ReceiverOptions = { blobs: false, deltas: false, sendReplacementRevs: false };
/** Reported to a pusher for a revision that was not sent because a newer one follows. */
export const SUPERSEDED: BlipErrorInfo = { domain: 'HTTP', code: 404, message: 'superseded' };
const DEFAULT_MAX_HISTORY = 20;

/**
 * Sends the revisions that the peer asked for: for each exactly one `rev` or `norev`
 * (docs/protocol/replication.md#rules-for-a-sender). Bodies are read in batches and go from storage to the frame
 * without being parsed.
 */
export class RevSender {
  /** Abilities of the peer in its latest reply to a list of changes. */
  receiver: ReceiverOptions = UNKNOWN_RECEIVER;

  private readonly queue: WantedRev[] = [];
  private readonly recentlySent = new RecentlySent();
  private isPumping = false;
  private unanswered = 0;
  private unansweredBytes = 0;
  private wakePump: (() => void) | undefined;

  constructor(
    private readonly collection: CollectionLink,
    private readonly blobs: BlobSender,
    private readonly options: RevSenderOptions,
    /** Called when there is less to do than before. */
    private readonly onProgress: () => void,
  ) {}

  /** Revisions that wait to be sent or answered. */
  get backlog(): number {
    return this.queue.length + this.unanswered;
  }

  send(wanted: readonly WantedRev[]): void {
    if (wanted.length === 0) return;
    for (const rev of wanted) this.queue.push(this.collection.link.takesDeltas ? this.withBases(rev) : rev);
    if (this.isPumping) return;
    this.isPumping = true;
    this.pump().catch((error: unknown) => this.collection.link.fail(error));
  }

  private withBases(wanted: WantedRev): WantedRev {
    const bases = wanted.bases ?? this.recentlySent.stillHeld(wanted.id, wanted.listed);
    this.recentlySent.note(wanted.id, offeredId(wanted, this.options.kind));
    return bases === wanted.listed ? wanted : { ...wanted, bases };
  }

  private async pump(): Promise<void> {
    const { link } = this.collection;
    while (this.queue.length > 0 && link.connection.isOpen) {
      const batch = this.takeBatch();
      for (const prepared of await this.prepare(batch)) {
        if (this.isFull()) await this.whenThereIsRoom();
        if (!link.connection.isOpen) return;
        this.sendOne(prepared);
      }
      this.onProgress();
    }
    // Together with the look at the queue: what is queued after it starts the pump again.
    this.isPumping = false;
  }

  /** The first of the queue: as many as are read at once, but one at least. */
  private takeBatch(): readonly WantedRev[] {
    const { bodyBatch, bodyBatchBytes } = this.collection.link.context.tuning;
    let bytes = 0;
    let count = 0;
    while (count < this.queue.length && count < bodyBatch) {
      const { body, bodySize } = this.queue[count]!;
      if (body === undefined) bytes += bodySize;
      if (count > 0 && bytes > bodyBatchBytes) break;
      count++;
    }
    return this.queue.splice(0, count);
  }

  private async prepare(batch: readonly WantedRev[]): Promise<readonly Prepared[]> {
    const { link, keyspace } = this.collection;
    const contents = await readRevBodies(link.context.storage, keyspace, batch);
    const prepared = batch.map((wanted, index) => ({
      wanted,
      content: contents[index]!,
      delta: undefined as Delta | undefined,
    }));
    const lookups: Promise<void>[] = [];
    for (const rev of prepared) {
      const { wanted, content } = rev;
      if (content.kind !== 'body' || !this.mayBeDelta(wanted, content.body)) continue;
      const target = { id: wanted.id, rev: wanted.rev, body: textOf(content.body) };
      const lookup = link.context.deltas.find(keyspace, target, basesOf(wanted));
      lookups.push(lookup.then((delta) => void (rev.delta = delta)));
    }
    if (lookups.length > 0) await Promise.all(lookups);
    return prepared;
  }

  /** Whether it is worth looking for a delta (docs/protocol/blobs-and-deltas.md#deltas). */
  private mayBeDelta(wanted: WantedRev, { length }: string | Uint8Array): boolean {
    const { takesDeltas, context } = this.collection.link;
    const { smallestDeltaBody, largestDeltaBody } = context.tuning;
    if (!takesDeltas || basesOf(wanted).length === 0 || wanted.deleted) return false;
    return length >= smallestDeltaBody && length <= largestDeltaBody;
  }

  private isFull(): boolean {
    const { tuning } = this.collection.link.context;
    return (
      this.collection.link.connection.queuedBytes >= tuning.queuedBytes ||
      this.unanswered >= tuning.unansweredRevs ||
      this.unansweredBytes >= (this.options.isPush ? tuning.pushWindowBytes : tuning.unansweredRevBytes)
    );
  }

  private async whenThereIsRoom(): Promise<void> {
    const { connection, context } = this.collection.link;
    while (connection.isOpen && this.isFull()) {
      if (connection.queuedBytes >= context.tuning.queuedBytes)
        await connection.whenQueuedBelow(context.tuning.lowQueuedBytes);
      else await new Promise<void>((resolve) => (this.wakePump = resolve));
    }
  }

  private sendOne({ wanted, content, delta }: Prepared): void {
    if (content.kind === 'body') {
      this.sendRev(wanted, content.body, delta);
      return;
    }
    if (this.options.isPush) {
      // The newer revision has a row of its own.
      this.settle(wanted, SUPERSEDED);
      return;
    }
    if (content.kind === 'superseded' && (this.options.takesReplacements || this.receiver.sendReplacementRevs)) {
      const { by } = content;
      const replacedRev = offeredId(wanted, this.options.kind);
      this.sendRev({ ...wanted, ...by, sequence: wanted.sequence, blobs: true }, by.body, undefined, replacedRev);
      return;
    }
    const rev = offeredId(wanted, this.options.kind);
    const gone = buildNoRev(
      { id: wanted.id, rev, sequence: wanted.sequence, error: '404', reason: 'missing' },
      this.collection.tag,
    );
    this.collection.link.connection.notify(gone);
    this.settle(wanted, undefined);
  }

  private sendRev(
    wanted: WantedRev,
    content: string | Uint8Array,
    delta: Delta | undefined,
    replacedRev?: string,
  ): void {
    const { link, tag } = this.collection;
    const { isPush, kind } = this.options;
    const text = wanted.blobs ? textOf(content) : '';
    const digests = digestsIn(text);
    const needsStubs = digests.length > 0 && !this.receiver.blobs;
    const body = bytesOf(delta?.json ?? (needsStubs ? this.withStubs(wanted, text) : content));
    const request = buildRev(
      {
        id: wanted.id,
        rev: offeredId(wanted, kind),
        sequence: wanted.sequence,
        history: this.historyOf(wanted),
        deleted: wanted.deleted,
        noConflicts: isPush,
        deltaSrc: delta?.base,
        replacedRev,
      },
      body,
      tag,
    );
    link.traffic.sent++;
    if (!isPush && !delta && digests.length === 0) {
      // The server could not act on the reply; Sync Gateway asks for none either
      // (docs/protocol/replication.md#rev).
      link.connection.notify(request);
      this.options.onSettled?.(wanted, undefined);
      return;
    }
    const withdraw = digests.length > 0 ? this.blobs.offer(digests) : undefined;
    this.unanswered++;
    this.unansweredBytes += body.length;
    link.send(request, (reply) => {
      withdraw?.();
      this.unanswered--;
      this.unansweredBytes -= body.length;
      this.wakePump?.();
      this.wakePump = undefined;
      if (reply) this.handleReply(wanted, delta, reply);
      this.onProgress();
    });
  }

  private handleReply(wanted: WantedRev, delta: Delta | undefined, reply: BlipReply): void {
    const { link } = this.collection;
    if (delta && reply.error && wantsFullBody(reply.error)) {
      // Once: what is sent now is no delta.
      this.send([{ ...wanted, listed: [], bases: [], body: undefined }]);
      return;
    }
    if (reply.error && !this.options.isPush)
      link.context.log.info(
        `the client refused "${wanted.id}": ${reply.error.domain}/${reply.error.code} ${reply.error.message}`,
      );
    this.settle(wanted, reply.error);
  }

  private settle(wanted: WantedRev, error: BlipErrorInfo | undefined): void {
    this.options.onSettled?.(wanted, error);
  }

  private historyOf(wanted: WantedRev): string {
    const { listed } = wanted;
    if (this.options.kind === 'tree') {
      // Almost every document that a client lacks is at its first revision.
      if (wanted.tree === wanted.rev) return '';
      return treeHistory(wanted, { maxHistory: this.receiver.maxHistory ?? DEFAULT_MAX_HISTORY, listed }, wanted.rev);
    }
    const { link, tag } = this.collection;
    const legacyHead = link.context.legacy.get(link.peerId, tag ?? '', wanted.id);
    const keepMerge = this.options.isPush;
    return vectorHistory(wanted, legacyHead === undefined ? { listed, keepMerge } : { listed, legacyHead, keepMerge });
  }

  /** `_attachments` for a peer that does not know blob dictionaries (docs/protocol/blobs-and-deltas.md#attachments). */
  private withStubs(wanted: WantedRev, json: string): string {
    return withAttachments(json, this.options.kind === 'tree' ? generationOf(wanted.rev) : undefined);
  }
}

const NONE: readonly string[] = [];

function digestsIn(json: string): readonly string[] {
  return json.includes('"sha1-') ? findBlobs(json).map(({ digest }) => digest) : NONE;
}

const textOf = (json: string | Uint8Array): string => (typeof json === 'string' ? json : decodeText(json));
const bytesOf = (json: string | Uint8Array): Uint8Array => (typeof json === 'string' ? encodeText(json) : json);

function basesOf({ bases, listed }: WantedRev): readonly string[] {
  return bases ?? listed;
}
