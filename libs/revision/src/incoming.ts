import { EdgeError } from '@edgesync/errors';
import { isTreeRevId, isVersion } from './rev-id.js';
import { bridgeGaps } from './rev-gaps.js';
import { checkContiguous } from './rev-tree.js';
import { vectorFromRev } from './version-vector.js';

/** The revision half of a document's state; every stored revision has both kinds of ID. */
export interface DocumentState {
  /** Current rev-tree ID. */
  readonly rev: string;
  /** The rev tree, in the text form of `RevTree`. */
  readonly tree: string;
  /** The version vector in wire form, without legacy IDs. */
  readonly vector: string;
  readonly deleted: boolean;
}

/** A revision made elsewhere, known by a rev-tree ID. */
export interface IncomingTree {
  readonly kind: 'tree';
  readonly rev: string;
  /** Ancestors, newest first, without `rev`, contiguous as deep as a tree is kept. */
  readonly history: readonly string[];
  readonly deleted: boolean;
  /**
   * A branch the sender closed: its tombstone first, then the ancestors (`deleted_branch`,
   * docs/protocol/replication.md#rev).
   */
  readonly closedBranch?: readonly string[];
}

/** A revision made elsewhere, known by a version. */
export interface IncomingVector {
  readonly kind: 'vector';
  /** Wire form, without legacy IDs. */
  readonly vector: string;
  /** Rev-tree IDs the document had at the sender before it got versions, newest first. */
  readonly legacy: readonly string[];
  readonly deleted: boolean;
}

export type Incoming = IncomingTree | IncomingVector;

export interface IncomingOptions {
  readonly deleted?: boolean;
  /** The `deleted_branch` property. */
  readonly closedBranch?: string;
}

/**
 * Reads the `rev` and `history` properties of a `rev` message. Which kind it is depends on the ID alone, never on the
 * connection (docs/protocol/replication.md#differences-by-sub-protocol).
 * @throws EdgeError `rev.invalid`, `version.invalid`
 */
export function parseIncoming(rev: string, history: string, options: IncomingOptions = {}): Incoming {
  const deleted = options.deleted ?? false;
  if (isVersion(rev)) return { kind: 'vector', ...vectorFromRev(rev, history), deleted };
  const ancestors = history === '' ? [] : parseRevList(history);
  if (!isTreeRevId(rev)) throw new EdgeError('rev.invalid', `invalid revision ID "${rev.slice(0, 80)}"`);
  const bridged = bridgeGaps(rev, ancestors);
  if (!options.closedBranch) return { kind: 'tree', rev, history: bridged, deleted };
  const closedBranch = parseRevList(options.closedBranch);
  checkContiguous(closedBranch);
  return { kind: 'tree', rev, history: bridged, deleted, closedBranch };
}

/** Comma-joined rev-tree IDs; spaces and empty elements are forgiven. */
function parseRevList(text: string): string[] {
  const revs = text
    .split(',')
    .map((rev) => rev.trim())
    .filter((rev) => rev !== '');
  const bad = revs.find((rev) => !isTreeRevId(rev));
  if (bad !== undefined) throw new EdgeError('rev.invalid', `invalid revision ID "${bad.slice(0, 80)}" in the history`);
  return revs;
}
