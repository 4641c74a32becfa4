import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SharedCollections } from './collections.js';
import { SqliteDatabase } from './sqlite-database.js';
import { temporaryDirectory } from './testing/test-storage.js';

const NOW = 1_800_000_000;
const named = (name: string): { scope: string; collection: string } => {
  const [scope, collection] = name.split('.');
  return { scope: scope!, collection: collection! };
};
const keyspace = (name: string) => ({ database: 'plant', ...named(name) });

describe('the collections of a database', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let nowSeconds: number;
  beforeEach(() => {
    directory = temporaryDirectory();
    nowSeconds = NOW;
  });
  afterEach(() => directory.remove());

  async function withDatabase<T>(
    collections: readonly string[] | undefined,
    use: (database: SqliteDatabase) => T | Promise<T>,
    create = true,
  ): Promise<T> {
    const shared: SharedCollections = collections?.map(named);
    const database = await SqliteDatabase.open({
      name: 'plant',
      path: join(directory.path, 'plant.cblite2'),
      create,
      now: () => nowSeconds * 1_000,
      ...(shared && { collections: shared }),
    });
    try {
      return await use(database);
    } finally {
      await database.close();
    }
  }
  const names = (database: SqliteDatabase): string[] =>
    database.describe().collections.map(({ scope, collection }) => `${scope}.${collection}`);

  it('are the default one if none are listed', async () => {
    expect(await withDatabase(undefined, names)).toEqual(['_default._default']);
  });

  it('are created as listed, and those alone are shared', async () => {
    expect(await withDatabase(['line1.sensors', 'line2.sensors'], names)).toEqual(['line1.sensors', 'line2.sensors']);
    expect(await withDatabase(['line2.sensors'], names)).toEqual(['line2.sensors']);
    expect(await withDatabase([], names)).toEqual([]);
    expect((await withDatabase(undefined, names)).sort()).toEqual([
      '_default._default',
      'line1.sensors',
      'line2.sensors',
    ]);
  });

  it('are not created without leave', async () => {
    await withDatabase(undefined, names);
    await expect(withDatabase(['line1.sensors'], names, false)).rejects.toMatchObject({
      code: 'storage.missing',
      message: expect.stringContaining('line1.sensors'),
    });
    expect(await withDatabase(['_default._default'], names, false)).toEqual(['_default._default']);
  });

  it('that are not shared keep what they hold, cannot be reached, and still expire', async () => {
    const request = { type: 'edit', deleted: false, body: '{}' } as const;
    await withDatabase(['line1.sensors', 'line1.logs'], (database) =>
      database.write([
        { ...request, keyspace: keyspace('line1.logs'), id: 'stays' },
        { ...request, keyspace: keyspace('line1.logs'), id: 'expires', expiresAt: NOW + 10 },
      ]),
    );
    nowSeconds += 10;
    await withDatabase(['line1.sensors'], async (database) => {
      expect(() => database.read(keyspace('line1.logs'), ['stays'])).toThrow('no collection line1.logs');
      await database.sweep();
      expect(await database.checkIntegrity()).toEqual([]);
    });
    await withDatabase(['line1.logs'], (database) => {
      expect(database.collection(keyspace('line1.logs'))).toMatchObject({ documents: 1, lastSequence: 2 });
      expect(database.read(keyspace('line1.logs'), ['stays', 'expires']).map((found) => found?.id)).toEqual([
        'stays',
        undefined,
      ]);
    });
  });
});
