import { EdgeError } from '@edgesync/errors';
import { applyDelta, checkDocId, findBlobs, readPeerBody, type BlobReference } from '@edgesync/document';
import { errorReplyOf, type IncomingRequest, Properties } from '@edgesync/blip';
import type { RevisionRequest, WriteResult, WrittenRevision } from '@edgesync/ports';
import {
  clockHorizon,
  currentVersionOf,
  isLegacyVersion,
  isTreeRevId,
  isVersion,
  isVersionSyntax,
  LATEST_TIME,
  parseVector,
  vectorTimeFault,
  versionTime,
} from '@edgesync/revision';
import { decodeText, parseRev, type RevMessage } from '@edgesync/sync-protocol';
import type { BlobReceiver } from './blobs.js';
import type { Inserter } from './inserter.js';
import type { EchoFilter } from './peer-memory.js';
import type { CollectionLink } from './peer-link.js';

/** The outcome of a `rev` message: stored or known, or the error of the reply. */
export type RevOutcome = { readonly result: WriteResult } | { readonly error: unknown };

export interface IncomingRevsOptions {
  readonly onConflict: RevisionRequest['onConflict'];
  readonly echoes: EchoFilter;
  /**
   * Whether a body that says it was removed removes the document here
   * (docs/protocol/replication.md#revocations-and-removals), rather than being refused.
   */
  readonly purgesRemoved?: boolean;
  /** Called after the reply. */
  readonly onDone?: (rev: RevMessage, outcome: RevOutcome) => void;
}

const NOOP = Properties.of('noop', 'true');

/**
 * Revisions that arrive by `rev`: each is read and checked, its blobs are fetched, then it is inserted, and only when it
 * is durable it is answered (docs/protocol/replication.md#reply-to-rev).
 */
export class IncomingRevs {
  constructor(
    private readonly collection: CollectionLink,
    private readonly inserter: Inserter,
    private readonly blobs: BlobReceiver,
    private readonly options: IncomingRevsOptions,
  ) {}

  /** @throws EdgeError for a message that cannot be read; later faults are answered here */
  receive(request: IncomingRequest): void {
    const rev = parseRev(request);
    try {
      this.begin(rev, request);
    } catch (error) {
      this.refuse(rev, request, error);
    }
  }

  private begin(rev: RevMessage, request: IncomingRequest): void {
    checkDocId(rev.id);
    if (isVersion(rev.rev)) this.checkTimes(rev);
    if (rev.error !== undefined) throw new EdgeError('doc.invalid', 'the sender could not read the revision');
    const text = decodeText(request.body);
    if (rev.deltaSrc !== undefined) {
      void this.receiveDelta(rev, rev.deltaSrc, text, request);
      return;
    }
    this.continueWith(rev, text, request);
  }

  /**
   * Couchbase Lite refuses a version whose time cannot be, and gives its document up (docs/protocol/revisions.md#time):
   * it must not be stored to be offered to others. What is ahead will have its time, so that answer is for now only.
   */
  private checkTimes({ rev, history }: RevMessage): void {
    const { link } = this.collection;
    const { time, moment } = link.context;
    const version = currentVersionOf(rev);
    if (isVersionSyntax(version) && !isLegacyVersion(version)) time.observe(link.witness, versionTime(version), moment);
    const versions = history === '' ? rev : `${rev};${history}`;
    let found = vectorTimeFault(versions, link.trustsTime ? LATEST_TIME : clockHorizon(moment.wallMs));
    // Nearly nothing is ahead of the clock, so the witnesses are seldom asked.
    if (found?.fault === 'ahead') found = vectorTimeFault(versions, time.horizon(moment));
    if (!found) return;
    if (found.fault === 'ahead') {
      link.tellAhead(found.version);
      throw new EdgeError('version.ahead', `${found.version} is ahead of the clock`);
    }
    throw new EdgeError('version.invalid', `the time of ${found.version} is out of range`);
  }

  private continueWith(rev: RevMessage, text: string, request: IncomingRequest): void {
    const { json, metadata } = readPeerBody(text);
    if (metadata.removed) {
      this.purge(rev, request);
      return;
    }
    const references = findBlobs(json);
    if (references.length > 0) void this.receiveWithBlobs(rev, json, references, request);
    else this.insert(rev, json, request);
  }

  private async receiveDelta(rev: RevMessage, base: string, delta: string, request: IncomingRequest): Promise<void> {
    const { keyspace, link } = this.collection;
    try {
      const stored = await link.context.storage.readRevision(keyspace, rev.id, base);
      if (!stored || stored.deleted) throw new EdgeError('delta.base-unknown');
      this.continueWith(rev, applyDelta(stored.body, delta), request);
    } catch (error) {
      this.refuse(rev, request, error);
    }
  }

  private async receiveWithBlobs(
    rev: RevMessage,
    json: string,
    references: readonly BlobReference[],
    request: IncomingRequest,
  ): Promise<void> {
    try {
      await this.blobs.fetch(this.collection, rev.id, references);
    } catch (error) {
      this.refuse(rev, request, error);
      return;
    }
    this.insert(rev, json, request);
  }

  private insert(rev: RevMessage, json: string, request: IncomingRequest): void {
    const { id, history, deleted, deletedBranch } = rev;
    const insertion: RevisionRequest = {
      type: 'revision',
      keyspace: this.collection.keyspace,
      id,
      rev: rev.rev,
      history,
      deleted,
      body: json,
      onConflict: this.options.onConflict,
      ...(deletedBranch !== undefined && { closedBranch: deletedBranch }),
    };
    this.inserter.add(insertion, (result, error) => {
      if (result) this.answer(rev, result, request);
      else this.refuse(rev, request, error);
    });
  }

  private purge(rev: RevMessage, request: IncomingRequest): void {
    if (!this.options.purgesRemoved)
      throw new EdgeError('doc.invalid', 'a revision that was removed from the sender has no body');
    this.inserter.add({ type: 'purge', keyspace: this.collection.keyspace, id: rev.id }, (result, error) => {
      if (!result) return this.refuse(rev, request, error);
      request.respond();
      this.options.onDone?.(rev, { result });
    });
  }

  private answer(rev: RevMessage, result: WriteResult, request: IncomingRequest): void {
    const { link } = this.collection;
    switch (result.status) {
      case 'stored':
        link.traffic.received++;
        if (isSameRevision(rev, result)) this.options.echoes.add(result.sequence);
        if (isVersion(rev.rev)) this.rememberLegacy(rev);
        request.respond();
        break;
      case 'known':
        request.respond({ properties: NOOP });
        break;
      case 'conflict':
        return this.refuse(rev, request, new EdgeError('doc.conflict', 'Document revision conflict'));
      case 'purged':
      case 'missing':
        return this.refuse(rev, request, new EdgeError('doc.missing'));
      case 'refused':
        return this.refuse(rev, request, new EdgeError(result.code, result.reason));
    }
    this.options.onDone?.(rev, { result });
  }

  /**
   * A versioned client that names a legacy ID wants to see it again with every later update
   * (docs/protocol/revisions.md#sending-to-version-vector-clients).
   */
  private rememberLegacy({ id, history }: RevMessage): void {
    if (!history.includes('-')) return;
    const head = history.split(/[,;]/).find((element) => isTreeRevId(element.trim()));
    const { link, tag } = this.collection;
    if (head !== undefined) link.context.legacy.remember(link.peerId, tag ?? '', id, head.trim());
  }

  private refuse(rev: RevMessage, request: IncomingRequest, error: unknown): void {
    const { link } = this.collection;
    if (!(error instanceof EdgeError) && link.connection.isOpen)
      link.context.log.error(`revision of "${rev.id}" not stored`, error);
    request.respondError(errorReplyOf(error));
    link.failIfTemporary(error);
    this.options.onDone?.(rev, { error });
  }
}

/**
 * Whether what is current now is what the peer sent, rather than the outcome of a conflict or of more than the peer knew:
 * a document that began again over a tombstone that the peer has yet to get.
 */
function isSameRevision({ rev, history }: RevMessage, { vector }: WrittenRevision): boolean {
  if (vector === undefined) return false;
  if (!isVersion(rev) || vector === rev) return true;
  const { cv, mv, pv } = parseVector(vector);
  return cv === rev && [...mv, ...pv].every((version) => history.includes(version));
}
