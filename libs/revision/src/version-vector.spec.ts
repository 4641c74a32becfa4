import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import current from '../fixtures/vector-current-version.json' with { type: 'json' };
import onRevMessage from '../fixtures/vector-on-rev-message.json' with { type: 'json' };
import relation from '../fixtures/vector-relation.json' with { type: 'json' };
import syntax from '../fixtures/vector-syntax.json' with { type: 'json' };
import syntaxErrors from '../fixtures/vector-syntax-errors.json' with { type: 'json' };
import update from '../fixtures/vector-update.json' with { type: 'json' };
import {
  compareVectors,
  currentVersionOf,
  editVector,
  foldMerge,
  formatVector,
  historyForRev,
  mergeVectors,
  parseVector,
  resolveToWinner,
  timeOfSource,
  vectorFromRev,
  vectorIncludes,
} from './version-vector.js';

const SOURCES = ['AliceAliceAliceAliceAA', 'BobBobBobBobBobBobBobA', 'CarolCarolCarolCarolCA'] as const;

/** Order among the previous versions means nothing. */
function unordered(vector: string): unknown {
  const { cv, mv, pv } = parseVector(vector);
  return { cv, mv: [...mv].sort(), pv: [...pv].sort() };
}

describe('vector text', () => {
  test.each(syntax)('V7: "$text" is read', ({ text, cv, mv, pv, legacy }) => {
    expect(parseVector(text)).toEqual({ cv, mv, pv, legacy });
    expect(parseVector(formatVector({ cv, mv, pv, legacy }))).toEqual({ cv, mv, pv, legacy });
    expect(currentVersionOf(text)).toBe(cv);
  });

  test.each(syntaxErrors.filter(({ why }) => !why.startsWith('empty element')))(
    'V7: "$text" is refused: $why',
    ({ text }) => {
      expect(() => parseVector(text)).toThrow(expect.objectContaining({ code: 'version.invalid' }));
    },
  );

  // docs/protocol/revisions.md#vectors-on-messages
  test.each(syntaxErrors.filter(({ why }) => why.startsWith('empty element')))(
    'V7: the empty element of "$text" is skipped',
    ({ text }) =>
      expect(parseVector(text)).toEqual({ cv: '25@def', mv: ['20@abc', '18@hij'], pv: [], legacy: ['1-abc'] }),
  );

  test.each(['1-ab', '5@abc; 1-ab, 4@def', '5@abc, x', '5@*', '5@abc; 4'])('V7: "%s" is refused', (text) => {
    expect(() => parseVector(text)).toThrow(expect.objectContaining({ code: 'version.invalid' }));
  });

  // docs/protocol/replication.md#proposechanges
  test.each(current)('V8: the current version of "$text"', ({ text, cv }) => {
    expect(currentVersionOf(text)).toBe(cv);
  });

  // docs/protocol/revisions.md#vectors-on-messages
  test.each(onRevMessage)('V9: "$vector" goes through a rev message', ({ vector, rev, history }) => {
    expect(currentVersionOf(vector)).toBe(rev);
    expect(historyForRev(vector)).toBe(history);
    expect(vectorFromRev(rev, history)).toEqual({ vector, legacy: [] });
  });

  it('V9: merge versions without a semicolon get the one they need', () => {
    expect(historyForRev('5@abc, 4@abc, 3@def')).toBe('4@abc, 3@def;');
    expect(historyForRev('5@abc;')).toBe('');
  });

  it('V9: legacy IDs are recognised', () => {
    const [alice, bob, carol] = SOURCES;
    expect(vectorFromRev(`5@${alice}`, '2-ab,1-cd')).toEqual({ vector: `5@${alice}`, legacy: ['2-ab', '1-cd'] });
    expect(vectorFromRev(`5@${alice}`, `4@${bob},3@${carol};,2-ab`)).toEqual({
      vector: `5@${alice}, 4@${bob}, 3@${carol};`,
      legacy: ['2-ab'],
    });
  });

  test.each([
    ['5@*', ''],
    ['5@abc', ''],
    ['5@AAAAAAAAAAAAAAAAAAAAAA', ''],
    [`5@${SOURCES[0]}, 4@${SOURCES[1]}`, ''],
    [`5@${SOURCES[0]}, 4@${SOURCES[1]}`, `3@${SOURCES[2]}`],
    [`5@${SOURCES[0]}`, '4@*'],
    [`5@${SOURCES[0]}`, '4@abc;'],
  ])('V9: rev "%s" with history "%s" is refused', (rev, history) => {
    expect(() => vectorFromRev(rev, history)).toThrow(expect.objectContaining({ code: 'version.invalid' }));
  });
});

describe('relations', () => {
  const RESULT = { same: 'already-present', older: 'already-present', newer: 'no-conflict', conflict: 'conflict' };

  test.each(relation)('V10: "$incoming" meets "$local": $result', ({ local, incoming, result }) => {
    expect(RESULT[compareVectors(local, incoming)]).toBe(result);
  });

  it('V10: a source that ends like another is another', () => {
    expect(timeOfSource('5@xabc; 4@abcx', 'abc')).toBe('');
    expect(timeOfSource('5@abc, 7@abc, 3@def;', 'abc')).toBe('7');
    expect(timeOfSource('5@abc,7@abc;3@def', 'def')).toBe('3');
  });

  it('V11: edits and merges, however they spread, are partially ordered by compareVectors as by causality', () => {
    const replica = fc.nat(2);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('edit' as const), at: replica }),
      fc.record({ kind: fc.constant('meet' as const), at: replica, from: replica }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
        // Each replica holds a vector and, as the truth, the set of edits it descends from.
        let clock = 0;
        const tick = (at: number): string => `${(++clock).toString(16)}@${SOURCES[at]}`;
        const replicas = SOURCES.map(() => ({ vector: '', past: new Set<string>() }));
        const all: { vector: string; past: Set<string> }[] = [];
        for (const move of steps) {
          const here = replicas[move.at]!;
          if (move.kind === 'edit') {
            const version = tick(move.at);
            const vector = here.vector === '' ? version : editVector(here.vector, version);
            replicas[move.at] = { vector, past: new Set(here.past).add(version) };
          } else {
            const there = replicas[move.from]!;
            if (there.vector === '') continue;
            if (here.vector === '') replicas[move.at] = there;
            else {
              const found = compareVectors(here.vector, there.vector);
              if (found === 'newer') replicas[move.at] = there;
              if (found === 'conflict') {
                const version = tick(move.at);
                replicas[move.at] = {
                  vector: mergeVectors(here.vector, there.vector, version),
                  past: new Set([...here.past, ...there.past, version]),
                };
              }
            }
          }
          all.push(replicas[move.at]!);
        }
        const merged = (vector: string): string => parseVector(vector).mv.toSorted().join();
        for (const left of all) {
          for (const right of all) {
            if (left.vector === '' || right.vector === '') continue;
            // The rule for equal merges is a decision, not an order.
            if (merged(left.vector) !== '' && merged(left.vector) === merged(right.vector)) continue;
            const leftVersion = currentVersionOf(left.vector);
            const rightVersion = currentVersionOf(right.vector);
            const truth =
              leftVersion === rightVersion
                ? 'same'
                : right.past.has(leftVersion)
                  ? 'newer'
                  : left.past.has(rightVersion)
                    ? 'older'
                    : 'conflict';
            expect([left.vector, right.vector, compareVectors(left.vector, right.vector)]).toEqual([
              left.vector,
              right.vector,
              truth,
            ]);
          }
        }
      }),
    );
  });
});

describe('updates', () => {
  const edits = update.filter(({ op }) => op === 'edit');
  test.each(edits)('V12: $version edits "$before"', ({ before, version, after }) => {
    expect(unordered(editVector(before!, version!))).toEqual(unordered(after));
  });

  test.each(update.filter(({ op }) => op === 'merge'))('V13: $version merges "$left" and "$right"', (row) => {
    expect(unordered(mergeVectors(row.left!, row.right!, row.version!))).toEqual(unordered(row.after));
  });

  test.each(update.filter(({ op }) => op === 'take-winner'))('V14: "$winner" wins against "$loser"', (row) => {
    expect(unordered(resolveToWinner(row.winner!, row.loser!))).toEqual(unordered(row.after));
  });

  it('V14: a merge outrun by the loser becomes history', () => {
    expect(resolveToWinner('9@a, 5@b, 4@c;', '7@b; 1@d')).toBe('9@a; 7@b, 4@c, 1@d');
  });

  it('V12: editing a vector of one version needs no parsing and gives the same', () => {
    expect(editVector('4@a', '5@a')).toBe('5@a');
    expect(editVector('4@a', '5@b')).toBe('5@b; 4@a');
  });

  it('V14: nothing either side knew is forgotten, and no source occurs twice among the previous', () => {
    const version = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.constantFrom('a', 'b', 'c', 'd'));
    const text = ([time, source]: [number, string]): string => `${time.toString(16)}@${source}`;
    const vector = fc
      .tuple(version, fc.uniqueArray(version, { selector: ([, source]) => source, maxLength: 3 }), fc.boolean())
      .map(([cv, others, merged]) => {
        const rest = others.filter(([, source]) => source !== cv[1]).map(text);
        return merged && rest.length > 1
          ? `${text(cv)}, ${rest.join(', ')};`
          : [text(cv), ...rest.slice(0, 1)].join('; ');
      });
    fc.assert(
      fc.property(vector, vector, (winner, loser) => {
        fc.pre(compareVectors(winner, loser) === 'conflict');
        const joined = resolveToWinner(winner, loser);
        expect(currentVersionOf(joined)).toBe(currentVersionOf(winner));
        for (const side of [parseVector(winner), parseVector(loser)]) {
          for (const known of [side.cv, ...side.mv, ...side.pv]) expect(vectorIncludes(joined, known)).toBe(true);
        }
        const { cv, mv, pv } = parseVector(joined);
        const sources = [cv, ...mv, ...pv].map((known) => known.split('@')[1]);
        expect(new Set(sources).size).toBe(sources.length);
      }),
    );
  });

  it('V14: a merge sent as previous versions includes the same, each other source once', () => {
    const time = fc.integer({ min: 1, max: 40 });
    const pick = fc.tuple(time, time, time, time).map(([own, ownMerged, other, previous]) => ({
      vector: `${(own + 40).toString(16)}@a, ${ownMerged.toString(16)}@a, ${other.toString(16)}@b; ${previous.toString(16)}@c`,
      folded: `${(own + 40).toString(16)}@a`,
      previous: [`${other.toString(16)}@b`, `${previous.toString(16)}@c`],
    }));
    fc.assert(
      fc.property(pick, ({ vector, folded, previous }) => {
        const { cv, mv, pv } = parseVector(foldMerge(vector));
        expect([cv, mv, new Set(pv)]).toEqual([folded, [], new Set(previous)]);
        expect(compareVectors(vector, foldMerge(vector))).toBe('same');
      }),
    );
  });

  test.each(['9@a', '9@a; 8@b', '9@a, 8@a, 7@b;', '9@a, 8@a, 7@b'])('V14: "%s" is sent as it is', (vector) =>
    expect(foldMerge(vector)).toBe(vector),
  );
});
