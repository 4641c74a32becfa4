import { test } from 'vitest';
import {
  applyDelta,
  canonicalJson,
  createDelta,
  findBlobs,
  getMember,
  readBody,
  setMember,
  splitBulkDocs,
  withMetadata,
} from './index.js';

/** A sensor reading of 0.8 to 0.9 kB: strings, numbers, an array of small objects. */
function reading(index: number): object {
  return {
    _id: `reading-${index}`,
    type: 'reading',
    sensor: `line1/press-${index % 40}`,
    time: 1_700_000_000_000 + index,
    value: 20 + (index % 1000) / 7,
    unit: 'C',
    ok: true,
    tags: ['hall-a', 'temperature', 'raw'],
    location: { site: 'plant-7', row: index % 12, position: { x: 12.5, y: -3.25, z: 0 } },
    note: 'Pressure rose by a tenth after the second tool change; bearings were greased, and the shift lead watched three full cycles without finding a cause. '.repeat(
      2,
    ),
    history: Array.from({ length: 8 }, (_, step) => ({ t: 1_700_000_000 + step, v: step * 1.5, s: 'ok' })),
    operator: { name: 'A. Operator', shift: 'late', id: 4711 },
  };
}

/** Text as it comes from a socket: flat in memory, not a rope of the pieces it was made of. */
const received = (text: string): string => Buffer.from(text).toString();

const readings = Array.from({ length: 1000 }, (_, index) => reading(index));
const compact = readings.map((value) => received(JSON.stringify(value)));
const pretty = readings.map((value) => received(JSON.stringify(value, null, 2)));
const stored = compact.map((text) => received(readBody(text).json));
const sorted = stored.map((text) => received(canonicalJson(text)));
const edited = stored.map((text) => received(setMember(text, 'value', '1')));
const request = received(JSON.stringify({ docs: readings, new_edits: true }));
const metadata = { id: 'reading-1', rev: `1-${'a'.repeat(40)}` };

const thousandOf = (texts: readonly string[], work: (text: string, index: number) => unknown) => () => {
  for (let index = 0; index < texts.length; index++) work(texts[index]!, index);
};

test('1,000 documents', async ({ bench }) => {
  await bench.compare(
    bench(
      'JSON.parse, to compare',
      thousandOf(compact, (text) => JSON.parse(text)),
    ),
    bench('readBody, compact with _id', thousandOf(compact, readBody)),
    bench('readBody, compact without metadata', thousandOf(stored, readBody)),
    bench('readBody, indented', thousandOf(pretty, readBody)),
    bench('splitBulkDocs', () => void splitBulkDocs(request)),
    bench('canonicalJson, keys in any order', thousandOf(stored, canonicalJson)),
    bench('canonicalJson, keys sorted', thousandOf(sorted, canonicalJson)),
    bench(
      'withMetadata',
      thousandOf(stored, (text) => withMetadata(text, metadata)),
    ),
    bench(
      'getMember, last of twelve',
      thousandOf(stored, (text) => getMember(text, 'operator')),
    ),
    bench('findBlobs, none there', thousandOf(stored, findBlobs)),
    bench(
      'createDelta, one number',
      thousandOf(stored, (text, index) => createDelta(text, edited[index]!)),
    ),
    bench(
      'applyDelta, one number',
      thousandOf(stored, (text) => applyDelta(text, '{"value":1}')),
    ),
    { time: 500 },
  );
});
