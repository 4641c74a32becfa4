import { describe, test } from 'vitest';
import { parseIncoming, type DocumentState } from './incoming.js';
import { integrate } from './integrate.js';
import { proposeVerdict } from './propose.js';
import { legacyVersionOf } from './version.js';

const A = 'AliceAliceAliceAliceAA';
const S = 'czSYLoW3QpyTXM5g18SElQ';
const id = (generation: number): string => `${generation}-${generation.toString(16).padStart(40, 'a')}`;
const line = Array.from({ length: 50 }, (_, index) => id(60 - index));
const state: DocumentState = { rev: id(60), tree: line.join(','), vector: `18ea827e79930000@${S}`, deleted: false };
const options = {
  mintVersion: () => `18ea827e79940000@${S}`,
  mintTreeRev: () => id(61),
  onConflict: 'refuse',
} as const;

describe('per written revision, tree at full depth', () => {
  test('a rev-tree revision arrives', async ({ bench }) => {
    await bench('a rev-tree revision arrives', () => {
      integrate(state, parseIncoming(id(61), id(60)), options);
    }).run();
  });
  test('a version arrives', async ({ bench }) => {
    await bench('a version arrives', () => {
      integrate(state, parseIncoming(`18ea827e79990000@${A}`, `18ea827e79930000@${S}`), options);
    }).run();
  });
  test('a first rev-tree revision arrives', async ({ bench }) => {
    await bench('a first rev-tree revision arrives', () => {
      integrate(undefined, parseIncoming(id(1), ''), options);
    }).run();
  });
  test('a rev-tree proposal', async ({ bench }) => {
    await bench('a rev-tree proposal', () => {
      proposeVerdict(state, id(61), id(60));
    }).run();
  });
  test('a proposed vector', async ({ bench }) => {
    await bench('a proposed vector', () => {
      proposeVerdict(state, `18ea827e79990000@${A}; 18ea827e79930000@${S}`, `18ea827e79930000@${S}`);
    }).run();
  });
  test('a legacy version', async ({ bench }) => {
    await bench('a legacy version', () => {
      legacyVersionOf(id(60));
    }).run();
  });
});
