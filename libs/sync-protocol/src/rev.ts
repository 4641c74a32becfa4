import { type BlipMessage, Properties, type ReplyInit, type RequestInit } from '@edgesync/blip';
import { Profile } from './profile.js';
import { encodeText, readBoolean, requireProperty } from './values.js';

/** The properties of a `rev` message (docs/protocol/replication.md#rev). */
export interface RevMessage {
  readonly id: string;
  /** Rev-tree ID or current version. */
  readonly rev: string;
  /** JSON text. A puller needs it; a pusher's is of no use to the receiver. */
  readonly sequence?: string;
  readonly history: string;
  readonly deleted: boolean;
  readonly noConflicts: boolean;
  /** The revision that the body is a delta against. */
  readonly deltaSrc?: string;
  /** The revision that was asked for; `rev` is a newer one. */
  readonly replacedRev?: string;
  /** The history of a tombstone that closes the receiver's branch. */
  readonly deletedBranch?: string;
  /** The sender could not produce the revision: its HTTP status. */
  readonly error?: string;
}

/** @throws EdgeError `request.invalid` */
export function parseRev(message: BlipMessage): RevMessage {
  const { properties } = message;
  const error = properties.get('error');
  return {
    id: requireProperty(properties, 'id'),
    rev: requireProperty(properties, 'rev'),
    sequence: properties.get('sequence'),
    history: properties.get('history') ?? '',
    deleted: readBoolean(properties, 'deleted'),
    noConflicts: readBoolean(properties, 'noconflicts'),
    deltaSrc: properties.get('deltaSrc') || undefined,
    replacedRev: properties.get('replacedRev') || undefined,
    deletedBranch: properties.get('deleted_branch') || undefined,
    error: error === undefined || error === '0' || error === '' ? undefined : error,
  };
}

export interface RevInit {
  readonly id: string;
  readonly rev: string;
  readonly sequence: string;
  readonly history: string;
  readonly deleted: boolean;
  readonly noConflicts?: boolean;
  readonly deltaSrc?: string | undefined;
  readonly replacedRev?: string | undefined;
}

/** A `rev` message. Properties are written in the order LiteCore writes them; absent ones are left out. */
export function buildRev(init: RevInit, body: Uint8Array, collection?: string): RequestInit {
  const properties =
    collection === undefined
      ? Properties.of('Profile', Profile.rev, 'id', init.id, 'rev', init.rev, 'sequence', init.sequence)
      : Properties.of(
          'Profile',
          Profile.rev,
          'collection',
          collection,
          'id',
          init.id,
          'rev',
          init.rev,
          'sequence',
          init.sequence,
        );
  if (init.noConflicts) properties.append('noconflicts', '1');
  if (init.deleted) properties.append('deleted', '1');
  if (init.history !== '') properties.append('history', init.history);
  if (init.deltaSrc !== undefined) properties.append('deltaSrc', init.deltaSrc);
  if (init.replacedRev !== undefined) properties.append('replacedRev', init.replacedRev);
  return { properties, body, compressed: true };
}

/** A `norev`: a revision that was asked for will not come, ever (docs/protocol/replication.md#norev). */
export interface NoRev {
  readonly id: string;
  readonly rev: string;
  readonly sequence?: string;
  readonly error: string;
  readonly reason?: string;
}

/** @throws EdgeError `request.invalid` */
export function parseNoRev(message: BlipMessage): NoRev {
  const { properties } = message;
  return {
    id: requireProperty(properties, 'id'),
    rev: properties.get('rev') ?? '',
    // Sync Gateway wrote `seq` to its own kind (docs/protocol/replication.md#norev).
    sequence: properties.get('sequence') ?? properties.get('seq'),
    error: properties.get('error') ?? '404',
    reason: properties.get('reason'),
  };
}

/** To be sent without a reply. */
export function buildNoRev(init: NoRev, collection?: string): RequestInit {
  const { id, rev, sequence, error, reason } = init;
  return { properties: Properties.from({ Profile: Profile.norev, collection, id, rev, sequence, error, reason }) };
}

/** A `getRev` request of the connected-client API (docs/protocol/replication.md#connected-clients). */
export interface GetRev {
  readonly id: string;
  readonly ifNotRev?: string;
}

/** @throws EdgeError `request.invalid` */
export function parseGetRev({ properties }: BlipMessage): GetRev {
  const ifNotRev = properties.get('ifNotRev');
  return { id: requireProperty(properties, 'id'), ...(ifNotRev !== undefined && { ifNotRev }) };
}

export function buildGetRevReply(rev: string, json: string): ReplyInit {
  return { properties: Properties.of('rev', rev), body: encodeText(json), compressed: true };
}
