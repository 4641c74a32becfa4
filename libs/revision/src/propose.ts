import { isEdgeError } from '@edgesync/errors';
import type { DocumentState } from './incoming.js';
import { descendsByLegacy, isNewLife, knowsVersion } from './known.js';
import { isTreeRevId, isVersion } from './rev-id.js';
import { treeHas } from './rev-tree-text.js';
import { isLegacyVersion, isVersionSyntax, legacyVersionOf } from './version.js';
import { compareVectors, currentVersionOf, parseVector } from './version-vector.js';

/** 0: send it; 304: it is here; 409: it does not build on the current revision; 400: no peer can mean that. */
export type ProposalVerdict = 0 | 304 | 400 | 409;

/**
 * Answers one row of `proposeChanges` (docs/protocol/replication.md#proposechanges), by the kind of each ID
 * (docs/protocol/replication.md#differences-by-sub-protocol). A 409 makes the pusher drop its edit until it has pulled
 * ours (docs/protocol/replication.md#what-409-does), so it is given only if the edit provably does not build on the
 * current revision; a 304 only if the revision is part of our history.
 * @param proposed a rev-tree ID, a version, or a whole vector (docs/protocol/replication.md#proposechanges)
 * @param parent the last revision the pusher knows we had, of either kind; '' if it knows none
 * (docs/protocol/replication.md#after-a-lost-checkpoint)
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
  const version = currentVersionOf(proposed);
  if (!isVersionSyntax(version)) return 400;
  if (!state) return 0;
  const { vector, legacy } = readProposal(proposed, version);
  const relation = compareVectors(state.vector, vector);
  if (relation === 'same') return 304;
  // Before "older": an edit on top of our current revision is news even if its own version was seen and superseded.
  if (relation === 'newer') return 0;
  if (isLegacyVersion(version) && knowsVersion(state, version)) return 304;
  if (isCurrent(state, parent)) return 0;
  if (relation === 'older') return 304;
  if (descendsByLegacy(state, vector, legacy)) return 0;
  return parent === '' && isNewLife(state, vector, legacy) ? 0 : 409;
}

/** The vector of a proposal; of one whose tail makes no sense, its current version, the part that was asked about. */
function readProposal(proposed: string, version: string): { vector: string; legacy: readonly string[] } {
  if (proposed === version) return { vector: version, legacy: [] };
  try {
    return { vector: proposed, legacy: parseVector(proposed).legacy };
  } catch (error) {
    if (isEdgeError(error)) return { vector: version, legacy: [] };
    throw error;
  }
}

/** Whether an ID of either kind names the current revision. */
export function isCurrent(state: DocumentState, id: string): boolean {
  if (id === '') return false;
  if (!isVersion(id)) return id === state.rev;
  const version = currentVersionOf(id);
  return version === currentVersionOf(state.vector) || version === legacyVersionOf(state.rev);
}
