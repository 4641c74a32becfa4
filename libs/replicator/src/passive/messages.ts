import { Properties } from '@edgesync/blip';
import { EdgeError } from '@edgesync/errors';
import { isVersion, offeredId } from '@edgesync/revision';
import {
  buildChangesReply,
  buildCheckpointReply,
  buildCollectionsReply,
  buildGetRevReply,
  buildProposeReply,
  isEmptyList,
  parseChanges,
  parseGetCheckpoint,
  parseGetCollections,
  parseGetRev,
  parseNoRev,
  parseProposeChanges,
  parseSetCheckpoint,
  parseSubChanges,
  Profile,
  type GetCollections,
} from '@edgesync/sync-protocol';
import type { CollectionMessage, ConnectionMessage, MessageSession, MessageTable } from '../jobs/message-table.js';
import type { PassiveCollection } from './passive-collection.js';

/** The session of a connected app, as messages need it. */
export interface PassivePeer extends MessageSession<PassiveCollection> {
  /**
   * Fixes the order of collections for the connection. Those that do not exist or that the user cannot sync are
   * undefined in the result.
   * @throws EdgeError `request.invalid` if it is not the first message, `access.denied` if all that exist are closed
   */
  openCollections(request: GetCollections): readonly (PassiveCollection | undefined)[];
}

type Message = CollectionMessage<PassiveCollection>;

/** Which of the collections exist, and the client's checkpoints (docs/protocol/replication.md#getcollections). */
const getCollections: ConnectionMessage<PassivePeer> = {
  async handleConnection(session, request) {
    const asked = parseGetCollections(request);
    const opened = session.openCollections(asked);
    const entries = opened.map(async (collection, index) => {
      if (!collection) return undefined;
      return (await collection.loadCheckpoint(asked.collections[index]!.checkpointId)) ?? null;
    });
    request.respond(buildCollectionsReply(await Promise.all(entries)));
  },
};

/** docs/protocol/replication.md#getcheckpoint */
const getCheckpoint: Message = {
  direction: 'either',
  async handle(collection, request) {
    const client = parseGetCheckpoint(request);
    const { link, tag } = collection.collection;
    if (tag === undefined) link.peerId ||= client;
    const checkpoint = await collection.loadCheckpoint(client);
    if (!checkpoint) throw new EdgeError('checkpoint.missing');
    request.respond(buildCheckpointReply(checkpoint));
  },
};

/**
 * In every direction (docs/protocol/replication.md#setcheckpoint): a client that may only pull keeps its place, too
 * (docs/protocol/edge-server.md#sync-with-apps).
 */
const setCheckpoint: Message = {
  direction: 'either',
  async handle(collection, request) {
    const { client, rev, body } = parseSetCheckpoint(request);
    const saved = await collection.saveCheckpoint(client, rev, body);
    request.respond({ properties: Properties.of('rev', saved) });
  },
};

/** The reply comes first, then the changes (docs/protocol/replication.md#subchanges). */
const subChanges: Message = {
  direction: 'pull',
  async handle(collection, request) {
    const start = await collection.subscribe(parseSubChanges(request));
    request.respond();
    start();
  },
};

/** docs/protocol/replication.md#unsubchanges */
const unsubChanges: Message = {
  direction: 'either',
  handle(collection, request) {
    collection.unsubscribe();
    request.respond();
  },
};

/**
 * The verb with which a Sync Gateway pushes (docs/protocol/replication.md#sync-gateway-as-active-peer). Couchbase Lite
 * uses `proposeChanges`.
 */
const changes: Message = {
  direction: 'push',
  async handle(collection, request) {
    const { link } = collection.collection;
    const options = link.receiverOptions(collection.kind);
    if (isEmptyList(request.body)) {
      request.respond(buildChangesReply([], options));
      return;
    }
    const { rows, ignoreNoConflicts } = parseChanges(request);
    if (!ignoreNoConflicts) throw new EdgeError('doc.conflict', "Use 'proposeChanges' instead");
    request.respond(buildChangesReply(await collection.finder.find(rows), options));
  },
};

/** An idle pusher sends an empty list that wants no reply (docs/protocol/replication.md#proposechanges). */
const proposeChanges: Message = {
  direction: 'push',
  async handle(collection, request) {
    const { rows, conflictIncludesRev } = parseProposeChanges(request);
    const answers = rows.length === 0 ? [] : await collection.finder.judge(rows);
    // A client with rev trees may push over version 4 (docs/protocol/replication.md#differences-by-sub-protocol);
    // histories of trees are what `maxHistory` is about.
    const kind = rows[0] && !isVersion(rows[0].rev) ? 'tree' : collection.kind;
    const options = collection.collection.link.receiverOptions(kind);
    request.respond(buildProposeReply(answers, conflictIncludesRev, options));
  },
};

/** docs/protocol/replication.md#rev; `putRev` of the connected-client API has the same properties. */
const rev: Message = { direction: 'push', handle: ({ incoming }, request) => incoming.receive(request) };

/** The pusher cannot send a revision (docs/protocol/replication.md#norev). Nothing waits for it. */
const norev: Message = {
  direction: 'push',
  handle({ collection }, request) {
    const { id, error, reason } = parseNoRev(request);
    collection.link.context.log.info(`the client does not send "${id}": ${error} ${reason ?? ''}`);
    request.respond();
  },
};

/** One document for a connected client (docs/protocol/replication.md#connected-clients). */
const getRev: Message = {
  direction: 'pull',
  async handle({ collection, kind }, request) {
    const { id, ifNotRev } = parseGetRev(request);
    const [stored] = await collection.link.context.storage.read(collection.keyspace, [id]);
    if (!stored) throw new EdgeError('doc.missing');
    if (stored.deleted) throw new EdgeError('doc.deleted');
    const rev = offeredId(stored, kind);
    if (ifNotRev === rev) request.respondError({ domain: 'HTTP', code: 304, message: 'Not Modified' });
    else request.respond(buildGetRevReply(rev, stored.body));
  },
};

/** Every message that a connected app may send. */
export const PASSIVE_MESSAGES: MessageTable<PassivePeer, PassiveCollection> = {
  [Profile.getCollections]: getCollections,
  [Profile.getCheckpoint]: getCheckpoint,
  [Profile.setCheckpoint]: setCheckpoint,
  [Profile.subChanges]: subChanges,
  [Profile.unsubChanges]: unsubChanges,
  [Profile.changes]: changes,
  [Profile.proposeChanges]: proposeChanges,
  [Profile.rev]: rev,
  [Profile.norev]: norev,
  // docs/protocol/replication.md#getattachment, docs/protocol/replication.md#proveattachment
  [Profile.getAttachment]: { direction: 'pull', handle: ({ blobs }, request) => blobs.get(request) },
  [Profile.proveAttachment]: { direction: 'pull', handle: ({ blobs }, request) => blobs.prove(request) },
  [Profile.getRev]: getRev,
  [Profile.putRev]: rev,
  // The heartbeat of clients that cannot send WebSocket pings (docs/protocol/connection.md#websocket-rules).
  [Profile.ping]: { handleConnection: (_session, request) => request.respond() },
};
