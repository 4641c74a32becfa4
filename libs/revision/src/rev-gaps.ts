import { EdgeError } from '@edgesync/errors';
import { generationOf } from './rev-id.js';
import { DEFAULT_TREE_DEPTH } from './rev-tree.js';

// A client sends at most `maxHistory` ancestors, and after them the one that the server has, however much older that is
// (docs/protocol/revisions.md#conflicts-in-couchbase-lite): of more edits made offline than that, those in between are
// missing.

/**
 * The history with its gaps filled as deep as a tree is kept. Nobody asks for the revisions in between, so made-up IDs
 * stand for them, as Couchbase Lite does with those it has pruned itself; the same history always gives the same IDs.
 * @param ancestors newest first, without `rev`
 * @throws EdgeError `rev.invalid` if the generations do not go down
 */
export function bridgeGaps(rev: string, ancestors: readonly string[]): readonly string[] {
  if (isContiguous(rev, ancestors)) return ancestors;
  const bridged: string[] = [];
  let generation = generationOf(rev);
  for (const ancestor of ancestors) {
    const next = generationOf(ancestor);
    if (next >= generation) throw new EdgeError('rev.invalid', 'the revision history is not sequential');
    while (--generation > next && bridged.length < DEFAULT_TREE_DEPTH) bridged.push(madeUp(generation, ancestor));
    bridged.push(ancestor);
    generation = next;
  }
  return bridged;
}

function isContiguous(rev: string, ancestors: readonly string[]): boolean {
  let generation = generationOf(rev);
  return ancestors.every((ancestor) => generationOf(ancestor) === --generation);
}

/** An ID for a forgotten revision that has led from `ancestor` to the generation. */
function madeUp(generation: number, ancestor: string): string {
  const digest = ancestor.slice(ancestor.indexOf('-') + 1, ancestor.indexOf('-') + 17);
  return `${generation}-faded000${digest}`;
}
