import { describe, expect, it, test } from 'vitest';
import { parseIncoming, type DocumentState } from './incoming.js';
import { integrate, localEdit } from './integrate.js';
import type { IntegrateOptions, Integration } from './outcome.js';
import { generationOf } from './rev-id.js';
import { legacyVersionOf } from './version.js';

const A = 'AliceAliceAliceAliceAA';
const B = 'BobBobBobBobBobBobBobA';
const S = 'czSYLoW3QpyTXM5g18SElQ';

const live: DocumentState = { rev: '3-cc', tree: '3-cc,2-bb,1-aa', vector: `9@${S}`, deleted: false };
const dead: DocumentState = { rev: '2-dd', tree: '2-dd!,1-aa', vector: `9@${S}; 7@${A}`, deleted: true };

/** Mints f@S, and children with digest 11 (arrived content) or 22 (current content). */
const minting = (onConflict: IntegrateOptions['onConflict'] = 'refuse'): IntegrateOptions => ({
  mintVersion: () => `f@${S}`,
  mintTreeRev: (parent, content) => `${generationOf(parent ?? '') + 1}-${content === 'incoming' ? '11' : '22'}`,
  onConflict,
});

function arrive(
  state: DocumentState | undefined,
  [rev, history, deleted]: readonly [string, string, boolean?],
  onConflict?: IntegrateOptions['onConflict'],
): Integration {
  return integrate(state, parseIncoming(rev, history, { deleted: deleted ?? false }), minting(onConflict));
}

const stored = (expected: object): unknown =>
  expect.objectContaining({ status: 'stored', content: 'incoming', ...expected });

describe('a rev-tree revision arrives', () => {
  it('I1: first: its history becomes the tree, the version is minted', () => {
    expect(arrive(undefined, ['3-cc', '2-bb,1-aa'])).toEqual(
      stored({ rev: '3-cc', tree: '3-cc,2-bb,1-aa', vector: `f@${S}`, deleted: false, filedAs: '3-cc' }),
    );
    expect(arrive(undefined, ['1-aa', '', true])).toEqual(stored({ tree: '1-aa!', deleted: true }));
  });

  it('I2: on the current revision: the version is minted over the vector', () => {
    expect(arrive({ ...live, vector: `7@${A}` }, ['4-dd', '3-cc'])).toEqual(
      stored({ rev: '4-dd', tree: '4-dd,3-cc,2-bb,1-aa', vector: `f@${S}; 7@${A}` }),
    );
    expect(arrive(live, ['5-ee', '4-dd,3-cc,2-bb', true])).toEqual(
      stored({ rev: '5-ee', tree: '5-ee!,4-dd,3-cc,2-bb,1-aa', vector: `f@${S}`, deleted: true }),
    );
  });

  it('I3: what is in the tree is known', () => {
    expect(arrive(live, ['3-cc', '2-bb'])).toEqual({ status: 'known' });
    expect(arrive(live, ['1-aa', ''])).toEqual({ status: 'known' });
  });

  it('I4: what does not build on the current revision is refused', () => {
    expect(arrive(live, ['3-dd', '2-bb'])).toEqual({ status: 'conflict' });
    expect(arrive(live, ['4-dd', ''])).toEqual({ status: 'conflict' });
    expect(arrive(dead, ['2-ff', '1-aa'])).toEqual({ status: 'conflict' });
    expect(arrive(dead, ['1-ff', '', true])).toEqual({ status: 'conflict' });
  });

  it('I5: over a tombstone a new life may begin; when it ends, its own tombstone is current', () => {
    const reborn = arrive(dead, ['1-ff', '']);
    expect(reborn).toEqual(stored({ rev: '1-ff', tree: '1-ff;2-dd!#,1-aa', vector: `f@${S}; 7@${A}`, deleted: false }));
    expect(arrive(reborn as DocumentState, ['2-00', '1-ff', true])).toEqual(stored({ rev: '2-00', deleted: true }));
  });

  it('I6: a tombstone may close another live branch; the current revision stays', () => {
    const branched = { ...live, tree: '3-cc,2-bb,1-aa;2-99,1-aa' };
    expect(arrive(branched, ['3-99', '2-99', true])).toEqual({
      ...branched,
      status: 'stored',
      tree: '3-cc,2-bb,1-aa;3-99!,2-99,1-aa',
      filedAs: '3-99',
      content: 'current',
    });
    expect(arrive(branched, ['3-99', '2-99'])).toEqual({ status: 'conflict' });
  });

  it('I6: a tombstone on the current revision lets another live branch surface, as an edit of this database', () => {
    const branched = { ...live, tree: '3-cc,2-bb,1-aa;2-99,1-aa' };
    expect(arrive(branched, ['4-dd', '3-cc', true])).toEqual({
      status: 'stored',
      rev: '2-99',
      tree: '2-99,1-aa;4-dd!,3-cc,2-bb,1-aa',
      vector: `f@${S}`,
      deleted: false,
      filedAs: '4-dd',
      content: 'branch',
    });
  });

  it('I7: with `branch` it is filed beside the current revision and may win', () => {
    expect(arrive(live, ['3-dd', '2-bb'], 'branch')).toEqual(
      stored({ rev: '3-dd', tree: '3-dd,2-bb,1-aa;3-cc,2-bb', vector: `f@${S}` }),
    );
    expect(arrive(live, ['2-99', '1-aa'], 'branch')).toEqual(
      expect.objectContaining({ rev: '3-cc', vector: live.vector, filedAs: '2-99', content: 'current' }),
    );
  });

  it('I8: resolved for the remote side the local branch is closed', () => {
    expect(arrive(live, ['3-dd', '2-bb'], 'resolve')).toEqual(
      stored({ rev: '3-dd', tree: '3-dd,2-bb,1-aa;3-cc#,2-bb', vector: `f@${S}`, resolved: 'remote' }),
    );
    expect(arrive(live, ['3-00', '2-bb', true], 'resolve')).toEqual(
      stored({ rev: '3-00', deleted: true, resolved: 'remote' }),
    );
  });

  it('I8: resolved for the local side its content goes on under the remote revision, with the version it had', () => {
    expect(arrive(live, ['3-00', '2-bb'], 'resolve')).toEqual({
      status: 'stored',
      rev: '4-22',
      tree: '4-22,3-00,2-bb,1-aa;3-cc#,2-bb',
      vector: live.vector,
      deleted: false,
      filedAs: '3-00',
      content: 'current',
      resolved: 'local',
    });
    expect(arrive(dead, ['5-00', '4-00,3-00,2-00,1-aa'], 'resolve')).toEqual(
      expect.objectContaining({ rev: '6-22', deleted: true, resolved: 'local', content: 'current' }),
    );
  });

  it('I8: of unrelated histories the living one stays on both sides', () => {
    expect(arrive(live, ['9-00', '', true], 'resolve')).toEqual(
      expect.objectContaining({ rev: '3-cc', tree: '3-cc,2-bb,1-aa;9-00!#', vector: live.vector, content: 'current' }),
    );
    expect(
      arrive({ rev: '9-00', tree: '9-00!', vector: `7@${A}`, deleted: true }, ['3-cc', '2-bb'], 'resolve'),
    ).toEqual(stored({ rev: '3-cc', tree: '3-cc,2-bb;9-00!#' }));
  });

  it('I9: a sender that closed our branch brings its own', () => {
    const incoming = parseIncoming('3-dd', '2-dd,1-aa', { closedBranch: '4-00,3-cc,2-bb' });
    expect(integrate(live, incoming, minting())).toEqual(
      stored({ rev: '3-dd', tree: '3-dd,2-dd,1-aa;4-00!,3-cc,2-bb,1-aa', vector: `f@${S}` }),
    );
    const stale = parseIncoming('3-dd', '2-dd,1-aa', { closedBranch: '3-00,2-bb' });
    expect(integrate(live, stale, minting())).toEqual({ status: 'conflict' });
  });
});

describe('a version arrives', () => {
  it('I1: first: the vector is kept, the rev-tree ID is minted', () => {
    expect(arrive(undefined, [`5@${A}`, `3@${B}`])).toEqual(
      stored({ rev: '1-11', tree: '1-11', vector: `5@${A}; 3@${B}`, filedAs: '1-11' }),
    );
  });

  it('I1: first, with legacy IDs: rev-tree clients see a child of them', () => {
    expect(arrive(undefined, [`5@${A}`, '2-bb,1-aa'])).toEqual(
      stored({ rev: '3-11', tree: '3-11,2-bb,1-aa', vector: `5@${A}` }),
    );
    expect(arrive(undefined, [`5@${A}`, '4-bb,2-aa'])).toEqual(stored({ rev: '5-11', tree: '5-11,4-bb' }));
  });

  it('I2: on the current version: a child is minted on the current revision', () => {
    expect(arrive(live, [`5@${A}`, `9@${S}`])).toEqual(
      stored({ rev: '4-11', tree: '4-11,3-cc,2-bb,1-aa', vector: `5@${A}; 9@${S}` }),
    );
  });

  it('I2: what a shortened vector leaves out is not forgotten', () => {
    expect(arrive({ ...live, vector: `9@${S}; 4@${B}` }, [`5@${A}`, `9@${S}`])).toEqual(
      stored({ vector: `5@${A}; 9@${S}, 4@${B}` }),
    );
  });

  it('I2: a merge keeps its merge versions', () => {
    expect(arrive(live, [`c@${A}`, `8@${A}, 9@${S};`])).toEqual(stored({ vector: `c@${A}, 8@${A}, 9@${S};` }));
  });

  it('I3: what the vector covers is known', () => {
    expect(arrive(live, [`9@${S}`, ''])).toEqual({ status: 'known' });
    expect(arrive(live, [`8@${S}`, `5@${A}`])).toEqual({ status: 'known' });
    expect(arrive(live, [legacyVersionOf('2-bb'), ''])).toEqual({ status: 'known' });
  });

  it('I4: what does not cover the current version is refused', () => {
    expect(arrive(live, [`c@${A}`, ''])).toEqual({ status: 'conflict' });
    expect(arrive(live, [`c@${A}`, `8@${S}`])).toEqual({ status: 'conflict' });
    expect(arrive(live, [`c@${A}`, '2-bb,1-aa'])).toEqual({ status: 'conflict' });
    expect(arrive(dead, [`c@${A}`, ''])).toEqual({ status: 'conflict' });
    expect(arrive(dead, [`c@${B}`, '', true])).toEqual({ status: 'conflict' });
  });

  test.each([['3-cc,2-bb'], ['3-cc'], [legacyVersionOf('3-cc')]])(
    'I10: an edit of the current revision known as "%s" builds on it',
    (history) => {
      expect(arrive(live, [`c@${A}`, history])).toEqual(stored({ rev: '4-11', tree: '4-11,3-cc,2-bb,1-aa' }));
    },
  );

  it('I10: legacy IDs on top of the current revision enter the tree', () => {
    expect(arrive(live, [`c@${A}`, '5-ee,4-dd,3-cc'])).toEqual(
      stored({ rev: '6-11', tree: '6-11,5-ee,4-dd,3-cc,2-bb,1-aa', vector: `c@${A}; 9@${S}` }),
    );
  });

  it('I5: over a tombstone a new life may begin', () => {
    expect(arrive(dead, [`c@${B}`, ''])).toEqual(
      stored({ rev: '3-11', tree: '3-11,2-dd!,1-aa', vector: `c@${B}; 9@${S}, 7@${A}`, deleted: false }),
    );
  });

  test.each(['resolve', 'branch'] as const)('I8: with `%s` the last write wins', (onConflict) => {
    expect(arrive(live, [`c@${A}`, ''], onConflict)).toEqual(
      stored({ rev: '4-11', tree: '4-11,3-cc,2-bb,1-aa', vector: `c@${A}; 9@${S}`, resolved: 'remote' }),
    );
    expect(arrive(live, [`5@${A}`, '', true], onConflict)).toEqual({
      ...live,
      status: 'stored',
      vector: `9@${S}; 5@${A}`,
      filedAs: `5@${A}`,
      content: 'current',
      resolved: 'local',
    });
  });
});

describe('an edit made here', () => {
  it('I11: gets both IDs, first, next and over a tombstone', () => {
    expect(localEdit(undefined, false, minting())).toEqual(stored({ rev: '1-11', tree: '1-11', vector: `f@${S}` }));
    expect(localEdit(live, true, minting())).toEqual(
      stored({ rev: '4-11', tree: '4-11!,3-cc,2-bb,1-aa', vector: `f@${S}`, deleted: true }),
    );
    expect(localEdit(dead, false, minting())).toEqual(
      stored({ rev: '3-11', tree: '3-11,2-dd!,1-aa', vector: `f@${S}; 7@${A}`, deleted: false }),
    );
  });

  it('I6: deleting the winner of a branched document lets the next branch surface', () => {
    const branched = { ...live, tree: '3-cc,2-bb,1-aa;2-99,1-aa' };
    expect(localEdit(branched, true, minting())).toEqual(
      expect.objectContaining({ rev: '2-99', filedAs: '4-11', content: 'branch', deleted: false }),
    );
  });

  it('the tree keeps the wanted depth', () => {
    expect(localEdit(live, false, { ...minting(), depth: 2 }).tree).toBe('4-11,3-cc');
  });
});

describe('the properties of a rev message', () => {
  // docs/protocol/replication.md#differences-by-sub-protocol
  it('the kind is decided by the ID', () => {
    expect(parseIncoming('2-bb', '1-aa')).toEqual({ kind: 'tree', rev: '2-bb', history: ['1-aa'], deleted: false });
    expect(parseIncoming(`5@${A}`, '1-aa', { deleted: true })).toEqual({
      kind: 'vector',
      vector: `5@${A}`,
      legacy: ['1-aa'],
      deleted: true,
    });
  });

  it('spaces in a history are forgiven', () => {
    expect(parseIncoming('3-cc', '2-bb, 1-aa')).toEqual(expect.objectContaining({ history: ['2-bb', '1-aa'] }));
  });

  // docs/protocol/replication.md#rows-that-clients-refuse, docs/protocol/replication.md#rules-for-a-sender
  test.each([
    ['', ''],
    ['3-CC', ''],
    ['3-cc', '3-bb'],
    ['3-cc', '1-aa,2-bb'],
    ['3-cc', '2-bb,1-AA'],
    ['3-cc', `2@${A}`],
  ])('rev "%s" with history "%s" is refused', (rev, history) => {
    expect(() => parseIncoming(rev, history)).toThrow(expect.objectContaining({ code: 'rev.invalid' }));
  });

  it('a gap in a closed branch is refused', () => {
    expect(() => parseIncoming('3-cc', '2-bb', { closedBranch: '4-00,2-bb' })).toThrow('not sequential');
  });
});
