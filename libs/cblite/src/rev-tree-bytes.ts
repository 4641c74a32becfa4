import { damaged } from './bundle-error.js';
import { ByteReader } from './byte-reader.js';
import { readTreeRevId, writeTreeRevId } from './revision-ids.js';

export interface RawRevision {
  readonly rev: string;
  /** Index of the parent in the list; undefined for a root, or if the parent was pruned. */
  readonly parent: number | undefined;
  readonly deleted: boolean;
  readonly leaf: boolean;
  /** It came from a remote and conflicts; nobody has resolved that yet. */
  readonly conflict: boolean;
  /** A losing branch that was resolved. */
  readonly closed: boolean;
  /** Fleece, if the tree holds it. */
  readonly body: Uint8Array | undefined;
}

const DELETED = 0x01;
const LEAF = 0x02;
const HAS_BLOBS = 0x08;
const CONFLICT = 0x20;
const CLOSED = 0x40;
const HAS_BODY = 0x80;
const NO_PARENT = 0xffff;
/** A record's length, parent, flags and the length of its ID. */
const HEADER = 8;

/** The revisions of a raw rev tree, current one first. What follows the list (remotes) is checked and left out. */
export function readRevTree(bytes: Uint8Array): RawRevision[] {
  const reader = new ByteReader(bytes);
  const revisions: RawRevision[] = [];
  for (;;) {
    const start = reader.position;
    const size = reader.bigEndian(4);
    if (size === 0) break;
    if (size < HEADER || start + size > bytes.length) throw damaged('a revision tree is malformed');
    const parent = reader.bigEndian(2);
    const flags = reader.byte();
    const rev = readTreeRevId(reader.take(reader.byte()));
    reader.smallVarint();
    const rest = start + size - reader.position;
    if (rest < 0) throw damaged('a revision tree is malformed');
    const content = reader.take(rest);
    revisions.push({
      rev,
      parent: parent === NO_PARENT ? undefined : parent,
      deleted: (flags & DELETED) !== 0,
      leaf: (flags & LEAF) !== 0,
      conflict: (flags & CONFLICT) !== 0,
      closed: (flags & CLOSED) !== 0,
      body: (flags & HAS_BODY) === 0 ? undefined : content,
    });
  }
  if ((bytes.length - reader.position) % 4 !== 0) throw damaged('a revision tree has a malformed end');
  checkParents(revisions);
  return revisions;
}

/**
 * A tree without branches, current revision first. Its body is not part of it.
 * @param revisions rev-tree IDs, newest first
 */
export function writeRevTree(revisions: readonly string[], marks: { deleted: boolean; hasBlobs: boolean }): Uint8Array {
  const bytes: number[] = [];
  for (const [index, rev] of revisions.entries()) {
    const id = writeTreeRevId(rev);
    const size = HEADER + id.length + 1;
    const parent = index + 1 < revisions.length ? index + 1 : NO_PARENT;
    const flags = index === 0 ? LEAF | (marks.deleted ? DELETED : 0) | (marks.hasBlobs ? HAS_BLOBS : 0) : 0;
    bytes.push(0, 0, size >> 8, size & 0xff, parent >> 8, parent & 0xff, flags, id.length, ...id, 0);
  }
  return Uint8Array.from([...bytes, 0, 0, 0, 0]);
}

/** A revision's ancestors from itself to the oldest one there is. */
export function branchOf(revisions: readonly RawRevision[], index: number): RawRevision[] {
  const branch: RawRevision[] = [];
  for (let at: number | undefined = index; at !== undefined; at = revisions[at]!.parent) branch.push(revisions[at]!);
  return branch;
}

/** Parents exist and have lower generations, so every branch ends. */
function checkParents(revisions: readonly RawRevision[]): void {
  if (revisions.length === 0) throw damaged('a revision tree is empty');
  for (const { rev, parent } of revisions) {
    if (parent === undefined) continue;
    const above = revisions[parent];
    if (!above || generation(above.rev) >= generation(rev)) throw damaged('a revision has no possible parent');
  }
}

const generation = (rev: string): number => Number(rev.slice(0, rev.indexOf('-')));
