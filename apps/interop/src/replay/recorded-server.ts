import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemScheduler } from '@edgesync/async';
import { BlipConnection, type IncomingRequest, Properties } from '@edgesync/blip';
import { applyDelta } from '@edgesync/document';
import { WsAcceptor } from '@edgesync/socket-ws';
import { changeRows, jsonOf, profileOf, type RecordedMessage, textOf } from './recorded-messages.js';
import { type KnownBodies, replyTo } from './server-state.js';

/** One recorded connection, with the sub-protocol that its server chose. */
export interface RecordedConnection {
  readonly chosen: string;
  readonly messages: readonly RecordedMessage[];
}

/** Plays the server's side of recorded conversations to any client, and compares what it receives. */
export class RecordedServer implements AsyncDisposable {
  /** Differences from the recording. */
  readonly differences: string[] = [];
  /** Revisions that the client pushed, as `collection id rev`. */
  readonly pushed = new Set<string>();

  private readonly acceptor = new WsAcceptor();
  private readonly sockets = new Set<Duplex>();
  private recorded: RecordedConnection | undefined;

  private constructor(
    private readonly http: Server,
    private readonly known: KnownBodies,
  ) {
    http.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      this.sockets.add(socket);
      const recorded = this.recorded!;
      void this.acceptor.accept(request, socket, head, recorded.chosen).then((transport) => {
        const session = new RecordedSession(recorded.messages, this.known, this.differences, this.pushed);
        session.connection = new BlipConnection(transport, {
          scheduler: systemScheduler,
          onRequest: (message) => session.handle(message),
          onFault: (error) => this.differences.push(String(error)),
        });
      });
    });
  }

  static async start(known: KnownBodies): Promise<RecordedServer> {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    return new RecordedServer(http, known);
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  /** The conversation for the next connection. */
  play(recorded: RecordedConnection): void {
    this.recorded = recorded;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.http.close();
    await once(this.http, 'close');
  }
}

class RecordedSession {
  connection!: BlipConnection;
  /** Recorded index of each collection of the client. */
  private indexes: readonly number[] = [0];
  private checkpoints = 0;
  private readonly proposed = new Map<string, number>();

  constructor(
    private readonly messages: readonly RecordedMessage[],
    private readonly known: KnownBodies,
    private readonly differences: string[],
    private readonly pushed: Set<string>,
  ) {}

  handle(request: IncomingRequest): void | Promise<void> {
    switch (profileOf(request)) {
      case 'getCollections':
        return this.getCollections(request);
      case 'getCheckpoint':
        return request.respondError({ domain: 'HTTP', code: 404, message: 'missing' });
      case 'setCheckpoint':
        return request.respond({ properties: Properties.of('rev', `0-${++this.checkpoints}`) });
      case 'subChanges':
        request.respond();
        void this.sendChanges(request).catch((error: unknown) => this.differences.push(String(error)));
        return;
      case 'proposeChanges':
        return this.answerProposals(request);
      case 'rev':
        return this.takeRev(request);
      case 'getAttachment':
        return this.sendAttachment(request);
      default:
        this.differences.push(`the recorded client never sent ${profileOf(request)}`);
        return request.respondError({ domain: 'BLIP', code: 404, message: 'unknown' });
    }
  }

  private getCollections(request: IncomingRequest): void {
    const [first] = this.messages;
    const reply = replyTo(this.messages, first!)!;
    const recorded = (jsonOf(first!) as { collections: string[] }).collections;
    const entries = jsonOf(reply) as unknown[];
    const { collections } = jsonOf(request) as { collections: string[] };
    this.indexes = collections.map((name) => recorded.indexOf(name));
    // Checkpoints are those of another client.
    respondJson(
      request,
      this.indexes.map((index) => (index < 0 || entries[index] === null ? null : {})),
    );
  }

  private async sendChanges(request: IncomingRequest): Promise<void> {
    const tag = tagOf(request);
    for (const recorded of this.recordedOf(request, 'server', 'changes')) {
      const rows = changeRows(recorded);
      if (rows.length === 0) continue;
      const reply = await this.connection.request({
        properties: this.propertiesOf(recorded, tag),
        body: recorded.body,
      });
      assert.equal(reply.error, undefined);
      const wanted = jsonOf(reply) as unknown[];
      for (const [index, [sequence, id, rev]] of rows.entries())
        if (Array.isArray(wanted[index])) this.sendRev(request, { sequence, id, rev }, wanted[index] as string[]);
    }
    this.connection.notify({ properties: Properties.from({ Profile: 'changes', ...tag }), body: encode('[]') });
  }

  private sendRev(
    request: IncomingRequest,
    row: { readonly sequence: number; readonly id: string; readonly rev: string },
    listed: readonly string[],
  ): void {
    const tag = tagOf(request);
    const recorded = this.recordedOf(request, 'server', 'rev').find(
      ({ properties }) => properties.get('id') === row.id && properties.get('rev') === row.rev,
    );
    const base = recorded?.properties.get('deltaSrc');
    if (!recorded || (base !== undefined && !listed.includes(base))) {
      const properties = { id: row.id, rev: row.rev, sequence: String(row.sequence), error: '404' };
      this.connection.notify({ properties: Properties.from({ Profile: 'norev', ...tag, ...properties }) });
      return;
    }
    const message = { properties: this.propertiesOf(recorded, tag), body: recorded.body };
    if (recorded.noReply) this.connection.notify(message);
    else
      this.connection.send(message, (reply) => {
        if (reply?.error) this.differences.push(`${row.id} is refused: ${reply.error.code} ${reply.error.message}`);
      });
  }

  private answerProposals(request: IncomingRequest): void {
    if (request.noReply) return;
    const lists = this.recordedOf(request, 'client', 'proposeChanges');
    const rows = jsonOf(request) as [string, string][];
    const answers = rows.map(([id]) => {
      const key = `${tagOf(request)['collection'] ?? ''} ${id}`;
      const attempt = this.proposed.get(key) ?? 0;
      this.proposed.set(key, attempt + 1);
      const given = lists.flatMap((list) => {
        const at = changeRows(list).findIndex((row) => String(row[0]) === id);
        const reply = replyTo(this.messages, list);
        return at < 0 || !reply ? [] : [((jsonOf(reply) ?? []) as unknown[])[at] ?? 0];
      });
      return given[attempt] ?? 0;
    });
    const [reply] = lists.flatMap((list) => replyTo(this.messages, list) ?? []);
    request.respond({
      properties: reply?.properties ?? Properties.from({ blobs: 'true' }),
      body: encode(JSON.stringify(answers)),
    });
  }

  private async takeRev(request: IncomingRequest): Promise<void> {
    const { id = '', rev = '', deleted = '', deltaSrc } = request.properties.toRecord();
    const recorded = this.recordedOf(request, 'client', 'rev').find(
      ({ properties }) => properties.get('id') === id && properties.get('rev') === rev,
    );
    this.pushed.add(`${this.indexOf(request)} ${id} ${rev}`);
    if (recorded) {
      if (deleted !== (recorded.properties.get('deleted') ?? '')) this.differences.push(`${id} deleted=${deleted}`);
      const [ours, theirs] = [request, recorded].map((message) => this.bodyOf(id, message));
      if (ours !== undefined && theirs !== undefined)
        try {
          assert.deepEqual(withoutStubs(ours), withoutStubs(theirs));
        } catch {
          this.differences.push(`${id} ${rev}: ${ours} instead of ${theirs}`);
        }
      else if (deltaSrc === undefined && ours === undefined) this.differences.push(`${id} has no body`);
    }
    for (const ask of this.recordedOf(request, 'server', 'getAttachment'))
      if (ask.properties.get('docID') === id && textOf(request).includes(ask.properties.get('digest')!)) {
        const properties = this.propertiesOf(ask, tagOf(request));
        const reply = await this.connection.request({ properties });
        if (reply.error || !Buffer.from(reply.body).equals(Buffer.from(replyTo(this.messages, ask)!.body)))
          this.differences.push(`a blob of ${id} differs`);
      }
    request.respond();
  }

  private sendAttachment(request: IncomingRequest): void {
    const digest = request.properties.get('digest');
    const ask = this.messages.find(
      (message) => profileOf(message) === 'getAttachment' && message.properties.get('digest') === digest,
    );
    const reply = ask && replyTo(this.messages, ask);
    if (reply) request.respond({ body: reply.body });
    else request.respondError({ domain: 'HTTP', code: 404, message: 'not recorded' });
  }

  /** The whole body of a revision message; undefined if it is a delta on what is not known. */
  private bodyOf(
    id: string,
    message: { readonly properties: Properties; readonly body: Uint8Array },
  ): string | undefined {
    const base = message.properties.get('deltaSrc');
    if (base === undefined) return textOf(message);
    const body = this.known[`${id} ${base}`];
    return body === undefined ? undefined : applyDelta(body, textOf(message));
  }

  private recordedOf(request: IncomingRequest, from: 'client' | 'server', profile: string): RecordedMessage[] {
    const index = this.indexOf(request);
    return this.messages.filter(
      (message) =>
        message.from === from &&
        profileOf(message) === profile &&
        Number(message.properties.get('collection') ?? 0) === index,
    );
  }

  private indexOf(request: IncomingRequest): number {
    return this.indexes[Number(request.properties.get('collection') ?? 0)] ?? 0;
  }

  private propertiesOf({ properties }: RecordedMessage, tag: Record<string, string>): Properties {
    const { collection: _, ...rest } = properties.toRecord();
    return Properties.from({ ...rest, ...tag });
  }
}

function tagOf(request: IncomingRequest): Record<string, string> {
  const collection = request.properties.get('collection');
  return collection === undefined ? {} : { collection };
}

function withoutStubs(text: string): unknown {
  const { _attachments: _, ...body } = JSON.parse(text) as Record<string, unknown>;
  return body;
}

function respondJson(request: IncomingRequest, value: unknown): void {
  request.respond({ body: encode(JSON.stringify(value)) });
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
