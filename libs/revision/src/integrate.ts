import type { DocumentState, Incoming, IncomingTree, IncomingVector } from './incoming.js';
import { descendsByLegacy, isNewLife, knowsVersion } from './known.js';
import { first, settle, type IntegrateOptions, type Integration, type Minting, type Stored } from './outcome.js';
import { resolveTree, resolveVector } from './resolve.js';
import { generationOf, isTreeRevId } from './rev-id.js';
import { DEFAULT_TREE_DEPTH, RevTree } from './rev-tree.js';
import { appendChild, newTree, treeHas } from './rev-tree-text.js';
import { isLegacyVersion } from './version.js';
import { compareVectors, currentVersionOf, resolveToWinner } from './version-vector.js';

/**
 * Decides what becomes of a document when a revision made elsewhere arrives, and computes the half of its identity that
 * the sender does not have: a version for a rev-tree ID, a rev-tree ID for a version (design rule 8).
 * @throws EdgeError `rev.invalid` for a history with gaps
 */
export function integrate(
  state: DocumentState | undefined,
  incoming: Incoming,
  options: IntegrateOptions,
): Integration {
  return incoming.kind === 'tree' ? integrateTree(state, incoming, options) : integrateVector(state, incoming, options);
}

/** A change made here on the current revision; of a missing document or a tombstone it is the first or the next. */
export function localEdit(state: DocumentState | undefined, deleted: boolean, minting: Minting): Stored {
  const depth = minting.depth ?? DEFAULT_TREE_DEPTH;
  const rev = minting.mintTreeRev(state?.rev, 'incoming');
  if (!state) return first(rev, newTree(rev, [], deleted, depth), minting.mintVersion(), deleted);
  return settle(state, { rev, deleted }, appendChild(state.tree, rev, deleted, depth), undefined, minting);
}

function integrateTree(
  state: DocumentState | undefined,
  incoming: IncomingTree,
  options: IntegrateOptions,
): Integration {
  const { rev, history, deleted } = incoming;
  const depth = options.depth ?? DEFAULT_TREE_DEPTH;
  if (!state) return first(rev, newTree(rev, history, deleted, depth), options.mintVersion(), deleted);
  if (treeHas(state.tree, rev)) return { status: 'known' };
  if (history[0] === state.rev && !incoming.closedBranch) {
    return settle(state, incoming, appendChild(state.tree, rev, deleted, depth), undefined, options);
  }

  const tree = RevTree.decode(state.tree);
  if (incoming.closedBranch && !closeBranch(tree, state, incoming.closedBranch)) return { status: 'conflict' };
  const connected = history.find((ancestor) => tree.has(ancestor));
  const legal = incoming.closedBranch !== undefined || isLegalPush(tree, state, connected, deleted);
  if (!legal && options.onConflict === 'refuse') return { status: 'conflict' };
  if (!legal && options.onConflict === 'resolve') return resolveTree(state, incoming, options);
  tree.insert([rev, ...history], deleted);
  // A new life over a tombstone: should it end too, its own tombstone is the current revision, not the old one.
  if (legal && connected === undefined && state.deleted) tree.closeOthers(rev);
  tree.prune(depth);
  return settle(state, incoming, tree.encode(), undefined, options);
}

/**
 * Rules 1 to 3 of docs/protocol/revisions.md#no-conflicts-mode. `connected` is the newest ancestor of the revision that
 * is in the tree.
 */
function isLegalPush(tree: RevTree, state: DocumentState, connected: string | undefined, deleted: boolean): boolean {
  if (connected === undefined) return state.deleted && !deleted;
  if (connected === state.rev) return true;
  return deleted && tree.isLeaf(connected) && !tree.isDeleted(connected) && !tree.isClosed(connected);
}

/** Adds the tombstone with which the sender closed our current branch; false if that is not our current one. */
function closeBranch(tree: RevTree, state: DocumentState, branch: readonly string[]): boolean {
  if (!branch.includes(state.rev)) return false;
  tree.insert(branch, true);
  return true;
}

function integrateVector(
  state: DocumentState | undefined,
  incoming: IncomingVector,
  options: IntegrateOptions,
): Integration {
  const { vector, deleted } = incoming;
  const legacy = usableLegacy(incoming.legacy);
  const depth = options.depth ?? DEFAULT_TREE_DEPTH;
  if (!state) {
    const rev = options.mintTreeRev(legacy[0], 'incoming');
    return first(rev, newTree(rev, legacy, deleted, depth), vector, deleted);
  }
  const relation = compareVectors(state.vector, vector);
  if (relation === 'same' || relation === 'older') return { status: 'known' };
  const version = currentVersionOf(vector);
  if (relation === 'conflict') {
    if (isLegacyVersion(version) && knowsVersion(state, version)) return { status: 'known' };
    // A pusher that never saw the document creates it again over our tombstone; between servers the last write wins.
    const creates = options.onConflict === 'refuse' && !deleted && isNewLife(state, vector, legacy);
    const descends = creates || descendsByLegacy(state, vector, legacy);
    if (!descends && options.onConflict === 'refuse') return { status: 'conflict' };
    if (!descends) return resolveVector(state, incoming, options);
  }
  // Whatever the vector says, rev-tree clients see a child of the current revision, or of the unknown edits on top of it.
  const parent = legacy.includes(state.rev) ? (legacy[0] as string) : state.rev;
  const rev = options.mintTreeRev(parent, 'incoming');
  const folded = resolveToWinner(vector, state.vector);
  if (parent === state.rev) {
    return settle(state, { rev, deleted }, appendChild(state.tree, rev, deleted, depth), folded, options);
  }
  const tree = RevTree.decode(state.tree);
  tree.insert([rev, ...legacy], deleted);
  tree.prune(depth);
  return settle(state, { rev, deleted }, tree.encode(), folded, options);
}

/** The head of a list of legacy IDs that is well formed and without gaps; the rest is not reliable. */
function usableLegacy(legacy: readonly string[]): readonly string[] {
  let length = 0;
  while (length < legacy.length && isTreeRevId(legacy[length] as string) && followsOn(legacy, length)) length++;
  return length === legacy.length ? legacy : legacy.slice(0, length);
}

function followsOn(legacy: readonly string[], at: number): boolean {
  return at === 0 || generationOf(legacy[at] as string) === generationOf(legacy[at - 1] as string) - 1;
}
