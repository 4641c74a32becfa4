import { BundleError, damaged } from './bundle-error.js';
import { FleeceReader, type SharedKeys } from './fleece-reader.js';
import { branchOf, readRevTree, type RawRevision } from './rev-tree-bytes.js';
import { isVector, readTreeRevId, readVector } from './revision-ids.js';

/** A row of a document table. */
export interface DocumentRow {
  readonly key: string;
  readonly sequence: number;
  /** As stored: a saved-again counter stands above bit 16. */
  readonly flags: number;
  readonly version: Uint8Array;
  readonly body: Uint8Array | null;
  readonly extra: Uint8Array | null;
}

export interface BundleContext {
  readonly sharedKeys: SharedKeys;
  /** The source ID of the bundle, in place of `*`. */
  readonly source: string;
}

/** A document as a bundle holds it, in the terms of the protocol. */
export interface BundleDocument {
  readonly deleted: boolean;
  /** Compact JSON object. */
  readonly body: string;
  /** Its rev-tree ID and the ancestors, newest first; empty if it never had any. */
  readonly revisions: readonly string[];
  /** Its version vector in wire form; undefined for a document that was only ever named by rev-tree IDs. */
  readonly vector: string | undefined;
  /** Branches that lost: each a rev-tree ID with its ancestors, newest first. Bodies are present where the bundle has them. */
  readonly branches: readonly BundleBranch[];
  /** Conflicting remote revisions named by versions, which have no tree to be kept in. */
  readonly conflictingVersions: readonly string[];
}

export interface BundleBranch {
  readonly revisions: readonly string[];
  readonly deleted: boolean;
  /** Resolved: a losing branch, not a conflict. */
  readonly closed: boolean;
  readonly body: string | undefined;
}

const FLAG_DELETED = 1;
const EMPTY = '{}';

/**
 * Reads a document's row. One file holds rows of three forms, because a row changes its form only when it is saved
 * again: trees of Couchbase Lite 2 in `body`, trees of 3 in `extra`, and vectors of 4.
 * @throws BundleError `damaged`, `unsupported`
 */
export function readDocument(row: DocumentRow, context: BundleContext): BundleDocument {
  const { version, extra } = row;
  if (version.length === 0) throw damaged('it has no revision');
  if (extra !== null && extra.length >= 4 && !startsWithZeros(extra) && !isVector(version))
    return fromTree(row, readRevTree(extra), row.body, context);
  if (extra === null && !isVector(version) && row.body !== null) {
    const tree = treeOfVersion2(row.body);
    if (tree) return fromTree(row, tree, tree[0]!.body ?? null, context);
  }
  return fromVersion(row, context);
}

function fromTree(
  row: DocumentRow,
  tree: readonly RawRevision[],
  body: Uint8Array | null,
  context: BundleContext,
): BundleDocument {
  const [current] = tree;
  if (current!.rev !== readTreeRevId(row.version)) throw damaged('its revision is not the first one of its tree');
  const branches = tree.flatMap((revision, index) =>
    index > 0 && revision.leaf
      ? [
          {
            revisions: branchOf(tree, index).map(({ rev }) => rev),
            deleted: revision.deleted,
            closed: revision.closed,
            body: revision.body && jsonOf(revision.body, context),
          },
        ]
      : [],
  );
  return {
    deleted: isDeleted(row),
    body: jsonOf(body, context),
    revisions: branchOf(tree, 0).map(({ rev }) => rev),
    vector: undefined,
    branches,
    conflictingVersions: [],
  };
}

function fromVersion(row: DocumentRow, context: BundleContext): BundleDocument {
  const { legacyRev, conflicts } = row.extra === null ? NOTHING_EXTRA : readExtra(row.extra, row.body, context);
  const named = isVector(row.version)
    ? { revisions: legacyRev === undefined ? [] : [legacyRev], vector: readVector(row.version, context.source) }
    : { revisions: [readTreeRevId(row.version)], vector: undefined };
  return {
    deleted: isDeleted(row),
    body: jsonOf(row.body, context),
    ...named,
    branches: conflicts.flatMap(({ rev, deleted, body }) =>
      rev.includes('@') ? [] : [{ revisions: [rev], deleted, closed: false, body }],
    ),
    conflictingVersions: conflicts.flatMap(({ rev }) => (rev.includes('@') ? [rev] : [])),
  };
}

interface RemoteRevision {
  readonly rev: string;
  readonly deleted: boolean;
  readonly body: string | undefined;
}

const NOTHING_EXTRA: { readonly legacyRev: undefined; readonly conflicts: readonly RemoteRevision[] } = {
  legacyRev: undefined,
  conflicts: [],
};
const REMOTE_DELETED = 1;
const REMOTE_CONFLICT = 2;

/** The `extra` column of a document with a vector: the revisions known of remotes, and the rev-tree ID it had before. */
function readExtra(extra: Uint8Array, body: Uint8Array | null, context: BundleContext) {
  const own = startsWithZeros(extra) ? extra.subarray(4) : extra;
  const before = body ?? new Uint8Array();
  const bytes = new Uint8Array(before.length + own.length);
  bytes.set(before);
  bytes.set(own, before.length);
  const reader = new FleeceReader(bytes, { sharedKeys: context.sharedKeys, start: before.length });
  const [local, ...remotes] = reader.items(reader.root());
  let legacyRev: string | undefined;
  if (local !== undefined && !reader.isNull(local)) {
    const legacy = reader.members(local).get('~');
    if (legacy !== undefined) legacyRev = readTreeRevId(reader.data(legacy));
  }
  const conflicts: RemoteRevision[] = [];
  for (const remote of remotes) {
    if (reader.isNull(remote)) continue;
    const members = reader.members(remote);
    const name = members.get('@');
    const flags = members.get('&');
    const remoteFlags = flags === undefined ? 0 : reader.integer(flags);
    if (name === undefined || (remoteFlags & REMOTE_CONFLICT) === 0) continue;
    const version = reader.data(name);
    const content = members.get('.');
    conflicts.push({
      rev: isVector(version) ? readVector(version, context.source) : readTreeRevId(version),
      deleted: (remoteFlags & REMOTE_DELETED) !== 0,
      body: content === undefined ? undefined : reader.json(content),
    });
  }
  return { legacyRev, conflicts };
}

/** A row of Couchbase Lite 2 holds the whole tree in its body; any other body is Fleece, which no tree looks like. */
function treeOfVersion2(body: Uint8Array): RawRevision[] | undefined {
  try {
    return readRevTree(body);
  } catch (error) {
    if (error instanceof BundleError) return undefined;
    throw error;
  }
}

function jsonOf(body: Uint8Array | null, { sharedKeys }: BundleContext): string {
  if (body === null || body.length === 0) return EMPTY;
  // Bodies inside a tree may lie at an odd address; a copy aligns them.
  const reader = new FleeceReader(body, { sharedKeys });
  const root = reader.root();
  if (reader.type(root) !== 'dict') throw damaged('its body is not an object');
  return reader.json(root);
}

const isDeleted = ({ flags }: DocumentRow): boolean => (flags & FLAG_DELETED) !== 0;

const startsWithZeros = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0;
