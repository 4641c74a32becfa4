import { EdgeError } from '@edgesync/errors';
import { type BlipReply, type BlipMessage, Properties, type ReplyInit, type RequestInit } from '@edgesync/blip';
import { Profile } from './profile.js';
import { decodeJson, encodeText, readBoolean, readCount, sequenceText, type SequenceText } from './values.js';
import type { ProtocolVersion } from './protocol-version.js';

/** A row of `changes` as we send it (docs/protocol/replication.md#changes). */
export interface ChangeOffer {
  readonly sequence: number;
  readonly id: string;
  /** Rev-tree ID or current version. */
  readonly rev: string;
  readonly deleted: boolean;
  /** Approximate; the receiver shows progress by it. */
  readonly bodySize: number;
}

/** A row of `changes` as a peer sent it. */
export interface ChangeRowIn {
  /** Absent from rows whose sequence was null: they cannot be checkpointed. */
  readonly sequence?: SequenceText;
  readonly id: string;
  readonly rev: string;
  readonly deleted: boolean;
  /** The user lost the document (bit 2) or it left the channels (bit 4): nothing will be sent for the row. */
  readonly revoked: boolean;
  /** Approximate, in bytes. Sync Gateway does not say. */
  readonly bodySize?: number;
}

const FLAG_DELETED = 1;
const FLAGS_REVOKED = 2 | 4;

/** Most rows of one message that we take from a peer. */
export const MAX_CHANGE_ROWS = 10_000;

const NO_ROWS = encodeText('[]');

/**
 * The rows as the body of `changes`. Protocol version 2 has a boolean where later ones have a bit mask
 * (docs/protocol/replication.md#differences-by-sub-protocol).
 */
export function encodeChangeRows(rows: readonly ChangeOffer[], version: ProtocolVersion): Uint8Array {
  const [live, deleted] = version === 2 ? ['false', 'true'] : ['0', '1'];
  let text = '[';
  for (const row of rows) {
    if (text.length > 1) text += ',';
    const flag = row.deleted ? deleted : live;
    text += `[${row.sequence},${JSON.stringify(row.id)},"${row.rev}",${flag},${row.bodySize}]`;
  }
  return encodeText(`${text}]`);
}

export function buildChanges(body: Uint8Array, collection?: string, ignoreNoConflicts = false): RequestInit {
  const properties = Properties.of('Profile', Profile.changes);
  if (collection !== undefined) properties.append('collection', collection);
  if (ignoreNoConflicts) properties.append('ignoreNoConflicts', 'true');
  return { properties, body, urgent: true, compressed: true };
}

/**
 * The caught-up marker: an empty list. To be sent without a reply, once per subscription
 * (docs/protocol/replication.md#caught-up).
 */
export function buildCaughtUp(collection?: string): RequestInit {
  const properties = Properties.of('Profile', Profile.changes);
  if (collection !== undefined) properties.append('collection', collection);
  return { properties, body: NO_ROWS, urgent: true };
}

/** Whether the body of `changes` or `proposeChanges` is an empty list, which Sync Gateway writes as `null`. */
export function isEmptyList(body: Uint8Array): boolean {
  return body.length === 0 || (body.length <= 4 && /^(?:\[\s*\]|null)$/.test(String.fromCharCode(...body)));
}

/**
 * Rows of a peer's `changes`. Rows that cannot be read are an error of the whole message, as LiteCore treats them.
 * @throws EdgeError `request.json`, `request.invalid`
 */
export function parseChanges(message: BlipMessage): { rows: readonly ChangeRowIn[]; ignoreNoConflicts: boolean } {
  const rows = readRows(message.body, 'changes').map((row) => {
    const [sequence, id, rev, flags, bodySize] = row;
    if (typeof id !== 'string' || id === '' || typeof rev !== 'string' || rev === '')
      throw new EdgeError('request.invalid', 'a row of changes needs a document ID and a revision');
    const text = sequenceText(sequence);
    const mask = typeof flags === 'number' ? flags : flags === true ? FLAG_DELETED : 0;
    return {
      ...(text !== undefined && { sequence: text }),
      id,
      rev,
      deleted: (mask & FLAG_DELETED) !== 0,
      // 5 is a tombstone that left the channels, an ordinary deletion for the receiver
      // (docs/protocol/replication.md#changes).
      revoked: (mask & FLAGS_REVOKED) !== 0 && mask !== 5,
      ...(typeof bodySize === 'number' && bodySize >= 0 && { bodySize }),
    };
  });
  return { rows, ignoreNoConflicts: readBoolean(message.properties, 'ignoreNoConflicts') };
}

/** @throws EdgeError `request.json`, `request.invalid` */
export function readRows(body: Uint8Array, name: string): readonly (readonly unknown[])[] {
  if (isEmptyList(body)) return [];
  const rows = decodeJson(body);
  if (!Array.isArray(rows) || !rows.every((row) => Array.isArray(row)))
    throw new EdgeError('request.invalid', `the body of ${name} must be an array of arrays`);
  if (rows.length > MAX_CHANGE_ROWS) throw new EdgeError('request.invalid', `more than ${MAX_CHANGE_ROWS} rows`);
  return rows as unknown[][];
}

/** Abilities that the receiver of a list states in its reply. */
export interface ReceiverOptions {
  /** History entries it wants per revision. */
  readonly maxHistory?: number;
  /** Understands blob dictionaries without `_attachments`. */
  readonly blobs: boolean;
  /**
   * Takes deltas. LiteCore says so in its first reply of a connection only
   * (docs/protocol/replication.md#reply-to-changes).
   */
  readonly deltas: boolean;
  readonly sendReplacementRevs: boolean;
}

export function readReceiverOptions(properties: Properties): ReceiverOptions {
  const maxHistory = readCount(properties, 'maxHistory');
  return {
    ...(maxHistory !== undefined && { maxHistory }),
    blobs: readBoolean(properties, 'blobs'),
    deltas: readBoolean(properties, 'deltas'),
    sendReplacementRevs: readBoolean(properties, 'sendReplacementRevs'),
  };
}

export function receiverProperties(options: ReceiverOptions): Properties {
  return Properties.from({
    maxHistory: options.maxHistory === undefined ? undefined : String(options.maxHistory),
    blobs: options.blobs ? 'true' : undefined,
    deltas: options.deltas ? 'true' : undefined,
    sendReplacementRevs: options.sendReplacementRevs ? '1' : undefined,
  });
}

/** The wish of the receiver for one row: the revisions it holds, newest first; undefined = not wanted. */
export type WantedRow = readonly string[] | undefined;

/**
 * Reads the reply to `changes`. It may be shorter than the list, the rest is not wanted
 * (docs/protocol/replication.md#reply-to-changes).
 * @throws EdgeError `request.json`, `request.invalid`
 */
export function parseChangesReply(reply: BlipReply): readonly WantedRow[] {
  if (isEmptyList(reply.body)) return [];
  const entries = decodeJson(reply.body);
  if (!Array.isArray(entries)) throw new EdgeError('request.invalid', 'the reply to changes is no array');
  return entries.map((entry: unknown) =>
    Array.isArray(entry) ? entry.filter((rev): rev is string => typeof rev === 'string') : undefined,
  );
}

/** The reply, in full length: Sync Gateway does not promise to take less. */
export function buildChangesReply(wanted: readonly WantedRow[], options: ReceiverOptions): ReplyInit {
  const body = JSON.stringify(wanted.map((row) => row ?? 0));
  return { properties: receiverProperties(options), body: encodeText(body), compressed: true };
}
