import {
  currentVersionOf,
  currentIdLike,
  isKnown,
  isVersion,
  proposeVerdict,
  type RevisionKind,
} from '@edgesync/revision';
import { type ChangeRowIn, type Proposal, type ProposalAnswer, type WantedRow } from '@edgesync/sync-protocol';
import { checkDocId } from '@edgesync/document';
import type { StoredRevision } from '@edgesync/ports';
import type { CollectionLink } from './peer-link.js';

/** Decides which of the offered revisions are wanted, with one read for a whole list. */
export class RevFinder {
  constructor(private readonly collection: CollectionLink) {}

  /** Answers `proposeChanges` (docs/protocol/replication.md#proposechanges). @throws EdgeError `storage.*` */
  async judge(rows: readonly Proposal[]): Promise<readonly ProposalAnswer[]> {
    const stored = await this.read(rows);
    return rows.map(({ id, rev, parent }, index) => {
      if (!isDocId(id)) return { status: 400 };
      const state = stored[index];
      const status = proposeVerdict(state, rev, parent);
      return status === 409 ? { status, rev: currentIdLike(state!, rev) } : { status };
    });
  }

  /**
   * Answers `changes`: rows that are news, each with what we hold of the document, newest first, as bases for deltas.
   * @throws EdgeError `storage.*`
   */
  async find(rows: readonly ChangeRowIn[]): Promise<readonly WantedRow[]> {
    const stored = await this.read(rows);
    return rows.map(({ id, rev, revoked }, index) => {
      const state = stored[index];
      if (revoked || !isDocId(id) || isKnown(state, rev)) return undefined;
      return state ? held(state, isVersion(rev) ? 'vector' : 'tree') : [];
    });
  }

  private read(rows: readonly { readonly id: string }[]): Promise<readonly (StoredRevision | undefined)[]> {
    const { link, keyspace } = this.collection;
    const ids = rows.map(({ id }) => id);
    return link.context.storage.read(keyspace, ids, { body: false });
  }
}

function held(state: StoredRevision, kind: RevisionKind): readonly string[] {
  return [kind === 'tree' ? state.rev : currentVersionOf(state.vector)];
}

function isDocId(id: string): boolean {
  try {
    checkDocId(id);
    return true;
  } catch {
    return false;
  }
}
