import { describe, expect, it, test } from 'vitest';
import type { DocumentState } from './incoming.js';
import { currentIdLike, isKnown } from './known.js';
import { proposeVerdict } from './propose.js';
import { legacyVersionOf } from './version.js';

const A = 'AliceAliceAliceAliceAA';
const B = 'BobBobBobBobBobBobBobA';
const S = 'czSYLoW3QpyTXM5g18SElQ';

const live: DocumentState = { rev: '3-cc', tree: '3-cc,2-bb,1-aa', vector: `9@${S}; 7@${A}`, deleted: false };
const dead: DocumentState = { rev: '2-dd', tree: '2-dd!,1-aa', vector: `9@${S}; 7@${A}`, deleted: true };

describe('the answer to a proposed rev-tree ID', () => {
  test.each([
    ['P1: a new document', undefined, '1-ab', '', 0],
    ['P1: a new document whose pusher thinks we had it', undefined, '4-ab', '3-ab', 0],
    ['P2: the current revision', live, '3-cc', '2-bb', 304],
    // docs/protocol/replication.md#after-a-lost-checkpoint
    ['P2: a known revision with a lost checkpoint', live, '3-cc', '', 304],
    ['P2: an ancestor', live, '1-aa', '', 304],
    ['P3: a child of the current revision', live, '4-dd', '3-cc', 0],
    ['P3: a distant descendant', live, '9-dd', '3-cc', 0],
    // docs/protocol/replication.md#differences-by-sub-protocol
    ['P3: a parent named by its version', live, '4-dd', `9@${S}`, 0],
    ['P4: a new life over a tombstone', dead, '1-ff', '', 0],
    ['P3: a child of a tombstone', dead, '3-ff', '2-dd', 0],
    ['P5: an edit of an old revision', live, '3-dd', '2-bb', 409],
    ['P5: an unrelated document', live, '1-ff', '', 409],
    ['P5: an edit under a tombstone', dead, '2-ff', '1-aa', 409],
    ['P6: a malformed ID', live, '3-CC', '', 400],
    ['P6: no ID', live, '', '', 400],
    ['P6: a list', live, '3-cc,2-bb', '', 400],
  ])('%s', (_, state, proposed, parent, verdict) => expect(proposeVerdict(state, proposed, parent)).toBe(verdict));
});

describe('the answer to a proposed version', () => {
  test.each([
    ['P1: a new document', undefined, `5@${B}`, '', 0],
    ['P2: the current version', live, `9@${S}`, '', 304],
    // docs/protocol/replication.md#proposechanges
    ['P2: the current version in a whole vector', live, `9@${S}; 7@${A}`, '', 304],
    // docs/protocol/replication.md#after-a-lost-checkpoint
    ['P2: a version we went through', live, `7@${A}`, '', 304],
    ['P2: an earlier one of the same source', live, `6@${A}`, '', 304],
    ['P2: a legacy version of a known revision ID', live, legacyVersionOf('2-bb'), '', 304],
    ['P3: the parent is current', live, `c@${B}`, `9@${S}`, 0],
    ['P3: the parent is current, though the time is lower', live, `3@${B}`, `9@${S}`, 0],
    // docs/protocol/replication.md#proposechanges
    ['P3: the whole vector covers ours, the parent is lost', live, `c@${B}; 9@${S}`, '', 0],
    ['P3: a merge', live, `c@${B}, 8@${B}, 9@${S};`, `9@${S}`, 0],
    ['P3: a later version of our current source', live, `a@${S}`, '', 0],
    ['P3: a legacy parent that is current', live, `c@${B}`, '3-cc', 0],
    ['P3: a legacy parent that is current, as a version', live, `c@${B}`, legacyVersionOf('3-cc'), 0],
    // docs/protocol/replication.md#after-a-lost-checkpoint
    ['P3: a legacy ID in the vector, the parent is lost', live, `c@${B}; 3-cc, 2-bb`, '', 0],
    ['P3: an encoded legacy ID in the vector', live, `c@${B}; ${legacyVersionOf('3-cc')}`, '', 0],
    ['P3: our version was seen, edited and is current again', live, `7@${A}; 9@${S}`, '', 0],
    ['P4: a new life over a tombstone', dead, `c@${B}`, '', 0],
    ['P5: an edit under a tombstone, the parent lost', dead, `c@${B}; 7@${A}`, '', 409],
    ['P5: an edit under a tombstone by the same source, the parent lost', dead, `c@${A}`, '', 409],
    ['P5: an edit under a tombstone', dead, `c@${B}`, `7@${A}`, 409],
    ['P5: an unrelated version', live, `c@${B}`, '', 409],
    ['P5: an edit of an old version', live, `c@${B}; 7@${A}`, `7@${A}`, 409],
    ['P5: an edit of an old legacy ID', live, `c@${B}; 2-bb`, '2-bb', 409],
    ['P6: no version', live, '@', '', 400],
    ['P6: a local form', live, '5@*', '', 400],
  ])('%s', (_, state, proposed, parent, verdict) => expect(proposeVerdict(state, proposed, parent)).toBe(verdict));

  it('P6: of a vector whose tail is damaged the current version is judged', () => {
    expect(proposeVerdict(live, `c@${B}; 5@${A}; 9@${S}`, `9@${S}`)).toBe(0);
    expect(proposeVerdict(live, `c@${B}; 5@${A}; 9@${S}`, '')).toBe(409);
  });
});

describe('what is known', () => {
  it('P7: a 409 names the current revision by the kind of ID that was proposed', () => {
    expect(currentIdLike(live, '9-ab')).toBe('3-cc');
    expect(currentIdLike(live, `c@${B}; 5@${A}`)).toBe(`9@${S}`);
  });

  test.each([
    ['3-cc', true],
    ['1-aa', true],
    ['3-dd', false],
    [`9@${S}`, true],
    [`6@${A}`, true],
    [`8@${A}`, false],
    [`1@${B}`, false],
    [legacyVersionOf('2-bb'), true],
    [legacyVersionOf('2-ff'), false],
    ['', false],
    ['@', false],
    ['cc,2-bb', false],
  ])('P2: "%s" is known: %s', (id, known) => {
    expect(isKnown(live, id)).toBe(known);
    expect(isKnown(undefined, id)).toBe(false);
  });

  it('P2: legacy versions are also found on branches', () => {
    expect(isKnown({ ...live, tree: '3-cc,2-bb;2-dd,1-aa' }, legacyVersionOf('2-dd'))).toBe(true);
  });
});
