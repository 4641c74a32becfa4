import assert from 'node:assert/strict';
import { type BlipReply, type IncomingRequest, MessageType, Properties } from '@edgesync/blip';
import { applyDelta } from '@edgesync/document';
import type { Peer } from './peer.js';
import { changeRows, jsonOf, profileOf, type RecordedMessage, textOf } from './recorded-messages.js';
import type { Seeder } from './seeder.js';
import { type KnownBodies, type ServerState } from './server-state.js';

export interface ReplayOptions {
  readonly state: ServerState;
  readonly seeder: Seeder;
  /** Our sequence for the recorded `since`, by collection index. */
  readonly since: ReadonlyMap<number, number>;
  readonly known: KnownBodies;
}

/**
 * Plays the client's side of one recorded connection against a running server and compares every answer. The order
 * between requests of the server and its replies is free, within each kind it is the recorded one.
 * @throws AssertionError where the server answers otherwise than the recorded one in a way that a client would notice
 */
export async function replayConnection(
  peer: Peer,
  messages: readonly RecordedMessage[],
  options: ReplayOptions,
): Promise<void> {
  const replay = new Replay(peer, messages, options);
  for (const [index, message] of messages.entries()) {
    if (message.from === 'client') replay.play(message);
    else await replay.expect(message, index);
  }
  await replay.finish();
}

class Replay {
  private readonly replies = new Map<number, Promise<BlipReply>>();
  /** Answers of the recorded client to rows, by collection, ID and revision. */
  private readonly wanted = new Map<string, { readonly entry: unknown; readonly properties: Properties }>();
  private readonly pushed = new Set<string>();
  private readonly checkpointRevs = new Map<string, string>();

  constructor(
    private readonly peer: Peer,
    private readonly messages: readonly RecordedMessage[],
    private readonly options: ReplayOptions,
  ) {}

  /** Sends a message as the client sent it. */
  play(message: RecordedMessage): void {
    if (message.type !== MessageType.request) return this.playReply(message);
    const { body, urgent, noReply, number } = message;
    const collection = message.properties.get('collection') ?? '';
    if (profileOf(message) === 'rev') this.pushed.add(rowKey(collection, message.properties));
    const request = { properties: this.propertiesOf(message), body, urgent };
    if (noReply) return this.peer.connection.notify(request);
    const reply = this.peer.connection.request(request);
    this.replies.set(number, reply);
    void reply.then((answer) => this.noteCheckpoints(message, answer));
  }

  private noteCheckpoints(request: RecordedMessage, reply: BlipReply): void {
    const rev = reply.properties.get('rev');
    if (rev !== undefined) this.checkpointRevs.set(request.properties.get('collection') ?? '', rev);
    if (profileOf(request) !== 'getCollections') return;
    for (const [index, entry] of ((jsonOf(reply) ?? []) as ({ rev?: string } | null)[]).entries())
      if (entry?.rev !== undefined) this.checkpointRevs.set(String(index), entry.rev);
  }

  /** Waits for what the server sent at this place, and compares. */
  async expect(message: RecordedMessage, index: number): Promise<void> {
    if (message.type !== MessageType.request) return this.expectReply(message);
    switch (profileOf(message)) {
      case 'changes':
        return this.expectChanges(message, index);
      case 'rev':
        return this.expectRev(message);
      case 'getAttachment':
        await this.findRequest(message, ['digest', 'docID', 'collection']);
        return;
      default:
        assert.fail(`the recorded server sent ${profileOf(message)}`);
    }
  }

  /** Nothing may be left over, and the client closes. */
  async finish(): Promise<void> {
    const unanswered = this.peer.requests.filter((request) => !request.noReply && !request.answered);
    assert.deepEqual(unanswered.map(describe), [], 'the server asks for more than the recorded one');
    const { code } = await this.peer.connection.close();
    assert.equal(code, 1000);
  }

  private propertiesOf(message: RecordedMessage): Properties {
    const record = message.properties.toRecord();
    const collection = record['collection'] ?? '';
    // Sequences and checkpoint revisions are the server's own.
    if (profileOf(message) === 'subChanges' && record['since'] !== undefined)
      record['since'] = String(this.options.since.get(Number(collection || 0)) ?? 0);
    if (profileOf(message) === 'setCheckpoint' && record['rev'] !== '')
      record['rev'] = this.checkpointRevs.get(collection) ?? '0-1';
    return Properties.from(record);
  }

  private async expectReply(recorded: RecordedMessage): Promise<void> {
    const request = this.messages.find(
      ({ from, type, number }) => from === 'client' && type === MessageType.request && number === recorded.number,
    )!;
    const reply = await this.replies.get(recorded.number)!;
    const profile = profileOf(request);
    if (recorded.type === MessageType.error) {
      const { domain, code } = reply.error ?? {};
      assert.deepEqual(
        [domain, String(code)],
        [recorded.properties.get('Error-Domain'), recorded.properties.get('Error-Code')],
      );
      return;
    }
    assert.equal(reply.error, undefined, `${profile} is refused`);
    switch (profile) {
      case 'getCollections': {
        const names = ({ rev: _, _rev: __, ...entry }: Record<string, unknown>): unknown => entry;
        const plain = (entries: unknown): unknown =>
          (entries as object[]).map((entry) => entry && names(entry as never));
        assert.deepEqual(plain(jsonOf(reply)), plain(jsonOf(recorded)));
        return;
      }
      case 'getCheckpoint':
        return assert.equal(textOf(reply), textOf(recorded));
      case 'setCheckpoint':
        return assert.match(reply.properties.get('rev') ?? '', /^0-[0-9]+$/);
      case 'proposeChanges': {
        const rows = changeRows(request).length;
        const full = (message: { body: Uint8Array }): unknown[] =>
          Array.from({ length: rows }, (_, row) => ((jsonOf(message) ?? []) as unknown[])[row] ?? 0);
        assert.deepEqual(full(reply), full(recorded));
        for (const name of ['blobs', 'maxHistory'])
          assert.equal(reply.properties.get(name), recorded.properties.get(name), name);
        assert.equal(reply.properties.get('deltas'), 'true');
        return;
      }
      default:
        assert.deepEqual(Buffer.from(reply.body), Buffer.from(recorded.body), `the reply to ${profile}`);
        assert.deepEqual(reply.properties.toRecord(), recorded.properties.toRecord(), `the reply to ${profile}`);
    }
  }

  private async expectChanges(recorded: RecordedMessage, index: number): Promise<void> {
    const collection = recorded.properties.get('collection') ?? '';
    const rows = changeRows(recorded).filter(([, id, rev]) => !this.pushed.has(`${collection} ${id} ${rev}`));
    const live = this.options.state.live.get(index);
    if (live) await this.options.seeder.push(live);
    const lists = (): IncomingRequest[] =>
      this.peer.requests.filter(
        (request) => profileOf(request) === 'changes' && (request.properties.get('collection') ?? '') === collection,
      );
    if (changeRows(recorded).length === 0) {
      // The recorded server repeats the marker whenever it is idle; ours sends it once
      // (docs/protocol/replication.md#caught-up).
      const markers = await this.peer.until('a caught-up marker', () => {
        const found = lists().filter((request) => changeRows(request).length === 0);
        return found.length > 0 ? found : undefined;
      });
      assert.equal(markers.length, 1);
      assert.equal(markers[0]!.noReply, true);
      return;
    }
    const find = ([, id, rev]: (typeof rows)[number]) =>
      lists()
        .flatMap(changeRows)
        .find((row) => row[1] === id && row[2] === rev);
    const found = await this.peer.until(`rows ${JSON.stringify(rows)}`, () => {
      const mine = rows.map(find);
      return mine.every((row) => row) ? mine : undefined;
    });
    const sequences = found.map((row) => row![0]);
    assert.deepEqual(
      sequences,
      [...sequences].sort((a, b) => a - b),
      'rows are in order of sequence',
    );
  }

  private async expectRev(recorded: RecordedMessage): Promise<void> {
    const request = await this.findRequest(recorded, ['id', 'rev', 'collection', 'history', 'deleted']);
    const collection = request.properties.get('collection') ?? '';
    const [sequence] = this.peer.requests
      .filter((other) => profileOf(other) === 'changes' && (other.properties.get('collection') ?? '') === collection)
      .flatMap(changeRows)
      .find(([, id, rev]) => id === request.properties.get('id') && rev === request.properties.get('rev'))!;
    assert.equal(request.properties.get('sequence'), String(sequence));
    const base = request.properties.get('deltaSrc');
    const baseBody = base === undefined ? undefined : this.options.known[`${request.properties.get('id')} ${base}`];
    const body = baseBody === undefined ? textOf(request) : applyDelta(baseBody, textOf(request));
    assert.deepEqual(JSON.parse(body), jsonOf(recorded));
  }

  private findRequest(recorded: RecordedMessage, names: readonly string[]): Promise<IncomingRequest> {
    const values = ({ properties }: { properties: Properties }): string =>
      JSON.stringify(names.map((name) => properties.get(name)));
    return this.peer.until(`${profileOf(recorded)} ${values(recorded)}`, () =>
      this.peer.requests.find(
        (request) => profileOf(request) === profileOf(recorded) && values(request) === values(recorded),
      ),
    );
  }

  private playReply(reply: RecordedMessage): void {
    const recorded = this.messages.find(
      ({ from, type, number }) => from === 'server' && type === MessageType.request && number === reply.number,
    )!;
    if (profileOf(recorded) === 'changes') return this.answerChanges(recorded, reply);
    const names = profileOf(recorded) === 'rev' ? ['id', 'rev'] : ['digest', 'docID'];
    const request = this.peer.requests.find(
      (candidate) =>
        profileOf(candidate) === profileOf(recorded) &&
        names.every((name) => candidate.properties.get(name) === recorded.properties.get(name)),
    );
    if (!request || request.noReply || request.answered) return;
    assert.equal(reply.type, MessageType.response);
    request.respond({ properties: reply.properties, body: reply.body });
  }

  private answerChanges(recorded: RecordedMessage, reply: RecordedMessage): void {
    const collection = recorded.properties.get('collection') ?? '';
    const entries = (jsonOf(reply) ?? []) as unknown[];
    for (const [index, [, id, rev]] of changeRows(recorded).entries())
      this.wanted.set(`${collection} ${id} ${rev}`, { entry: entries[index] ?? 0, properties: reply.properties });
    for (const request of this.peer.requests) {
      if (profileOf(request) !== 'changes' || request.noReply || request.answered) continue;
      const tag = request.properties.get('collection') ?? '';
      const answers = changeRows(request).map(([, id, rev]) => this.wanted.get(`${tag} ${id} ${rev}`));
      if (answers.some((answer) => !answer)) continue;
      const body = JSON.stringify(answers.map((answer) => answer!.entry));
      request.respond({ properties: answers[0]!.properties, body: new TextEncoder().encode(body) });
    }
  }
}

function rowKey(collection: string, properties: Properties): string {
  return `${collection} ${properties.get('id')} ${properties.get('rev')}`;
}

function describe(request: IncomingRequest): string {
  return `${JSON.stringify(request.properties.toRecord())} ${textOf(request)}`;
}
