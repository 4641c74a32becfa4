import { isEdgeError } from '@edgesync/errors';
import type { DocumentState } from './incoming.js';
import { descendsByLegacy, isNewLife, knowsVersion } from './known.js';
import { isTreeRevId, isVersion } from './rev-id.js';
import { treeHas } from './rev-tree-text.js';
import { isLegacyVersion, legacyVersionOf } from './version.js';
import { compareVectors, currentVersionOf, parseVector, type VersionVector } from './version-vector.js';

/** 0: send it; 304: it is here; 409: it does not build on the current revision; 400: no peer can mean that. */
export type ProposalVerdict = 0 | 304 | 400 | 409;

/**
 * Answers one row of `proposeChanges` (wire C.9), by the kind of each ID (J.4 #47). A 409 makes the pusher drop its
 * edit until it has pulled ours (J.4 #31), so it is given only if the edit provably does not build on the current
 * revision; a 304 only if the revision is part of our history.
 * @param proposed a rev-tree ID, a version, or a whole vector (J.4 #33)
 * @param parent the last revision the pusher knows we had, of either kind; '' if it knows none (J.4 #56)
 */
export function proposeVerdict(state: DocumentState | undefined, proposed: string, parent: string): ProposalVerdict {
  if (isVersion(proposed)) return proposeVector(state, proposed, parent);
  if (!isTreeRevId(proposed)) return 400;
  if (!state) return 0;
  if (treeHas(state.tree, proposed)) return 304;
  if (isCurrent(state, parent)) return 0;
  return parent === '' && state.deleted ? 0 : 409;
}

function proposeVector(state: DocumentState | undefined, proposed: string, parent: string): ProposalVerdict {
  let vector: VersionVector;
  try {
    vector = parseVector(proposed);
  } catch (error) {
    if (isEdgeError(error)) return 400;
    throw error;
  }
  if (!state) return 0;
  const relation = compareVectors(state.vector, proposed);
  if (relation === 'same') return 304;
  // Before "older": an edit on top of our current revision is news even if its own version was seen and superseded.
  if (relation === 'newer') return 0;
  if (isLegacyVersion(vector.cv) && knowsVersion(state, vector.cv)) return 304;
  if (isCurrent(state, parent)) return 0;
  if (relation === 'older') return 304;
  if (descendsByLegacy(state, proposed, vector.legacy)) return 0;
  return parent === '' && isNewLife(state, proposed, vector.legacy) ? 0 : 409;
}

/** Whether an ID of either kind names the current revision. */
export function isCurrent(state: DocumentState, id: string): boolean {
  if (id === '') return false;
  if (!isVersion(id)) return id === state.rev;
  const version = currentVersionOf(id);
  return version === currentVersionOf(state.vector) || version === legacyVersionOf(state.rev);
}
