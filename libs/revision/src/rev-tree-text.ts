import { generationOf } from './rev-id.js';
import { RevTree } from './rev-tree.js';

// What nearly every write and read does to a tree, done on its text: no tree is built for a document without branches.

const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const DELETED_MARK = 0x21;
const CLOSED_MARK = 0x23;

function startsItem(code: number): boolean {
  return code === COMMA || code === SEMICOLON;
}

function endsItem(code: number): boolean {
  return startsItem(code) || code === DELETED_MARK || code === CLOSED_MARK || Number.isNaN(code);
}

/** Whether the tree has no branches. */
export function isLinear(tree: string): boolean {
  return !tree.includes(';');
}

/** Whether a rev-tree ID is in the tree. `rev` must be one well-formed ID. */
export function treeHas(tree: string, rev: string): boolean {
  // Found everywhere, and never again further on.
  if (rev === '') return false;
  for (let at = tree.indexOf(rev); at !== -1; at = tree.indexOf(rev, at + 1)) {
    if ((at === 0 || startsItem(tree.charCodeAt(at - 1))) && endsItem(tree.charCodeAt(at + rev.length))) return true;
  }
  return false;
}

/** The current revision: the first ID of the text. */
export function winnerOf(tree: string): string {
  let end = 0;
  while (end < tree.length && !endsItem(tree.charCodeAt(end))) end++;
  return tree.slice(0, end);
}

/** Whether the current revision is a tombstone. */
export function winnerIsDeleted(tree: string): boolean {
  return tree.charCodeAt(winnerOf(tree).length) === DELETED_MARK;
}

/** The tree of a document's first revision; `history` newest first, without `rev`, contiguous. */
export function newTree(rev: string, history: readonly string[], deleted: boolean, depth: number): string {
  const tree = deleted ? `${rev}!` : rev;
  return history.length === 0 ? tree : [tree, ...history.slice(0, depth - 1)].join(',');
}

/** The tree after a child of the current revision; the child becomes current unless a live branch outranks it. */
export function appendChild(tree: string, rev: string, deleted: boolean, depth: number): string {
  if (isLinear(tree)) return pruneLinear(`${rev}${deleted ? '!,' : ','}${tree}`, depth);
  const decoded = RevTree.decode(tree);
  decoded.insert([rev, decoded.winner() as string], deleted);
  decoded.prune(depth);
  return decoded.encode();
}

function pruneLinear(tree: string, depth: number): string {
  // Generations are contiguous, so those of both ends give the length.
  let cut = tree.length;
  const newest = generationOf(tree);
  for (;;) {
    const comma = tree.lastIndexOf(',', cut - 1);
    if (comma === -1 || newest - generationOf(tree.slice(comma + 1, cut)) < depth) return tree.slice(0, cut);
    cut = comma;
  }
}

/** The current revision and its ancestors, newest first. */
export function currentPath(tree: string): string[] {
  const end = tree.indexOf(';');
  const path = (end === -1 ? tree : tree.slice(0, end)).split(',');
  return path.map((item) => {
    let length = item.length;
    while (length > 0 && (item.charCodeAt(length - 1) === DELETED_MARK || item.charCodeAt(length - 1) === CLOSED_MARK))
      length--;
    return length === item.length ? item : item.slice(0, length);
  });
}

export interface HistoryOptions {
  /** How many ancestors at most, unless a stop lies deeper. */
  readonly max: number;
  /** IDs the receiver has: the history ends with the first of them. */
  readonly stopAt?: readonly string[];
}

/**
 * Ancestors of `rev`, newest first, without gaps (docs/protocol/replication.md#rev): up to and including the nearest
 * that the receiver has, even beyond `max`, for without it the receiver could not connect the revision; else at most
 * `max`.
 */
export function historyOf(tree: string, rev: string, { max, stopAt = [] }: HistoryOptions): string[] {
  const path = currentPath(tree);
  const ancestors = path[0] === rev ? path.slice(1) : RevTree.decode(tree).ancestors(rev);
  if (stopAt.length > 0) {
    const stop = ancestors.findIndex((ancestor) => stopAt.includes(ancestor));
    if (stop !== -1) return ancestors.slice(0, stop + 1);
  }
  return ancestors.slice(0, max);
}
