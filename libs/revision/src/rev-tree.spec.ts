import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { compareRevIds, generationOf } from './rev-id.js';
import { DEFAULT_TREE_DEPTH, RevTree } from './rev-tree.js';
import {
  appendChild,
  currentPath,
  historyOf,
  isLinear,
  newTree,
  treeHas,
  winnerIsDeleted,
  winnerOf,
} from './rev-tree-text.js';

interface Model {
  /** Of every revision its history, newest first, itself at the head. */
  readonly histories: readonly (readonly string[])[];
  readonly deleted: ReadonlySet<string>;
}

/** Random trees: each revision is the child of an earlier one or a root. */
const model: fc.Arbitrary<Model> = fc
  .array(
    fc.record({
      parent: fc.nat(),
      root: fc.nat(9),
      digest: fc.constantFrom('aa', 'ab', 'bb', 'ff'),
      dead: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 20,
    },
  )
  .map((choices) => {
    const histories: string[][] = [];
    const deleted = new Set<string>();
    for (const { parent, root, digest, dead } of choices) {
      const above = histories.length === 0 || root === 0 ? [] : histories[parent % histories.length]!;
      const rev = `${generationOf(above[0] ?? '') + 1}-${digest}${'0'.repeat(2)}${histories.length.toString(16).padStart(2, '0')}`;
      if (deleted.has(above[0] ?? '') && dead) continue;
      histories.push([rev, ...above]);
      if (dead) deleted.add(rev);
    }
    return histories.length > 0 ? { histories, deleted } : { histories: [['1-aa']], deleted };
  });

function grow({ histories, deleted }: Model, order: readonly number[] = histories.map((_, index) => index)): RevTree {
  const tree = new RevTree();
  for (const index of order) {
    const history = histories[index]!;
    tree.insert(history, deleted.has(history[0]!));
  }
  return tree;
}

describe('the rev tree', () => {
  //  1-aa ── 2-bb ── 3-cc ── 4-dd(deleted)
  //             └─── 3-ee
  //  1-ff
  function drawn(): RevTree {
    const tree = new RevTree();
    tree.insert(['4-dd', '3-cc', '2-bb', '1-aa'], true);
    tree.insert(['3-ee', '2-bb'], false);
    tree.insert(['1-ff'], false);
    return tree;
  }

  it('T1: the text of a document without branches is its IDs, newest first', () => {
    const tree = new RevTree();
    tree.insert(['3-cc', '2-bb', '1-aa'], false);
    expect(tree.encode()).toBe('3-cc,2-bb,1-aa');
  });

  it('T1: branches follow the winner, tombstones and closed branches are marked', () => {
    const tree = drawn();
    expect(tree.encode()).toBe('3-ee,2-bb,1-aa;1-ff;4-dd!,3-cc,2-bb');
    tree.closeOthers('1-ff');
    expect(tree.encode()).toBe('1-ff;3-ee#,2-bb,1-aa;4-dd!#,3-cc,2-bb');
  });

  it('T2: the winner is open before closed, live before deleted, then the higher ID', () => {
    const tree = drawn();
    expect(tree.leaves()).toEqual(['3-ee', '1-ff', '4-dd']);
    expect(tree.winner()).toBe('3-ee');
    tree.closeOthers('1-ff');
    expect(tree.winner()).toBe('1-ff');
    expect(new RevTree().winner()).toBeUndefined();
  });

  it('answers what it holds', () => {
    const tree = drawn();
    expect(tree.has('3-cc')).toBe(true);
    expect(tree.has('3-c')).toBe(false);
    expect(tree.parentOf('3-ee')).toBe('2-bb');
    expect(tree.parentOf('1-ff')).toBeUndefined();
    expect(tree.ancestors('4-dd')).toEqual(['3-cc', '2-bb', '1-aa']);
    expect(tree.isDescendant('4-dd', '1-aa')).toBe(true);
    expect(tree.isDescendant('3-ee', '3-cc')).toBe(false);
    expect(tree.isDeleted('4-dd')).toBe(true);
    expect(tree.isLeaf('3-cc')).toBe(false);
  });

  it('T3: a known revision changes nothing', () => {
    const tree = drawn();
    expect(tree.insert(['3-cc', '2-99'], true)).toBe(false);
    expect(tree.encode()).toBe(drawn().encode());
  });

  // docs/protocol/replication.md#rules-for-a-sender
  it('T4: a history with a gap is refused', () => {
    const gap = expect.objectContaining({ code: 'rev.invalid' });
    expect(() => drawn().insert(['5-aa', '3-ee'], false)).toThrow(gap);
    expect(() => drawn().insert([], false)).toThrow(gap);
  });

  it('a child reopens a closed branch', () => {
    const tree = drawn();
    tree.closeOthers('1-ff');
    tree.insert(['4-aa', '3-ee'], false);
    expect(tree.winner()).toBe('4-aa');
    expect(tree.isClosed('3-ee')).toBe(false);
  });

  test.each(['3-c,,1-a', '3-c;3-c', '2-b,1-a;2-b,1-a'])('a damaged text is refused: "%s"', (text) => {
    expect(() => RevTree.decode(text)).toThrow(expect.objectContaining({ code: 'storage.corrupt' }));
  });

  it('T5: decoding the text and encoding again gives the text', () => {
    fc.assert(
      fc.property(model, fc.boolean(), (given, close) => {
        const tree = grow(given);
        if (close) tree.closeOthers(tree.winner()!);
        const text = tree.encode();
        const again = RevTree.decode(text);
        expect(again.encode()).toBe(text);
        expect(new Set(again.revs())).toEqual(new Set(tree.revs()));
        for (const rev of tree.revs()) {
          expect(again.parentOf(rev)).toBe(tree.parentOf(rev));
          expect([again.isDeleted(rev), again.isClosed(rev)]).toEqual([tree.isDeleted(rev), tree.isClosed(rev)]);
          expect(treeHas(text, rev)).toBe(true);
        }
      }),
    );
  });

  it('T6: winner and leaves do not depend on the order in which leaves arrive', () => {
    const shuffled = model.chain((given) =>
      fc.tuple(
        fc.constant(given),
        fc.shuffledSubarray(
          given.histories.map((_, index) => index),
          { minLength: given.histories.length },
        ),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([given, order]) => {
        expect(grow(given, order).leaves()).toEqual(grow(given).leaves());
      }),
    );
  });

  it('T7: pruning keeps the winner, every live leaf, and contiguous histories of the wanted depth', () => {
    fc.assert(
      fc.property(model, fc.integer({ min: 1, max: 6 }), (given, depth) => {
        const tree = grow(given);
        const before = { winner: tree.winner()!, leaves: tree.leaves(), ancestors: tree.ancestors(tree.winner()!) };
        tree.prune(depth);
        expect(tree.winner()).toBe(before.winner);
        for (const leaf of before.leaves) {
          const stays = !given.deleted.has(leaf) || generationOf(leaf) > generationOf(before.winner) - depth;
          if (stays) expect(tree.isLeaf(leaf)).toBe(true);
        }
        expect(tree.ancestors(before.winner).slice(0, depth - 1)).toEqual(before.ancestors.slice(0, depth - 1));
        const text = tree.encode();
        expect(RevTree.decode(text).encode()).toBe(text);
        expect([...tree.revs()].length).toBeLessThanOrEqual(tree.leaves().length * depth);
      }),
    );
  });

  it('T8: ancestors are contiguous', () => {
    fc.assert(
      fc.property(model, (given) => {
        const tree = grow(given);
        for (const rev of tree.revs()) {
          const generations = [rev, ...tree.ancestors(rev)].map(generationOf);
          for (const [index, generation] of generations.entries()) expect(generation).toBe(generations[0]! - index);
        }
      }),
    );
  });
});

describe('the rev tree as text', () => {
  it('T9: the text functions say what the tree says', () => {
    fc.assert(
      fc.property(model, fc.boolean(), fc.integer({ min: 1, max: 6 }), (given, deleted, depth) => {
        const tree = grow(given);
        tree.prune(depth);
        const text = tree.encode();
        const winner = tree.winner()!;
        expect(winnerOf(text)).toBe(winner);
        expect(winnerIsDeleted(text)).toBe(tree.isDeleted(winner));
        expect(currentPath(text)).toEqual([winner, ...tree.ancestors(winner)]);
        expect(isLinear(text)).toBe(tree.leaves().length === 1);
        const child = `${generationOf(winner) + 1}-77`;
        tree.insert([child, winner], deleted);
        tree.prune(depth);
        expect(appendChild(text, child, deleted, depth)).toBe(tree.encode());
      }),
    );
  });

  it('T9: only whole IDs are found', () => {
    const tree = '13-abcd,12-ab!,11-cd;12-ef#,11-cd';
    for (const rev of ['13-abcd', '12-ab', '11-cd', '12-ef']) expect(treeHas(tree, rev)).toBe(true);
    for (const rev of ['3-abcd', '13-ab', '2-ab', '1-cd', '2-ef', '']) expect(treeHas(tree, rev)).toBe(false);
  });

  it('T9: a thousand edits keep the default depth', () => {
    let tree = newTree('1-aa', [], false, DEFAULT_TREE_DEPTH);
    for (let generation = 2; generation <= 1000; generation++) {
      tree = appendChild(tree, `${generation}-aa`, false, DEFAULT_TREE_DEPTH);
    }
    expect(currentPath(tree).map(generationOf)).toEqual(
      Array.from({ length: DEFAULT_TREE_DEPTH }, (_, index) => 1000 - index),
    );
  });

  it('T9: a new tree takes no more history than the depth', () => {
    expect(newTree('3-cc', ['2-bb', '1-aa'], true, 2)).toBe('3-cc!,2-bb');
  });

  it('T10: history ends with the nearest listed ancestor, even beyond the wished length', () => {
    const tree = '5-ee,4-dd,3-cc,2-bb,1-aa';
    expect(historyOf(tree, '5-ee', { max: 2 })).toEqual(['4-dd', '3-cc']);
    expect(historyOf(tree, '5-ee', { max: 20, stopAt: ['2-bb', '3-cc'] })).toEqual(['4-dd', '3-cc']);
    expect(historyOf(tree, '5-ee', { max: 2, stopAt: ['1-aa', '9-99'] })).toEqual(['4-dd', '3-cc', '2-bb', '1-aa']);
    expect(historyOf(tree, '3-cc', { max: 20 })).toEqual(['2-bb', '1-aa']);
    expect(historyOf(tree, '3-cc', { max: 0 })).toEqual([]);
  });

  it('T3: the higher ID wins among equals, wherever it was added', () => {
    const tree = appendChild('2-bb,1-aa;2-aa,1-aa', '3-cc', false, 50);
    expect(tree).toBe('3-cc,2-bb,1-aa;2-aa,1-aa');
    expect(compareRevIds('3-cc', '2-aa')).toBeGreaterThan(0);
  });
});
