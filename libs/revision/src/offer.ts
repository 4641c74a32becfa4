import type { DocumentState } from './incoming.js';
import { isTreeRevId, isVersion } from './rev-id.js';
import { historyOf, treeHas } from './rev-tree-text.js';
import { currentVersionOf, foldMerge, historyForRev } from './version-vector.js';

// What a puller is offered and sent. Which kind of ID it gets is the connection's property here: rev-tree clients
// cannot read versions, and a versioned client must never meet a document under a rev-tree ID
// (docs/protocol/revisions.md#legacy-documents-without-a-version).

/** The two kinds of clients. */
export type RevisionKind = 'tree' | 'vector';

/** The ID of the current revision in a `changes` row, and the `rev` property of the message that follows. */
export function offeredId(state: DocumentState, kind: RevisionKind): string {
  return kind === 'tree' ? state.rev : currentVersionOf(state.vector);
}

export interface TreeHistoryOptions {
  /** `maxHistory` of the client's reply. */
  readonly maxHistory: number;
  /** Revisions that the client listed for the row: it has them. */
  readonly listed: readonly string[];
}

/**
 * The `history` property for a rev-tree client: ancestors newest first, no gaps, reaching the nearest revision it
 * listed, else at most `maxHistory` (docs/protocol/replication.md#rev).
 * @param rev the revision being sent, by default the current one
 */
export function treeHistory(state: DocumentState, options: TreeHistoryOptions, rev: string = state.rev): string {
  return historyOf(state.tree, rev, { max: options.maxHistory, stopAt: options.listed }).join(',');
}

export interface VectorHistoryOptions {
  /** Revisions that the client listed for the row. */
  readonly listed: readonly string[];
  /** The newest legacy ID the client is known to keep for the document from earlier rows, if any. */
  readonly legacyHead?: string;
  /** For a server as receiver: merge versions stay merge versions. */
  readonly keepMerge?: boolean;
}

/** The legacy ID in what a versioned client listed: worth remembering, it must be sent with every later update. */
export function listedLegacy(listed: readonly string[]): string | undefined {
  return listed.find((id) => isTreeRevId(id));
}

/**
 * The `history` property for a versioned client: the rest of the vector and, if the client keeps a legacy ID for the
 * document, that ID and its ancestors (docs/protocol/revisions.md#sending-to-version-vector-clients). The list starts
 * with the very ID the client has, because the client compares the heads.
 *
 * Couchbase Lite 4.0.0–4.0.2 refuses for good ("Invalid version string") what has merge versions and previous ones, so
 * clients get both as previous ones.
 */
export function vectorHistory(state: DocumentState, options: VectorHistoryOptions): string {
  const { listed, legacyHead, keepMerge = false } = options;
  const rest = historyForRev(keepMerge ? state.vector : foldMerge(state.vector));
  const suffix = legacySuffix(state, listed, legacyHead);
  if (suffix.length === 0) return rest;
  if (rest === '') return suffix.join(', ');
  return `${rest}${rest.endsWith(';') ? ' ' : ', '}${suffix.join(', ')}`;
}

function legacySuffix(state: DocumentState, listed: readonly string[], remembered: string | undefined): string[] {
  const head = listedLegacy(listed) ?? (listed.length > 0 ? remembered : undefined);
  if (head === undefined) return [];
  if (treeHas(state.tree, head)) return [head, ...historyOf(state.tree, head, { max: Infinity })];
  // A legacy ID we do not have, next to a version: the vectors decide, provided that the heads are equal.
  return listed.some(isVersion) || remembered === head ? [head] : [];
}
