import { hash } from 'node:crypto';
import { BundleError, type BundleDocument } from '@edgesync/cblite';
import { checkDocId, findBlobs } from '@edgesync/document';
import { isEdgeError } from '@edgesync/errors';
import { DEFAULT_TREE_DEPTH, generationOf, isTreeRevId, legacyVersionOf, mintRevId, RevTree } from '@edgesync/revision';

/** A document of a bundle in the columns of ours. */
export interface ImportedDocument {
  readonly rev: string;
  readonly vector: string;
  readonly tree: string;
  readonly deleted: boolean;
  readonly body: string;
  /** Digests that the current body refers to. */
  readonly blobs: readonly string[];
  /** Leaves that are not current, with the bodies that the bundle has. */
  readonly leaves: readonly ImportedLeaf[];
  /** Conflicting revisions that cannot be kept, because only a version names them. */
  readonly lostConflicts: number;
}

export interface ImportedLeaf {
  readonly rev: string;
  readonly deleted: boolean;
  readonly body: string;
  readonly blobs: readonly string[];
}

/** Metadata that no client may have stored as a property. */
const METADATA = /^\{"(?:_id|_rev|_deleted)":|,"(?:_id|_rev|_deleted)":/;

/**
 * Gives a document both of its names. A rev-tree ID is kept as it is, and its version is the one by which clients of
 * the vector generation know it; a version is kept too, and its rev-tree ID is minted as for any revision of theirs.
 * @throws BundleError if the document has no equal here
 */
export function importDocument(id: string, document: BundleDocument): ImportedDocument {
  checkId(id);
  const { body, deleted } = document;
  if (METADATA.test(body) && hasMetadata(body))
    throw new BundleError('unsupported', 'its body has a property that is reserved for metadata');
  const named = document.vector === undefined ? fromTree(document) : fromVector(document, document.vector);
  return {
    ...named,
    deleted,
    body,
    blobs: digestsIn(body),
    lostConflicts: document.conflictingVersions.length,
  };
}

function fromTree({ revisions, deleted, branches }: BundleDocument) {
  const rev = revisions[0]!;
  const own = contiguous(revisions);
  const vector = legacyVersionOf(rev);
  if (branches.length === 0) return { rev, vector, tree: treeText(own, deleted), leaves: [] };
  const tree = new RevTree();
  tree.insert(own, deleted);
  for (const branch of branches) tree.insert(contiguous(branch.revisions), branch.deleted);
  // Here the higher revision wins a conflict. The app's current revision stays current: a branch that would win is closed.
  if (tree.winner() !== rev || branches.every(({ closed }) => closed)) tree.closeOthers(rev);
  tree.prune(DEFAULT_TREE_DEPTH);
  const kept = new Set(tree.leaves());
  const leaves = branches
    .filter((branch) => kept.has(branch.revisions[0]!))
    .map((branch) => ({
      rev: branch.revisions[0]!,
      deleted: branch.deleted,
      body: branch.body ?? '{}',
      blobs: digestsIn(branch.body ?? '{}'),
    }));
  return { rev, vector, tree: tree.encode(), leaves };
}

function fromVector({ revisions: [legacy], deleted, body }: BundleDocument, vector: string) {
  if (legacy !== undefined) checkRev(legacy);
  const rev = mintRevId({
    parent: legacy,
    deleted,
    canonicalBody: body,
    sha1: (text) => hash('sha1', text),
  });
  return { rev, vector, tree: treeText(legacy === undefined ? [rev] : [rev, legacy], deleted), leaves: [] };
}

const treeText = ([head, ...ancestors]: readonly string[], deleted: boolean): string =>
  [`${head}${deleted ? '!' : ''}`, ...ancestors].join();

/** The revisions before the first gap, as deep as trees are kept: pruning leaves gaps in the trees of bundles. */
function contiguous(revisions: readonly string[]): string[] {
  const kept: string[] = [];
  for (const rev of revisions) {
    checkRev(rev);
    const last = kept.at(-1);
    if (last !== undefined && generationOf(last) - generationOf(rev) !== 1) break;
    kept.push(rev);
    if (kept.length === DEFAULT_TREE_DEPTH) break;
  }
  return kept;
}

function checkId(id: string): void {
  try {
    checkDocId(id);
  } catch (error) {
    if (isEdgeError(error)) throw new BundleError('unsupported', error.message, { cause: error });
    throw error;
  }
}

function checkRev(rev: string): void {
  if (!isTreeRevId(rev)) throw new BundleError('unsupported', `its revision ID ${rev} is longer than clients accept`);
}

function hasMetadata(body: string): boolean {
  const keys = Object.keys(JSON.parse(body) as object);
  return keys.some((key) => key === '_id' || key === '_rev' || key === '_deleted');
}

const digestsIn = (body: string): readonly string[] => [...new Set(findBlobs(body).map(({ digest }) => digest))];
