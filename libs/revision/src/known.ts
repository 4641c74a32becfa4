import type { DocumentState } from './incoming.js';
import { isTreeRevId, isVersion } from './rev-id.js';
import { RevTree } from './rev-tree.js';
import { isLinear, treeHas, currentPath } from './rev-tree-text.js';
import { isLegacyVersion, isVersionSyntax, legacyVersionOf, versionSource } from './version.js';
import { currentVersionOf, parseVector, timeOfSource, vectorIncludes } from './version-vector.js';

/**
 * The rev-tree ID in the tree that a legacy version stands for (docs/protocol/revisions.md#legacy-versions), if there
 * is one.
 */
export function findLegacy(tree: string, version: string): string | undefined {
  const revs = isLinear(tree) ? currentPath(tree) : RevTree.decode(tree).revs();
  for (const rev of revs) if (legacyVersionOf(rev) === version) return rev;
  return undefined;
}

/** Whether a version is part of what the document already went through. */
export function knowsVersion(state: DocumentState, version: string): boolean {
  if (vectorIncludes(state.vector, version)) return true;
  return isLegacyVersion(version) && findLegacy(state.tree, version) !== undefined;
}

/** Whether a revision offered by its ID, of either kind, is there already. Malformed IDs are not. */
export function isKnown(state: DocumentState | undefined, id: string): boolean {
  if (!state) return false;
  if (id === state.rev) return true;
  if (isVersion(id)) {
    const version = currentVersionOf(id);
    return isVersionSyntax(version) && knowsVersion(state, version);
  }
  return isTreeRevId(id) && treeHas(state.tree, id);
}

/**
 * The current revision's ID of the same kind as `like`: what a 409 names (docs/protocol/replication.md#proposechanges).
 */
export function currentIdLike(state: DocumentState, like: string): string {
  return isVersion(like) ? currentVersionOf(state.vector) : state.rev;
}

/**
 * Whether the edit was made on our current revision though its vector does not say so: the sender knew that revision
 * by its rev-tree ID, as a legacy ID or encoded as a version (docs/protocol/revisions.md#legacy-versions).
 */
export function descendsByLegacy(state: DocumentState, vector: string, legacy: readonly string[]): boolean {
  if (legacy.includes(state.rev)) return true;
  return vectorIncludesExactly(vector, legacyVersionOf(state.rev));
}

function vectorIncludesExactly(vector: string, version: string): boolean {
  if (!vector.includes(version)) return false;
  const { mv, pv } = parseVector(vector);
  return mv.includes(version) || pv.includes(version);
}

/**
 * Whether a live revision that meets a tombstone is a new document rather than an edit of the deleted one: nothing it
 * descends from is known here (rule 3 of docs/protocol/revisions.md#no-conflicts-mode, carried over to vectors).
 */
export function isNewLife(state: DocumentState, vector: string, legacy: readonly string[]): boolean {
  if (!state.deleted || legacy.some((rev) => treeHas(state.tree, rev))) return false;
  const { cv, mv, pv } = parseVector(vector);
  // The current version too: an edit by a source that edited here before says no more of its own earlier version.
  return [cv, ...mv, ...pv].every((version) => timeOfSource(state.vector, versionSource(version)) === '');
}
