import { EdgeError } from '@edgesync/errors';
import { type BlipMessage, Properties, type RequestInit } from '@edgesync/blip';
import { Profile } from './profile.js';
import { decodeJson, encodeText, readBoolean, readCount, type SequenceText } from './values.js';

/** A `subChanges` request (docs/protocol/replication.md#subchanges). */
export interface SubChanges {
  /** As received: JSON text, perhaps without its quotes. Absent = from the beginning. */
  readonly since?: string;
  readonly continuous: boolean;
  /** Most rows per `changes`. */
  readonly batch?: number;
  readonly activeOnly: boolean;
  readonly docIds?: readonly string[];
  readonly filter?: string;
  readonly channels?: string;
  readonly revocations: boolean;
  readonly versioning?: string;
  readonly sendReplacementRevs: boolean;
  /** Start from now instead of `since`. */
  readonly future: boolean;
  /** The subscriber is a Sync Gateway (docs/protocol/replication.md#sync-gateway-as-active-peer). */
  readonly fromGateway: boolean;
}

/** The most document IDs one subscription may name. */
export const MAX_DOC_IDS = 100_000;

/** @throws EdgeError `request.json`, `request.invalid` */
export function parseSubChanges(message: BlipMessage): SubChanges {
  const { properties } = message;
  const continuous = properties.get('continuous');
  return {
    since: properties.get('since') || undefined,
    // Present and not "false", as Sync Gateway reads it; `0` is no either.
    continuous: continuous !== undefined && !/^(?:false|no|0)?$/i.test(continuous),
    batch: readCount(properties, 'batch'),
    activeOnly: readBoolean(properties, 'activeOnly'),
    docIds: parseDocIds(message.body),
    filter: properties.get('filter') || undefined,
    channels: properties.get('channels') || undefined,
    revocations: readBoolean(properties, 'revocations'),
    versioning: properties.get('versioning'),
    sendReplacementRevs: readBoolean(properties, 'sendReplacementRevs'),
    future: readBoolean(properties, 'future'),
    fromGateway: readBoolean(properties, 'client_sgr2'),
  };
}

function parseDocIds(body: Uint8Array): readonly string[] | undefined {
  if (body.length === 0) return undefined;
  const ids = (decodeJson(body) as { docIDs?: unknown } | null)?.docIDs;
  if (ids === undefined || ids === null) return undefined;
  if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string'))
    throw new EdgeError('request.invalid', 'docIDs must be an array of strings');
  if (ids.length > MAX_DOC_IDS) throw new EdgeError('request.invalid', `more than ${MAX_DOC_IDS} docIDs`);
  return ids as string[];
}

export interface SubChangesInit {
  readonly since?: SequenceText;
  readonly continuous?: boolean;
  readonly batch?: number;
  readonly activeOnly?: boolean;
  readonly docIds?: readonly string[];
  readonly channels?: readonly string[];
  readonly revocations?: boolean;
  readonly versioning?: 'rev-trees' | 'version-vectors';
}

export function buildSubChanges(init: SubChangesInit, collection?: string): RequestInit {
  const { since, continuous, batch, activeOnly, docIds, channels, revocations, versioning } = init;
  return {
    properties: Properties.from({
      Profile: Profile.subChanges,
      collection,
      since,
      continuous: continuous ? 'true' : undefined,
      batch: batch === undefined ? undefined : String(batch),
      sendReplacementRevs: '1',
      versioning,
      activeOnly: activeOnly ? 'true' : undefined,
      revocations: revocations ? 'true' : undefined,
      filter: channels ? 'sync_gateway/bychannel' : undefined,
      channels: channels?.join(','),
    }),
    ...(docIds && { body: encodeText(JSON.stringify({ docIDs: docIds })) }),
  };
}
