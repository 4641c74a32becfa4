import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { EditRequest } from '@edgesync/ports';
import { openParts, type DatabaseParts } from '../open-database.js';
import { temporaryDirectory } from './test-storage.js';

export const BENCH_KEYSPACE = { database: 'bench', scope: '_default', collection: '_default' };

/** Compact JSON of about 0.9 kB: some numbers and strings, a list, a nested object. */
export function benchBody(n: number): string {
  return JSON.stringify({
    type: 'reading',
    n,
    sensor: `sensor-${n % 1_000}`,
    at: `2026-05-04T03:02:01.${String(n % 1_000).padStart(3, '0')}Z`,
    value: n * 0.37,
    tags: ['hall', 'north', `line${n % 7}`],
    position: { x: n % 13, y: n % 17, z: 1.5 },
    payload: randomBytes(340).toString('hex'),
  });
}

export const benchId = (n: number): string => `reading-${String(n).padStart(9, '0')}`;

export const benchEdit = (n: number, body: string, expect?: string): EditRequest => ({
  type: 'edit',
  keyspace: BENCH_KEYSPACE,
  id: benchId(n),
  deleted: false,
  body,
  ...(expect !== undefined && { expect }),
});

/** A database in a temporary directory that holds `documents` documents. */
export async function openBenchDatabase(
  documents: number,
): Promise<{ parts: DatabaseParts; close: () => Promise<void> }> {
  const directory = temporaryDirectory();
  const parts = await openParts({ name: 'bench', path: join(directory.path, 'bench.cblite2'), create: true });
  const collection = parts.collections.get(BENCH_KEYSPACE);
  for (let start = 0; start < documents; start += 1_000)
    await parts.commit.run(1_000, () => {
      for (let n = start; n < Math.min(start + 1_000, documents); n++)
        parts.writePath.apply(collection, benchEdit(n, benchBody(n)));
    });
  const close = async (): Promise<void> => {
    parts.upkeep.stop();
    await parts.connection.dataSource.destroy();
    parts.lock.release();
    directory.remove();
  };
  return { parts, close };
}
