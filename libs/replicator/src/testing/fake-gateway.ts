import { createHash } from 'node:crypto';
import { Properties, type BlipReply, type IncomingRequest } from '@edgesync/blip';
import { loopbackPair } from '@edgesync/blip/testing';
import { ActiveSession, type ActiveSessionOptions, StoredCheckpoints } from '../index.js';
import { REAL_TIME } from './real-time.js';
import { answer, describe, jsonOf, ScriptedPeer, textOf } from './scripted-peer.js';
import { DATABASE, DEFAULT, type World } from './world.js';

/** A row that the gateway offers, and what it sends if the row is wanted. */
export interface GatewayRow {
  /** A number, or text for a compound sequence. */
  readonly sequence: number | string;
  readonly id: string;
  readonly rev: string;
  /** 1 deleted, 2 access lost, 4 removed from the channels. */
  readonly flags?: number;
  readonly history?: string;
  readonly body?: string;
  /** Sent as a delta if the client says it takes them and lists this revision. */
  readonly delta?: { readonly base: string; readonly body: string };
  /** The revision cannot be sent. */
  readonly missing?: boolean;
}

export interface FakeGatewayOptions {
  readonly rows?: readonly GatewayRow[];
  readonly blobs?: ReadonlyMap<string, Uint8Array>;
  /** A server from before collections. */
  readonly knowsCollections?: boolean;
  /** Answers to proposals by document ID; default 0. */
  readonly proposals?: Readonly<Record<string, unknown>>;
  /** Statuses with which revisions are refused, by document ID. */
  readonly refusals?: Readonly<Record<string, number>>;
  /** Default `HTTP`. */
  readonly refusalDomain?: string;
  /** Whole messages that are refused, by profile. */
  readonly errors?: Readonly<Record<string, { readonly domain: string; readonly code: number } | undefined>>;
  /** Says that it takes deltas. Those it is sent are refused with this status. */
  readonly refusesDeltas?: number;
  /**
   * Couchbase Lite's listener instead: an empty list when the client has caught up, booleans for deletions, sizes in rows,
   * checkpoint revisions `N-cc`, its blobs as such (docs/protocol/replication.md#towards-a-couchbase-lite-listener).
   */
  readonly isListener?: boolean;
  /** Has the blobs already: asks for proofs instead. */
  readonly provesBlobs?: boolean;
}

/**
 * Sync Gateway as its clients see it: checkpoints with `_rev`, a `null` list when the client has
 * caught up, compound sequences as text, revisions without reply, no `blobs` in its answers, attachments only for
 * revisions under way.
 */
export class FakeGateway {
  /** All that clients asked, in order. */
  readonly received: string[] = [];
  /** Bodies of pushed revisions by document ID. */
  readonly pushed = new Map<string, Record<string, unknown>>();
  readonly checkpoints = new Map<string, { rev: number; body: string }>();
  /** Faults of the client in the gateway's eyes. */
  readonly complaints: string[] = [];
  /** Document IDs of all `rev` messages, in order; a delta has an asterisk. */
  readonly attempts: string[] = [];
  /** Answers of clients that had to prove a blob. */
  readonly proofs: string[] = [];

  private rows: readonly GatewayRow[];
  private takesDeltas = false;
  private peer: ScriptedPeer | undefined;
  /** ID and revision of all that clients have. */
  private readonly sent = new Set<string>();
  private readonly inFlight = new Set<string>();

  constructor(private readonly options: FakeGatewayOptions = {}) {
    this.rows = options.rows ?? [];
  }

  offer(rows: readonly GatewayRow[]): void {
    this.rows = rows;
  }

  /** A client's replication with this gateway over a new connection. */
  replicate(client: World, options: Partial<ActiveSessionOptions> = {}): ActiveSession {
    const [near, far] = loopbackPair({ scheduler: REAL_TIME });
    this.serve(new ScriptedPeer(far));
    return new ActiveSession(near, {
      context: client.context,
      version: 3,
      database: DATABASE,
      collections: [{ local: DEFAULT, checkpointId: 'cp-gateway' }],
      push: true,
      pull: true,
      continuous: false,
      checkpoints: new StoredCheckpoints(client.storage),
      ...options,
    });
  }

  /** Asks the client that connected last. */
  ask(profile: string, properties: Record<string, string>, body: unknown = ''): Promise<BlipReply> {
    return this.peer!.ask(profile, properties, body);
  }

  /** Asks for the proof of a blob, with the bytes 0 to 19 as nonce. */
  prove(digest: string): Promise<BlipReply> {
    const nonce = Uint8Array.from({ length: 20 }, (_, index) => index);
    return this.ask('proveAttachment', { digest, collection: '0' }, nonce);
  }

  private serve(peer: ScriptedPeer): void {
    this.peer = peer;
    const on = (profile: string, handle: (request: IncomingRequest) => void): void =>
      void peer.on(profile, (request) => {
        this.received.push(describe(request));
        const error = this.options.errors?.[profile];
        if (error) request.respondError({ ...error, message: 'refused' });
        else handle(request);
      });
    on('getCollections', (request) => this.getCollections(request));
    on('getCheckpoint', (request) => this.getCheckpoint(request));
    on('setCheckpoint', (request) => this.setCheckpoint(request));
    on('subChanges', (request) => {
      request.respond();
      void this.sendChanges(peer, request);
    });
    on('proposeChanges', (request) => this.propose(request));
    on('rev', (request) => void this.takeRev(peer, request));
    on('getAttachment', (request) => this.sendAttachment(request));
  }

  private getCollections(request: IncomingRequest): void {
    if (this.options.knowsCollections === false) {
      request.respondError({ domain: 'BLIP', code: 404, message: 'no handler' });
      return;
    }
    const { checkpoint_ids: ids, collections } = jsonOf(request) as { checkpoint_ids: string[]; collections: string[] };
    answer(
      request,
      collections.map((_, index) => {
        const found = this.checkpoints.get(`${index} ${ids[index]}`);
        if (!found) return {};
        const revision = { [this.options.isListener ? 'rev' : '_rev']: this.revOf(found) };
        return { ...(JSON.parse(found.body) as object), ...revision, ...(!this.options.isListener && { _id: 'x' }) };
      }),
    );
  }

  private getCheckpoint(request: IncomingRequest): void {
    const found = this.checkpoints.get(keyOf(request));
    if (!found) return request.respondError({ domain: 'HTTP', code: 404, message: 'missing' });
    request.respond({
      properties: Properties.of('rev', this.revOf(found)),
      body: new TextEncoder().encode(found.body),
    });
  }

  private setCheckpoint(request: IncomingRequest): void {
    const found = this.checkpoints.get(keyOf(request));
    const rev = request.properties.get('rev') ?? '';
    if (!found && rev !== '')
      return request.respondError({ domain: 'HTTP', code: 404, message: 'No previous revision' });
    if (found && rev !== this.revOf(found))
      return request.respondError({ domain: 'HTTP', code: 409, message: 'Document update conflict' });
    const next = { rev: (found?.rev ?? 0) + 1, body: textOf(request.body) };
    this.checkpoints.set(keyOf(request), next);
    request.respond({ properties: Properties.of('rev', this.revOf(next)) });
  }

  private revOf({ rev }: { readonly rev: number }): string {
    return this.options.isListener ? `${rev}-cc` : `0-${rev}`;
  }

  private async sendChanges(peer: ScriptedPeer, request: IncomingRequest): Promise<void> {
    const collection = tagOf(request);
    const since = request.properties.get('since');
    const from = since === undefined ? -1 : this.rows.findIndex(({ sequence }) => JSON.stringify(sequence) === since);
    const rows = this.rows.slice(from + 1);
    if (rows.length > 0) {
      const list = rows.map(({ sequence, id, rev, flags, body }) => {
        if (this.options.isListener) return [sequence, id, rev, flags === 1, body?.length ?? 2];
        return flags ? [sequence, id, rev, flags] : [sequence, id, rev];
      });
      const reply = await peer.ask('changes', collection, list);
      if (reply.error) return void this.complaints.push(`changes: ${reply.error.message}`);
      if (reply.properties.get('deltas') === 'true') this.takesDeltas = true;
      const wanted = jsonOf(reply) as unknown[];
      if (wanted.length !== rows.length) this.complaints.push(`an answer of ${wanted.length} to ${rows.length} rows`);
      for (const [index, row] of rows.entries()) {
        const entry = wanted[index];
        if (Array.isArray(entry)) await this.sendRev(peer, collection, row, entry as string[]);
      }
    }
    peer.notify('changes', collection, this.options.isListener ? [] : 'null');
  }

  private async sendRev(
    peer: ScriptedPeer,
    collection: Record<string, string>,
    row: GatewayRow,
    listed: readonly string[],
  ): Promise<void> {
    const { id, rev, history, body = '{}', delta, flags = 0, missing } = row;
    const sequence = JSON.stringify(row.sequence);
    this.sent.add(`${id} ${rev}`);
    if (missing) {
      peer.notify('norev', { ...collection, id, rev, sequence, error: '404', reason: 'missing' });
      return;
    }
    const properties = {
      ...collection,
      id,
      rev,
      sequence,
      ...(history !== undefined && { history }),
      ...((flags & 1) !== 0 && { deleted: 'true' }),
    };
    if (delta && this.takesDeltas && listed.includes(delta.base)) {
      const reply = await peer.ask('rev', { ...properties, deltaSrc: delta.base }, delta.body);
      if (reply.error?.code === 422) await peer.ask('rev', properties, body);
    } else if (body.includes('"sha1-')) {
      this.allow(body);
      const reply = await peer.ask('rev', properties, body);
      if (reply.error) this.complaints.push(`rev ${id}: ${reply.error.message}`);
      this.inFlight.clear();
    } else peer.notify('rev', properties, body);
  }

  private allow(body: string): void {
    for (const [digest] of body.matchAll(/sha1-[A-Za-z0-9+/]{27}=/g)) this.inFlight.add(digest);
  }

  private sendAttachment(request: IncomingRequest): void {
    const { digest = '', docID } = request.properties.toRecord();
    if (docID === undefined) return request.respondError({ domain: 'HTTP', code: 400, message: 'no docID' });
    const blob = this.options.blobs?.get(digest);
    if (!this.inFlight.has(digest) || !blob)
      return request.respondError({ domain: 'HTTP', code: blob ? 403 : 404, message: 'refused' });
    request.respond({ body: blob });
  }

  private propose(request: IncomingRequest): void {
    if (request.noReply) return;
    const rows = jsonOf(request) as unknown[][];
    for (const row of rows) if (typeof row[2] !== 'string') this.complaints.push(`parent ${JSON.stringify(row[2])}`);
    answer(
      request,
      rows.map(
        ([id, rev]) =>
          this.options.proposals?.[String(id)] ?? (this.sent.has(`${String(id)} ${String(rev)}`) ? 304 : 0),
      ),
      {
        ...(this.options.refusesDeltas !== undefined && { deltas: 'true' }),
        ...(this.options.isListener && { blobs: 'true' }),
      },
    );
  }

  private async takeRev(peer: ScriptedPeer, request: IncomingRequest): Promise<void> {
    const { id = '', rev = '', history = '', deltaSrc } = request.properties.toRecord();
    this.attempts.push(deltaSrc === undefined ? id : `${id}*`);
    if (deltaSrc !== undefined) {
      if (this.options.refusesDeltas === undefined) this.complaints.push(`an unwanted delta of ${id}`);
      const code = this.options.refusesDeltas ?? 400;
      return request.respondError({ domain: 'HTTP', code, message: 'no delta' });
    }
    const body = jsonOf(request) as Record<string, unknown>;
    if (/ /.test(history)) this.complaints.push(`a history with spaces: ${history}`);
    for (const key of Object.keys(body))
      if (key.startsWith('_') && key !== '_attachments') this.complaints.push(`${key} in a body`);
    const status = this.options.refusals?.[id];
    const domain = this.options.refusalDomain ?? 'HTTP';
    if (status !== undefined) return request.respondError({ domain, code: status, message: 'refused' });
    if (this.options.isListener) {
      this.sent.add(`${id} ${rev}`);
      this.pushed.set(id, body);
      return request.respond();
    }
    const attachments = (body['_attachments'] ?? {}) as Record<string, Record<string, unknown>>;
    if (JSON.stringify(body).includes('"@type"') && Object.keys(attachments).length === 0)
      this.complaints.push(`${id} has blobs and no _attachments`);
    for (const { digest, stub, revpos } of Object.values(attachments)) {
      if (stub !== true || (!rev.includes('@') && typeof revpos !== 'number'))
        this.complaints.push(`an attachment of ${id} without stub or revpos`);
      if (this.options.provesBlobs) {
        this.proofs.push(textOf((await this.prove(String(digest))).body));
        continue;
      }
      const reply = await peer.ask('getAttachment', { ...tagOf(request), digest: String(digest), docID: id });
      const found = `sha1-${createHash('sha1').update(reply.body).digest('base64')}`;
      if (reply.error || found !== digest) this.complaints.push(`the blob ${String(digest)} cannot be had`);
    }
    this.sent.add(`${id} ${rev}`);
    this.pushed.set(id, body);
    request.respond();
  }
}

function tagOf(request: IncomingRequest): Record<string, string> {
  const collection = request.properties.get('collection');
  return collection === undefined ? {} : { collection };
}

function keyOf(request: IncomingRequest): string {
  return `${request.properties.get('collection') ?? ''} ${request.properties.get('client')}`;
}
