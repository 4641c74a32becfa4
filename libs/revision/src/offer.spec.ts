import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseIncoming, type DocumentState } from './incoming.js';
import { integrate, localEdit } from './integrate.js';
import { compareWithLegacy } from './testing/legacy-relation.js';
import { listedLegacy, offeredId, treeHistory, vectorHistory } from './offer.js';
import type { IntegrateOptions } from './outcome.js';
import { isVersion, generationOf } from './rev-id.js';
import { currentPath } from './rev-tree-text.js';
import { vectorFromRev } from './version-vector.js';

const A = 'AliceAliceAliceAliceAA';
const S = 'czSYLoW3QpyTXM5g18SElQ';
const state: DocumentState = { rev: '4-dd', tree: '4-dd,3-cc,2-bb,1-aa', vector: `9@${S}; 7@${A}`, deleted: false };
const B = 'BobsBobsBobsBobsBobsBA';
const merged: DocumentState = { ...state, vector: `9@${S}, 8@${S}, 7@${A};` };
const mergedLater: DocumentState = { ...state, vector: `9@${S}, 8@${S}, 7@${A}; 6@${B}` };

describe('what a puller is sent', () => {
  // docs/protocol/revisions.md#legacy-documents-without-a-version
  it('O1: each kind gets its own ID', () => {
    expect(offeredId(state, 'tree')).toBe('4-dd');
    expect(offeredId(state, 'vector')).toBe(`9@${S}`);
  });

  // docs/protocol/replication.md#rev
  test.each([
    [{ maxHistory: 20, listed: [] }, '3-cc,2-bb,1-aa'],
    [{ maxHistory: 2, listed: [] }, '3-cc,2-bb'],
    [{ maxHistory: 20, listed: ['3-cc'] }, '3-cc'],
    [{ maxHistory: 1, listed: ['1-aa'] }, '3-cc,2-bb,1-aa'],
    [{ maxHistory: 2, listed: ['9-99'] }, '3-cc,2-bb'],
  ])('O2: rev-tree history, without spaces, for %j', (options, history) =>
    expect(treeHistory(state, options)).toBe(history),
  );

  it('O2: also of a revision that is not current', () => {
    expect(treeHistory(state, { maxHistory: 20, listed: [] }, '3-cc')).toBe('2-bb,1-aa');
  });

  test.each([
    ['O3: the client has nothing', state, { listed: [] }, `7@${A}`],
    ['O3: the client has nothing, whatever is remembered', state, { listed: [], legacyHead: '2-bb' }, `7@${A}`],
    ['O3: a version, never legacy', state, { listed: [`7@${A}`] }, `7@${A}`],
    ['O4: a legacy ID we have', state, { listed: ['2-bb'] }, `7@${A}, 2-bb, 1-aa`],
    ['O4: a legacy ID we do not have', state, { listed: ['2-99'] }, `7@${A}`],
    ['O5: a version over a legacy ID', state, { listed: [`7@${A}`, '2-bb'] }, `7@${A}, 2-bb, 1-aa`],
    [
      'O5: a version, the legacy ID is remembered',
      state,
      { listed: [`7@${A}`], legacyHead: '2-bb' },
      `7@${A}, 2-bb, 1-aa`,
    ],
    ['O5: a version over a legacy ID we do not have', state, { listed: [`7@${A}`, '2-99'] }, `7@${A}, 2-99`],
    // docs/protocol/revisions.md#vectors-on-messages
    ['O4: after a merge', merged, { listed: ['2-bb'] }, `8@${S}, 7@${A}; 2-bb, 1-aa`],
    ['O3: a merge alone', merged, { listed: [] }, `8@${S}, 7@${A};`],
    ['O3: a merge after other edits, as Couchbase Lite 4.0.2 reads it', mergedLater, { listed: [] }, `7@${A}, 6@${B}`],
    [
      'O4: a merge after other edits, under a legacy ID',
      mergedLater,
      { listed: ['2-bb'] },
      `7@${A}, 6@${B}, 2-bb, 1-aa`,
    ],
    [
      'O3: a merge after other edits, for a server',
      mergedLater,
      { listed: [], keepMerge: true },
      `8@${S}, 7@${A}; 6@${B}`,
    ],
    ['O4: nothing but legacy IDs', { ...state, vector: `9@${S}` }, { listed: ['1-aa'] }, '1-aa'],
  ])('%s', (_, given, options, history) => expect(vectorHistory(given, options)).toBe(history));

  it('O5: the legacy ID to remember is the rev-tree ID that was listed', () => {
    expect(listedLegacy([`7@${A}`, '2-bb'])).toBe('2-bb');
    expect(listedLegacy([`7@${A}`])).toBeUndefined();
  });

  it('O6: an upgraded client that lists what it has takes every update and never sees a conflict without one', () => {
    const step = fc.constantFrom('server', 'client', 'sync');
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
        let clock = 0x1000;
        const version = (source: string): string => `${(clock++).toString(16)}@${source}`;
        const options: IntegrateOptions = {
          mintVersion: () => version(S),
          mintTreeRev: (parent) => `${generationOf(parent ?? '') + 1}-${(clock++).toString(16).padStart(6, '0')}`,
          onConflict: 'refuse',
        };
        // The client upgraded with 2-bb and edits by putting versions before it; the server knows 2-bb as well.
        let server: DocumentState = { rev: '2-bb', tree: '2-bb,1-aa', vector: version(S), deleted: false };
        let client = '2-bb,1-aa';
        let clean = true;
        for (const move of steps) {
          if (move === 'server') server = localEdit(server, false, options);
          if (move === 'client' && clean) {
            const [vector, legacy] = isVersion(client) ? client.split('; ') : ['', client];
            client = `${version(A)}; ${[...(vector ? vector.split(', ') : []).filter((known) => !known.endsWith(A)), legacy].join(', ')}`;
            clean = false;
          }
          if (move !== 'sync') continue;
          if (!clean) {
            const [cv, history] = client.split('; ') as [string, string];
            const outcome = integrate(server, parseIncoming(cv, history), options);
            if (outcome.status === 'stored') server = outcome;
            if (outcome.status === 'conflict') {
              // Only if the server went on meanwhile; the client takes the server's revision.
              expect(compareWithLegacy(client, `${offeredId(server, 'vector')}; 2-bb, 1-aa`)).toBe('conflict');
              client = '2-bb,1-aa';
            }
            clean = true;
          }
          const listed = isVersion(client) ? [client.split('; ')[0]!, '2-bb'] : ['2-bb'];
          const history = vectorHistory(server, { listed });
          const sent = `${offeredId(server, 'vector')}; ${history}`;
          expect(['same', 'newer']).toContain(compareWithLegacy(client, sent));
          const { vector, legacy } = vectorFromRev(offeredId(server, 'vector'), history);
          expect(legacy).toEqual(['2-bb', '1-aa']);
          expect(vector).toBe(server.vector);
          client = `${offeredId(server, 'vector')}; 2-bb`;
          expect(currentPath(server.tree).at(-1)).toBe('1-aa');
        }
      }),
    );
  });
});
