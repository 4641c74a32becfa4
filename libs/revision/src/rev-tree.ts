import { EdgeError } from '@edgesync/errors';
import { compareRevIds, generationOf } from './rev-id.js';

/**
 * How many generations of a document are remembered. 50 is what Couchbase Lite 3.1+ and Sync Gateway keep and send at
 * most, so a deeper tree could not recognise more; each costs 43 bytes of the document's row.
 */
export const DEFAULT_TREE_DEPTH = 50;

interface TreeNode {
  readonly rev: string;
  parent: string | undefined;
  deleted: boolean;
  closed: boolean;
}

/** Marks after an ID in the text form. */
const DELETED_MARK = '!';
const CLOSED_MARK = '#';

/**
 * The rev tree of one document.
 *
 * Text form: branches separated by `;`, the winner's first, each newest first with `,` between the IDs and ending at a
 * root or at an ID an earlier branch has. `!` after an ID marks a tombstone, `#` a branch closed by conflict resolution.
 * A document without branches is simply `3-c,2-b,1-a`.
 */
export class RevTree {
  readonly #nodes = new Map<string, TreeNode>();
  /** IDs that have children. */
  readonly #parents = new Set<string>();

  /** @throws EdgeError `storage.corrupt` if the text is not what {@link encode} writes */
  static decode(text: string): RevTree {
    const tree = new RevTree();
    if (text === '') return tree;
    for (const branch of text.split(';')) {
      let child: TreeNode | undefined;
      for (const item of branch.split(',')) {
        const closed = item.endsWith(CLOSED_MARK);
        const deleted = item.endsWith(DELETED_MARK, closed ? item.length - 1 : item.length);
        const rev = item.slice(0, item.length - Number(closed) - Number(deleted));
        const known = tree.#nodes.get(rev);
        if (rev === '' || (known && !child)) throw new EdgeError('storage.corrupt', 'a stored rev tree is damaged');
        if (child) {
          child.parent = rev;
          tree.#parents.add(rev);
        }
        if (known) break;
        child = { rev, parent: undefined, deleted, closed };
        tree.#nodes.set(rev, child);
      }
    }
    return tree;
  }

  encode(): string {
    const written = new Set<string>();
    return this.leaves()
      .map((leaf) => {
        const branch: string[] = [];
        for (let node = this.#nodes.get(leaf); node; node = node.parent ? this.#nodes.get(node.parent) : undefined) {
          if (written.has(node.rev)) {
            branch.push(node.rev);
            break;
          }
          written.add(node.rev);
          branch.push(node.rev + (node.deleted ? DELETED_MARK : '') + (node.closed ? CLOSED_MARK : ''));
        }
        return branch.join(',');
      })
      .join(';');
  }

  has(rev: string): boolean {
    return this.#nodes.has(rev);
  }

  /** Every ID, in no order that matters. */
  revs(): Iterable<string> {
    return this.#nodes.keys();
  }

  isLeaf(rev: string): boolean {
    return this.#nodes.has(rev) && !this.#parents.has(rev);
  }

  isDeleted(rev: string): boolean {
    return this.#nodes.get(rev)?.deleted ?? false;
  }

  isClosed(rev: string): boolean {
    return this.#nodes.get(rev)?.closed ?? false;
  }

  parentOf(rev: string): string | undefined {
    return this.#nodes.get(rev)?.parent;
  }

  /**
   * Leaves, winner first: open before closed, live before deleted, then the higher ID
   * (docs/protocol/revisions.md#trees).
   */
  leaves(): string[] {
    const leaves = [...this.#nodes.values()].filter(({ rev }) => !this.#parents.has(rev));
    return leaves.sort(rankLeaves).map(({ rev }) => rev);
  }

  /** The revision that is the document's current one; undefined in an empty tree. */
  winner(): string | undefined {
    let winner: TreeNode | undefined;
    for (const node of this.#nodes.values()) {
      if (!this.#parents.has(node.rev) && (!winner || rankLeaves(node, winner) < 0)) winner = node;
    }
    return winner?.rev;
  }

  /** Whether `ancestor` is `rev` or lies on its way to the root. */
  isDescendant(rev: string, ancestor: string): boolean {
    for (let at: string | undefined = rev; at !== undefined; at = this.parentOf(at)) if (at === ancestor) return true;
    return false;
  }

  /** Ancestors of `rev`, newest first, up to the root. */
  ancestors(rev: string): string[] {
    const ancestors: string[] = [];
    for (let at = this.parentOf(rev); at !== undefined; at = this.parentOf(at)) ancestors.push(at);
    return ancestors;
  }

  /**
   * Adds a revision with its history, newest first, the revision itself at the head, contiguous as deep as a tree is
   * kept: what lies beyond a deeper gap only shows where the revision belongs, and goes when pruned. Known ancestors
   * end the walk; if none is known a new root starts. Adding what is known changes nothing.
   * @returns whether the revision was new
   * @throws EdgeError `rev.invalid` for a gap in the generations
   */
  insert(history: readonly string[], deleted: boolean): boolean {
    const [head] = history;
    if (head === undefined) throw new EdgeError('rev.invalid', 'a revision needs an ID');
    if (this.#nodes.has(head)) return false;
    checkContiguous(history);
    let child: TreeNode | undefined;
    for (const rev of history) {
      const known = this.#nodes.get(rev);
      if (child) {
        child.parent = rev;
        this.#parents.add(rev);
      }
      if (known) {
        // A closed branch that goes on is an ordinary branch again.
        known.closed = false;
        break;
      }
      child = { rev, parent: undefined, deleted: child === undefined && deleted, closed: false };
      this.#nodes.set(rev, child);
    }
    return true;
  }

  /** Closes every branch but the one of leaf `kept`: conflict resolution has decided against them. */
  closeOthers(kept: string): void {
    for (const leaf of this.leaves()) this.#node(leaf).closed = leaf !== kept;
  }

  /**
   * Forgets what lies `depth` or more generations above every leaf, and deleted or closed branches that the winner has
   * left as far behind. The winner and the leaves of live branches stay.
   */
  prune(depth: number): void {
    const winner = this.winner();
    if (winner === undefined) return;
    const horizon = generationOf(winner) - depth;
    const kept = new Set<string>();
    for (const leaf of this.leaves()) {
      const node = this.#node(leaf);
      if (leaf !== winner && (node.deleted || node.closed) && generationOf(leaf) <= horizon) continue;
      let at: string | undefined = leaf;
      const oldest = generationOf(leaf) - depth;
      for (; at !== undefined && generationOf(at) > oldest; at = this.parentOf(at)) kept.add(at);
    }
    for (const rev of this.#nodes.keys()) if (!kept.has(rev)) this.#nodes.delete(rev);
    this.#parents.clear();
    for (const node of this.#nodes.values()) {
      if (node.parent !== undefined && !this.#nodes.has(node.parent)) node.parent = undefined;
      if (node.parent !== undefined) this.#parents.add(node.parent);
    }
  }

  #node(rev: string): TreeNode {
    const node = this.#nodes.get(rev);
    if (!node) throw new EdgeError('internal', `revision ${rev} is not in the tree`);
    return node;
  }
}

/** Better leaf first. */
function rankLeaves(left: TreeNode, right: TreeNode): number {
  if (left.closed !== right.closed) return left.closed ? 1 : -1;
  if (left.deleted !== right.deleted) return left.deleted ? 1 : -1;
  return compareRevIds(right.rev, left.rev);
}

/**
 * Generations go down by one (docs/protocol/replication.md#rules-for-a-sender); deeper than any tree is kept they need
 * only go down.
 * @throws EdgeError `rev.invalid` if they do not
 */
export function checkContiguous(history: readonly string[]): void {
  for (let at = 1; at < history.length; at++) {
    const step = generationOf(history[at - 1] as string) - generationOf(history[at] as string);
    if (step !== 1 && (step < 1 || at < DEFAULT_TREE_DEPTH)) {
      throw new EdgeError('rev.invalid', 'the revision history is not sequential');
    }
  }
}
