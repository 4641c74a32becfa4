import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QueriesUnderTest, StorageSetup } from '@edgesync/ports/testing';
import { SqliteStorage } from '../sqlite-storage.js';
import type { SqliteDatabase } from '../sqlite-database.js';

/** A new directory; `remove` deletes it with everything in it. */
export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'edgesync-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The storage on a new database in a temporary directory, with a clock of its own. */
export async function openTestStorage({
  database,
  collections,
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
