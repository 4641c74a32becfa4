import { describe, expect, it } from 'vitest';
import { parseIncoming, type DocumentState } from './incoming.js';
import { integrate } from './integrate.js';
import type { IntegrateOptions } from './outcome.js';
import { bridgeGaps } from './rev-gaps.js';
import { generationOf } from './rev-id.js';
import { DEFAULT_TREE_DEPTH } from './rev-tree.js';
import { currentPath, historyOf } from './rev-tree-text.js';

const OPTIONS: IntegrateOptions = {
  onConflict: 'refuse',
  mintTreeRev: (parent) => `${generationOf(parent ?? '') + 1}-00`,
  mintVersion: () => '18ea9d3e07c00001@P4XOsoewS8657Rm3oJVv1g',
};
const STORED: DocumentState = {
  rev: '1-76de',
  tree: '1-76de',
  vector: '18ea9c0000000000@P4XOsoewS8657Rm3oJVv1g',
  deleted: false,
};

/** `count` IDs of falling generations, as a client names its own edits. */
function edits(newest: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${newest - index}-abcd`);
}

function push(rev: string, history: readonly string[], state: DocumentState | undefined = STORED) {
  return integrate(state, parseIncoming(rev, history.join(',')), OPTIONS);
}

describe('histories with gaps', () => {
  it('T4: without a gap a history stays what it is', () => {
    const history = edits(60, 49);
    expect(bridgeGaps('61-abcd', history)).toBe(history);
  });

  it('T4: 60 edits made offline, sent as 49 ancestors and the one the server has, are accepted', () => {
    const outcome = push('61-abcd', [...edits(60, 49), '1-76de']);
    expect(outcome).toMatchObject({ status: 'stored', rev: '61-abcd', deleted: false });
  });

  it('T4: what is stored has no gaps, so that it can be sent on', () => {
    for (const known of [10, 30, 48, 49, 50, 51, 70]) {
      const outcome = push('99-abcd', [...edits(98, known), '1-76de']);
      if (outcome.status !== 'stored') throw new Error(outcome.status);
      const generations = currentPath(outcome.tree).map(generationOf);
      expect(generations).toEqual(Array.from({ length: DEFAULT_TREE_DEPTH }, (_, index) => 99 - index));
      expect(historyOf(outcome.tree, '99-abcd', { max: 50 })).toHaveLength(DEFAULT_TREE_DEPTH - 1);
    }
  });

  it('T4: a gap that a tree remembers is filled down to the ancestor, alike every time', () => {
    const filled = bridgeGaps('5-aaaa', ['4-bbbb', '1-76de']);
    expect(filled.map(generationOf)).toEqual([4, 3, 2, 1]);
    expect(bridgeGaps('5-aaaa', ['4-bbbb', '1-76de'])).toEqual(filled);
    expect(push('5-aaaa', ['4-bbbb', '1-76de'])).toMatchObject({
      status: 'stored',
      tree: ['5-aaaa', ...filled].join(','),
    });
  });

  it('T4: a new document may come with a gap too', () => {
    const outcome = push('900-abcd', [...edits(899, 49), '1-76de'], undefined);
    expect(outcome).toMatchObject({ status: 'stored', rev: '900-abcd' });
  });

  it('T4: a gap does not hide a conflict', () => {
    expect(push('61-abcd', [...edits(60, 49), '1-0000'])).toEqual({ status: 'conflict' });
  });

  it('T4: a generation of ten digits costs no more than the depth of a tree', () => {
    expect(bridgeGaps('9999999999-ab', ['1-76de'])).toHaveLength(DEFAULT_TREE_DEPTH + 1);
  });
});
