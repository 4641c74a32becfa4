import type { DocumentState } from './incoming.js';
import { winnerOf, winnerIsDeleted } from './rev-tree-text.js';
import { editVector } from './version-vector.js';

/** Where the body of the current revision comes from after a write. */
export type Content =
  /** The revision that arrived. */
  | 'incoming'
  /** The revision that was current before. */
  | 'current'
  /** Another leaf of the tree, stored earlier under the ID `rev`. */
  | 'branch';

export interface Stored extends DocumentState {
  readonly status: 'stored';
  /**
   * The rev-tree ID under which the arrived revision is filed; differs from `rev` if it did not become current. A version
   * that lost is not filed: it keeps its own ID.
   */
  readonly filedAs: string;
  readonly content: Content;
  /** Set if a conflict was resolved: whose content won. */
  readonly resolved?: 'local' | 'remote';
}

export type Integration =
  | Stored
  /** It is part of the history already: nothing changes. */
  | { readonly status: 'known' }
  /** It does not build on the current revision: nothing changes. */
  | { readonly status: 'conflict' };

export interface Minting {
  /** A new version of this database, later than every one before. Called only if a version is needed. */
  readonly mintVersion: () => string;
  /**
   * The rev-tree ID of a child of `parent` (undefined: a first revision) with the content that arrived or, in conflict
   * resolution, with the content that was current. Called only if an ID is needed.
   */
  readonly mintTreeRev: (parent: string | undefined, content: 'incoming' | 'current') => string;
  /** Generations to keep, default {@link DEFAULT_TREE_DEPTH}. */
  readonly depth?: number;
}

/**
 * The treatment of a revision that does not build on the current one. `refuse`: nothing. `branch`: a rev-tree revision is
 * stored beside it and the winner chosen by rule; a vector has no branches, so it is resolved. `resolve`: one side wins
 * by docs/protocol/edge-server.md#conflicts.
 */
export type OnConflict = 'refuse' | 'branch' | 'resolve';

export interface IntegrateOptions extends Minting {
  readonly onConflict: OnConflict;
}

/** The outcome for a document that was not there. */
export function first(rev: string, tree: string, vector: string, deleted: boolean): Stored {
  return { status: 'stored', rev, tree, vector, deleted, filedAs: rev, content: 'incoming' };
}

/**
 * The outcome once the arrived revision is in the tree. Usually it is the winner; a tombstone may have let another
 * branch surface, and a branch may have been filed below the current revision.
 * @param vector the vector that came with the revision, joined with ours; undefined if it came with none
 */
export function settle(
  before: DocumentState,
  arrived: { readonly rev: string; readonly deleted: boolean },
  tree: string,
  vector: string | undefined,
  minting: Minting,
): Stored {
  const rev = winnerOf(tree);
  const filedAs = arrived.rev;
  if (rev === filedAs) {
    const after = vector ?? editVector(before.vector, minting.mintVersion());
    return { status: 'stored', rev, tree, vector: after, deleted: arrived.deleted, filedAs, content: 'incoming' };
  }
  if (rev === before.rev) {
    return { status: 'stored', rev, tree, vector: before.vector, deleted: before.deleted, filedAs, content: 'current' };
  }
  // For versioned clients the surfacing branch is an edit made by this database.
  const after = editVector(vector ?? before.vector, minting.mintVersion());
  return { status: 'stored', rev, tree, vector: after, deleted: winnerIsDeleted(tree), filedAs, content: 'branch' };
}
