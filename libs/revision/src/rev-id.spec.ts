import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import liteCore from '../fixtures/rev-id-litecore.json' with { type: 'json' };
import order from '../fixtures/rev-id-order.json' with { type: 'json' };
import syncGateway from '../fixtures/rev-id-sync-gateway.json' with { type: 'json' };
import syntax from '../fixtures/rev-id-syntax.json' with { type: 'json' };
import { compareRevIds, generationOf, isTreeRevId, isVersion, mintRevId, parseRevId } from './rev-id.js';
import { RevTree } from './rev-tree.js';

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');

describe('rev-tree IDs', () => {
  test.each(syntax.valid)('R1: %s is well formed', (rev) => {
    expect(isTreeRevId(rev)).toBe(true);
    expect(parseRevId(rev)).toEqual({ generation: generationOf(rev), digest: rev.slice(rev.indexOf('-') + 1) });
  });

  test.each(syntax.invalid)('R1: "%s" is refused', (rev) => {
    expect(isTreeRevId(rev)).toBe(false);
    expect(() => parseRevId(rev)).toThrow(expect.objectContaining({ code: 'rev.invalid' }));
  });

  it('R1: a digest longer than a peer can store is refused', () => {
    expect(isTreeRevId(`1-${'ab'.repeat(20)}`)).toBe(true);
    expect(isTreeRevId(`1-${'ab'.repeat(21)}`)).toBe(false);
  });

  it('R2: an ID is a version exactly if it has an @', () => {
    expect(isVersion('18ea827e79930000@ieKr4/PpQES+KFFxgN28Ng')).toBe(true);
    expect(isVersion('2-ab')).toBe(false);
    expect(isVersion('')).toBe(false);
  });

  it('R3: the order is generation as a number, then digest as text', () => {
    const shuffled = [...order.descendingWinnerFirst].reverse().sort((left, right) => compareRevIds(right, left));
    expect(shuffled).toEqual(order.descendingWinnerFirst);
    expect(compareRevIds('2-ab', '2-ab')).toBe(0);
  });

  it('R3: the order is total', () => {
    const rev = fc
      .tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom('aa', 'ab', 'ff', 'aaaa'))
      .map(([g, d]) => `${g}-${d}`);
    fc.assert(
      fc.property(rev, rev, rev, (a, b, c) => {
        expect(Math.sign(compareRevIds(a, b))).toBe(-Math.sign(compareRevIds(b, a)) + 0);
        if (compareRevIds(a, b) <= 0 && compareRevIds(b, c) <= 0) expect(compareRevIds(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test.each([
    ['', 0],
    ['12', 0],
    ['x-ab', 0],
    ['12-ab', 12],
  ])('generation of "%s" is %d', (rev, generation) => expect(generationOf(rev)).toBe(generation));

  test.each(liteCore)(
    'R4: minting by the Couchbase Lite recipe gives $revID',
    ({ parent, deleted, hashedJSON, revID }) => {
      expect(mintRevId({ parent, deleted, canonicalBody: hashedJSON, sha1 })).toBe(revID);
    },
  );

  it('R4: a body outside ASCII is hashed as UTF-8', () => {
    const canonicalBody = '{"ä":"€"}';
    const bytes = Buffer.concat([Buffer.from([0, 0]), Buffer.from(canonicalBody, 'utf8')]);
    expect(mintRevId({ deleted: false, canonicalBody, sha1 })).toBe(
      `1-${createHash('sha1').update(bytes).digest('hex')}`,
    );
  });

  test.each(syncGateway)('R1: the Sync Gateway ID $revID is taken as it is', ({ revID, parent, generation }) => {
    expect(parseRevId(revID).generation).toBe(generation);
    const tree = new RevTree();
    if (parent) tree.insert([parent], false);
    expect(tree.insert([revID, ...(parent ? [parent] : [])], false)).toBe(true);
    expect(tree.parentOf(revID)).toBe(parent || undefined);
    expect(tree.winner()).toBe(revID);
  });
});
