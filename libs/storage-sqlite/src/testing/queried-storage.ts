import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { IndexConfig } from '@edgesync/config';
import type { Keyspace } from '@edgesync/document';
import type { QueryOptions, QueryResult, WriteRequest } from '@edgesync/ports';
import { ArrayValue, encode, isArray } from '@edgesync/query';
import type { MemoryDatabase } from '@edgesync/query/testing';
import type { DatabaseOptions } from '../open-database.js';
import type { SqliteDatabase } from '../sqlite-database.js';
import { SqliteStorage } from '../sqlite-storage.js';
import { temporaryDirectory } from './test-storage.js';

/** A storage of one database in a temporary directory. */
export interface QueriedStorage {
  readonly storage: SqliteStorage;
  readonly database: SqliteDatabase;
  readonly path: string;
  close(): Promise<void>;
}

export async function openQueriedStorage(options: Omit<DatabaseOptions, 'path' | 'create'>): Promise<QueriedStorage> {
  const directory = temporaryDirectory();
  const path = join(directory.path, `${options.name}.cblite2`);
  const storage = new SqliteStorage();
  const database = await storage.openDatabase({ ...options, path, create: true });
  return {
    storage,
    database,
    path,
    close: async () => {
      await storage.close();
      directory.remove();
    },
  };
}

/** Resolves when no index is being built any more. */
export async function indexesBuilt(storage: SqliteStorage, database: string): Promise<void> {
  for (;;) {
    const statuses = await storage.indexes(database);
    const failed = statuses.find(({ state }) => state === 'failed');
    if (failed) throw new Error(`the index ${failed.name}: ${failed.reason}`);
    if (statuses.every(({ state }) => state === 'ready')) return;
    await setTimeout(5);
  }
}

/** An index of every property of the documents, and one of every array. */
export function indexEverything(memory: MemoryDatabase): Map<string, IndexConfig> {
  const indexes = new Map<string, IndexConfig>();
  for (const [name, documents] of memory.collections) {
    const [scope, collection] = name.split('.') as [string, string];
    for (const { body } of documents)
      for (const [property, value] of body.members) {
        const path = `\`${property.replaceAll('`', '``')}\``;
        const place = { scope, collection };
        indexes.set(`${name} ${property}`, { collection: place, type: 'value', expressions: [path] });
        if (isArray(value))
          indexes.set(`${name} ${property}[]`, { collection: place, type: 'array', path, expressions: [] });
      }
  }
  return indexes;
}

/** Stores the documents of a database in memory. */
export async function copyInto(storage: SqliteStorage, database: string, memory: MemoryDatabase): Promise<void> {
  for (const [name, documents] of memory.collections) {
    const [scope, collection] = name.split('.') as [string, string];
    const keyspace: Keyspace = { database, scope, collection };
    const writes = documents.map(({ meta, body }): WriteRequest => ({
      type: 'edit',
      keyspace,
      id: meta.id as string,
      deleted: false,
      body: body.json,
      ...(meta.expiration !== undefined && { expiresAt: Number(meta.expiration as bigint) / 1_000 }),
    }));
    const results = await storage.write(database, writes);
    const deletions = documents.flatMap(({ meta }, index): WriteRequest[] => {
      const result = results[index]!;
      if (result.status !== 'stored') throw new Error(`${result.id}: ${result.status}`);
      return meta.deleted
        ? [{ type: 'edit', keyspace, id: result.id, deleted: true, body: '{}', expect: result.rev }]
        : [];
    });
    await storage.write(database, deletions);
  }
}

/** All rows of a statement, each as JSON text. */
export async function rowsOf(
  storage: SqliteStorage,
  keyspace: Keyspace,
  statement: string,
  options?: QueryOptions,
): Promise<string[]> {
  return collectRows(await storage.query(keyspace, statement, options));
}

export async function collectRows(result: QueryResult): Promise<string[]> {
  const texts: string[] = [];
  for await (const { json } of result) texts.push(json);
  return ArrayValue.fromJson(`[${texts.join()}]`).items.map(encode);
}
