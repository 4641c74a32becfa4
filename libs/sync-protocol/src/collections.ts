import { EdgeError } from '@edgesync/errors';
import { type CollectionName, formatWireCollection, parseCollectionName } from '@edgesync/document';
import { type BlipMessage, Properties, type ReplyInit, type RequestInit } from '@edgesync/blip';
import { MAX_CHECKPOINT_ID, type CheckpointEntry } from './checkpoints.js';
import { Profile } from './profile.js';
import { decodeJson, encodeText } from './values.js';

/**
 * A `getCollections` request (docs/protocol/replication.md#getcollections). The order of `collections` defines the
 * indexes of the connection.
 */
export interface GetCollections {
  readonly collections: readonly RequestedCollection[];
  /** The client's public UUID as it wrote it. */
  readonly uuid?: string;
}

export interface RequestedCollection {
  /** As written by the client. */
  readonly text: string;
  /** Undefined if it is not a well-formed name, so that no collection has it. */
  readonly name?: CollectionName;
  readonly checkpointId: string;
}

/** The most collections one connection may ask for. */
export const MAX_COLLECTIONS = 1000;

/** The longest UUID of a client, in characters: it is remembered beyond the connection. */
const MAX_UUID = 64;

/** @throws EdgeError `request.json`, `request.invalid` */
export function parseGetCollections(message: BlipMessage): GetCollections {
  const { checkpoint_ids: ids, collections } = decodeJson(message.body) as Record<string, unknown>;
  if (!isStrings(ids) || !isStrings(collections))
    throw invalid('checkpoint_ids and collections must be arrays of strings');
  if (collections.length === 0) throw invalid('collections is empty');
  if (collections.length > MAX_COLLECTIONS) throw invalid(`more than ${MAX_COLLECTIONS} collections`);
  if (ids.length !== collections.length) throw invalid('checkpoint_ids and collections differ in length');
  if (ids.some((id) => id.length > MAX_CHECKPOINT_ID)) throw invalid('a checkpoint ID is too long');
  const requested = collections.map((text, index) => ({ text, name: tryParse(text), checkpointId: ids[index]! }));
  const keys = requested.map(({ text, name }) => (name ? formatWireCollection(name) : text));
  if (new Set(keys).size !== keys.length) throw invalid('a collection is named twice');
  const uuid = message.properties.get('uuid');
  if (uuid !== undefined && uuid.length > MAX_UUID) throw invalid('the UUID is too long');
  return { collections: requested, ...(uuid !== undefined && { uuid }) };
}

export function buildGetCollections(request: GetCollections): RequestInit {
  const body = {
    checkpoint_ids: request.collections.map(({ checkpointId }) => checkpointId),
    collections: request.collections.map(({ text }) => text),
  };
  return {
    properties: Properties.from({ Profile: Profile.getCollections, uuid: request.uuid }),
    body: encodeText(JSON.stringify(body)),
  };
}

/** One entry per requested collection: undefined = no such collection, null = no checkpoint. */
export type CollectionsReply = readonly (CheckpointEntry | null | undefined)[];

/**
 * The reply. Both `rev` (which LiteCore reads) and `_rev` (which Sync Gateway reads) are spliced in before the stored
 * text, which stays as it is to the byte (docs/protocol/checkpoints.md#server-duties).
 */
export function buildCollectionsReply(entries: CollectionsReply): ReplyInit {
  const texts = entries.map((entry) => (entry === undefined ? 'null' : entry === null ? '{}' : withRevision(entry)));
  return { body: encodeText(`[${texts.join(',')}]`) };
}

function withRevision({ rev, body }: CheckpointEntry): string {
  const quoted = JSON.stringify(rev);
  const open = body.indexOf('{');
  if (open === -1) return `{"rev":${quoted},"_rev":${quoted}}`;
  const rest = body.slice(open + 1);
  const separator = rest.trimStart().startsWith('}') ? '' : ',';
  return `{"rev":${quoted},"_rev":${quoted}${separator}${rest}`;
}

/**
 * Reads the reply as an active peer. The body of an entry is the checkpoint without the revision members.
 * @throws EdgeError `request.json`, `request.invalid`
 */
export function parseCollectionsReply(body: Uint8Array): CollectionsReply {
  const entries = decodeJson(body);
  if (!Array.isArray(entries)) throw invalid('the reply to getCollections is no array');
  return entries.map((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return undefined;
    const { rev, _rev, ...rest } = entry as Record<string, unknown>;
    const revision = typeof rev === 'string' ? rev : typeof _rev === 'string' ? _rev : '';
    return Object.keys(rest).length === 0 && revision === '' ? null : { rev: revision, body: JSON.stringify(rest) };
  });
}

function tryParse(text: string): CollectionName | undefined {
  try {
    return parseCollectionName(text);
  } catch {
    return undefined;
  }
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function invalid(reason: string): EdgeError {
  return new EdgeError('request.invalid', reason);
}
