import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IndexConfig } from '@edgesync/config';
import type { CollectionName } from '@edgesync/document';
import type { QueriesUnderTest, StorageSetup } from '@edgesync/ports/testing';
import { SqliteStorage } from '../sqlite-storage.js';
import type { SqliteDatabase } from '../sqlite-database.js';

/** A new directory; `remove` deletes it with everything in it. */
export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'edgesync-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Indexes of all kinds, unless a test names its own: each test of the contracts then ends with a look at how exact they are. */
const indexesOf = (collections: readonly CollectionName[]): ReadonlyMap<string, IndexConfig> =>
  new Map(
    collections.flatMap((collection, number): [string, IndexConfig][] => [
      [`values${number}`, { collection, type: 'value', expressions: ['n', 'LENGTH(s)'] }],
      [`part${number}`, { collection, type: 'value', expressions: ['n'], where: 'n > 1' }],
      [`items${number}`, { collection, type: 'array', path: 'tags', expressions: [] }],
    ]),
  );

/** The storage on a new database in a temporary directory, with a clock of its own. */
export async function openTestStorage({
  database,
  collections,
  indexes,
  startSeconds,
}: StorageSetup): Promise<QueriesUnderTest> {
  const directory = temporaryDirectory();
  let milliseconds = startSeconds * 1_000;
  let storage: SqliteStorage;
  let opened: SqliteDatabase;
  const open = async (): Promise<void> => {
    storage = new SqliteStorage();
    opened = await storage.openDatabase({
      name: database,
      path: join(directory.path, `${database}.cblite2`),
      create: true,
      collections,
      indexes: indexes ?? indexesOf(collections),
      keepSuperseded: true,
      now: () => milliseconds,
    });
  };
  await open();
  return {
    get storage() {
      return storage;
    },
    advance: (seconds) => {
      milliseconds += seconds * 1_000;
    },
    sweep: () => opened.sweep(),
    reopen: async () => {
      await storage.close();
      await open();
    },
    close: async () => {
      try {
        const faults = await opened.checkIntegrity();
        if (faults.length > 0) throw new Error(faults.join('\n'));
      } finally {
        await storage.close();
        directory.remove();
      }
    },
  };
}
