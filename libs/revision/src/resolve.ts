import type { DocumentState, IncomingTree, IncomingVector } from './incoming.js';
import { settle, type IntegrateOptions, type Stored } from './outcome.js';
import { compareRevIds } from './rev-id.js';
import { DEFAULT_TREE_DEPTH, RevTree } from './rev-tree.js';
import { appendChild } from './rev-tree-text.js';
import { compareVersionsByTime } from './version.js';
import { currentVersionOf, resolveToWinner } from './version-vector.js';

/** One side of a conflict: its ID and whether it is a tombstone. */
export interface Side {
  readonly id: string;
  readonly deleted: boolean;
}

/**
 * The winner of a conflict between two rev-tree revisions (docs/protocol/edge-server.md#conflicts): a deletion beats a
 * live revision, then the higher generation, then the greater ID. Both peers of a pair decide alike.
 */
export function decideTreeConflict(local: Side, remote: Side): 'local' | 'remote' {
  if (local.deleted !== remote.deleted) return local.deleted ? 'local' : 'remote';
  return compareRevIds(local.id, remote.id) >= 0 ? 'local' : 'remote';
}

/**
 * The winner between two versions (docs/protocol/revisions.md#changing-vectors): the last write by the time of the
 * version, tombstones too; a tie goes to the greater source.
 */
export function decideVersionConflict(localVersion: string, remoteVersion: string): 'local' | 'remote' {
  return compareVersionsByTime(localVersion, remoteVersion) >= 0 ? 'local' : 'remote';
}

/**
 * Resolves a conflict with a rev-tree revision. The remote branch stays and the local one is closed, as Couchbase Lite
 * does it: if the local content wins it goes on as a child of the remote revision, so that it can be pushed back.
 */
export function resolveTree(state: DocumentState, incoming: IncomingTree, options: IntegrateOptions): Stored {
  const { rev, history, deleted } = incoming;
  const depth = options.depth ?? DEFAULT_TREE_DEPTH;
  const tree = RevTree.decode(state.tree);
  const unrelated = !history.some((ancestor) => tree.has(ancestor));
  tree.insert([rev, ...history], deleted);
  if (unrelated && deleted && !state.deleted) {
    tree.closeOthers(state.rev);
    tree.prune(depth);
    return { ...settle(state, incoming, tree.encode(), undefined, options), resolved: 'local' };
  }
  const resolved = decideTreeConflict({ id: state.rev, deleted: state.deleted }, { id: rev, deleted });
  let current = rev;
  if (resolved === 'local') {
    current = options.mintTreeRev(rev, 'current');
    tree.insert([current, rev], state.deleted);
  }
  tree.closeOthers(current);
  tree.prune(depth);
  const text = tree.encode();
  if (resolved === 'remote') return { ...settle(state, incoming, text, undefined, options), resolved };
  return {
    status: 'stored',
    rev: current,
    tree: text,
    // The content is unchanged, and so is its version.
    vector: state.vector,
    deleted: state.deleted,
    filedAs: rev,
    content: 'current',
    resolved,
  };
}

/**
 * Resolves a conflict with a version: the winner's version stays and covers the loser's
 * (docs/protocol/revisions.md#changing-vectors). For rev-tree clients a remote winner is a child of the current
 * revision, a local winner no change at all.
 */
export function resolveVector(state: DocumentState, incoming: IncomingVector, options: IntegrateOptions): Stored {
  const { vector, deleted } = incoming;
  const resolved = decideVersionConflict(currentVersionOf(state.vector), currentVersionOf(vector));
  if (resolved === 'local') {
    const { rev, tree } = state;
    const joined = resolveToWinner(state.vector, vector);
    return {
      status: 'stored',
      rev,
      tree,
      vector: joined,
      deleted: state.deleted,
      filedAs: currentVersionOf(vector),
      content: 'current',
      resolved,
    };
  }
  const rev = options.mintTreeRev(state.rev, 'incoming');
  const tree = appendChild(state.tree, rev, deleted, options.depth ?? DEFAULT_TREE_DEPTH);
  return { ...settle(state, { rev, deleted }, tree, resolveToWinner(vector, state.vector), options), resolved };
}
