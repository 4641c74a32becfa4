import type { RevisionKind } from '@edgesync/revision';

/**
 * Versions of the replication protocol, the number in `BLIP_3+CBMobile_N`
 * (docs/protocol/replication.md#differences-by-sub-protocol).
 * - 2: Couchbase Lite 2.x and 3.0. Deletion flags are booleans, one collection, no revocations.
 * - 3: Couchbase Lite 3.x. Deletion flags are a bit mask, collections, `docID` on getAttachment.
 * - 4: Couchbase Lite 4.x. Revisions are versions; a push-only client with rev trees may use it too.
 */
export type ProtocolVersion = 2 | 3 | 4;

const TOKENS: ReadonlyMap<string, ProtocolVersion> = new Map([
  ['BLIP_3+CBMobile_2', 2],
  ['BLIP_3+CBMobile_3', 3],
  ['BLIP_3+CBMobile_4', 4],
]);

/** All of them. */
export const PROTOCOL_VERSIONS: readonly ProtocolVersion[] = [...TOKENS.values()];

/** The WebSocket sub-protocol of a version. */
export function subprotocolOf(version: ProtocolVersion): string {
  return `BLIP_3+CBMobile_${version}`;
}

/** The version that a sub-protocol names, or undefined. */
export function versionOfSubprotocol(token: string): ProtocolVersion | undefined {
  return TOKENS.get(token);
}

/** The offer in a `Sec-WebSocket-Protocol` header. */
export interface SubprotocolOffer {
  /** Sub-protocols in the client's order, without the session element. */
  readonly tokens: readonly string[];
  /**
   * The one-time session of a browser client, which cannot send headers; never to be echoed
   * (docs/protocol/connection.md#one-time-sessions).
   */
  readonly session?: string;
}

const SESSION_PREFIX = 'SyncGatewaySession_';

/**
 * Takes the header apart: elements are trimmed, repeated headers arrive joined by commas
 * (docs/protocol/connection.md#sub-protocols).
 */
export function parseSubprotocols(header: string | undefined): SubprotocolOffer {
  const elements = (header ?? '')
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
  const session = elements.find((element) => element.startsWith(SESSION_PREFIX));
  const tokens = elements.filter((element) => !element.startsWith(SESSION_PREFIX));
  return session === undefined ? { tokens } : { tokens, session: session.slice(SESSION_PREFIX.length) };
}

/**
 * The first offered sub-protocol that we speak (docs/protocol/connection.md#sub-protocols: the client's order wins), or
 * undefined.
 */
export function chooseVersion(tokens: readonly string[]): ProtocolVersion | undefined {
  for (const token of tokens) {
    const version = TOKENS.get(token);
    if (version !== undefined) return version;
  }
  return undefined;
}

/** Which kind of revision IDs a puller gets: what it declares, else what its protocol version implies. */
export function revisionKindOf(version: ProtocolVersion, versioning: string | undefined): RevisionKind {
  if (versioning === 'version-vectors') return 'vector';
  if (versioning === 'rev-trees') return 'tree';
  return version >= 4 ? 'vector' : 'tree';
}
