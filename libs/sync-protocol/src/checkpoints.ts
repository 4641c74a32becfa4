import { type BlipMessage, type BlipReply, Properties, type ReplyInit, type RequestInit } from '@edgesync/blip';
import { EdgeError } from '@edgesync/errors';
import { Profile } from './profile.js';
import { decodeText, encodeText, requireProperty } from './values.js';

/** Longest checkpoint ID in characters; real ones have about 50 (docs/protocol/checkpoints.md#client-ids). */
export const MAX_CHECKPOINT_ID = 512;
/**
 * Largest checkpoint in bytes. `localCompleted` grows with the gaps of an unfinished push
 * (docs/protocol/checkpoints.md#bodies).
 */
export const MAX_CHECKPOINT_BYTES = 1024 * 1024;

/** A stored checkpoint: the bytes of its body as text, and its revision. */
export interface CheckpointEntry {
  readonly rev: string;
  readonly body: string;
}

/** The `client` property. @throws EdgeError `request.invalid` */
export function parseGetCheckpoint(message: BlipMessage): string {
  const client = requireProperty(message.properties, 'client');
  if (client.length > MAX_CHECKPOINT_ID) throw new EdgeError('request.invalid', 'the checkpoint ID is too long');
  return client;
}

export function buildGetCheckpoint(client: string, collection?: string): RequestInit {
  return { properties: Properties.from({ Profile: Profile.getCheckpoint, collection, client }) };
}

export function buildCheckpointReply({ rev, body }: CheckpointEntry): ReplyInit {
  return { properties: Properties.of('rev', rev), body: encodeText(body) };
}

export function parseCheckpointReply(reply: BlipReply): CheckpointEntry {
  return { rev: reply.properties.get('rev') ?? '', body: decodeText(reply.body) };
}

/** A `setCheckpoint` request (docs/protocol/replication.md#setcheckpoint). */
export interface SetCheckpoint {
  readonly client: string;
  /** The revision being replaced; '' = there is none. */
  readonly rev: string;
  /** JSON text as received: never parsed beyond a look at its first character. */
  readonly body: string;
}

/** @throws EdgeError `request.invalid`, `request.json` */
export function parseSetCheckpoint(message: BlipMessage): SetCheckpoint {
  const client = parseGetCheckpoint(message);
  if (message.body.length > MAX_CHECKPOINT_BYTES) throw new EdgeError('request.invalid', 'the checkpoint is too large');
  const body = decodeText(message.body);
  if (!body.trimStart().startsWith('{')) throw new EdgeError('request.json', 'a checkpoint must be a JSON object');
  return { client, rev: message.properties.get('rev') ?? '', body };
}

export function buildSetCheckpoint({ client, rev, body }: SetCheckpoint, collection?: string): RequestInit {
  return {
    properties: Properties.from({ Profile: Profile.setCheckpoint, collection, client, rev }),
    body: encodeText(body),
  };
}
