import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StorageSetup, StorageUnderTest } from '@edgesync/ports/testing';
import { SqliteStorage, type SqliteDatabase } from '@edgesync/storage-sqlite';
import { Bus, NatsStorage, StorageServer, type CallerOptions } from '../index.js';

/** A storage whose caller and owner talk over NATS, in one process. */
export interface SplitStorage extends StorageUnderTest {
  readonly storage: NatsStorage;
  /** The owner's side. */
  readonly sqlite: SqliteStorage;
  readonly server: StorageServer;
  readonly clientBus: Bus;
  readonly serverBus: Bus;
}

export interface SplitOptions extends CallerOptions {
  /** Where the caller finds NATS, if not where the owner does. */
  readonly clientUrl?: string;
}

/** Opens a new database in a temporary directory and serves it over the NATS server at `url`. */
export async function openSplitStorage(
  url: string,
  { database, collections, indexes, startSeconds }: StorageSetup,
  options: SplitOptions = {},
): Promise<SplitStorage> {
  const directory = mkdtempSync(join(tmpdir(), 'edgesync-'));
  let milliseconds = startSeconds * 1_000;
  const serverBus = await Bus.connect({ servers: url, name: 'storage' });
  const clientBus = await Bus.connect({ servers: options.clientUrl ?? url, name: 'gateway' });
  let sqlite: SqliteStorage;
  let opened: SqliteDatabase;
  let server: StorageServer;
  const start = async (): Promise<void> => {
    sqlite = new SqliteStorage();
    opened = await sqlite.openDatabase({
      name: database,
      path: join(directory, `${database}.cblite2`),
      create: true,
      collections,
      ...(indexes && { indexes }),
      keepSuperseded: true,
      now: () => milliseconds,
    });
    server = new StorageServer(serverBus, sqlite);
    await server.serve(database);
  };
  const stop = async (): Promise<void> => {
    await server.close();
    await sqlite.close();
  };
  await start();
  const storage = new NatsStorage(clientBus, { databases: [database], ...options });
  return {
    storage,
    clientBus,
    serverBus,
    get sqlite() {
      return sqlite;
    },
    get server() {
      return server;
    },
    advance: (seconds) => {
      milliseconds += seconds * 1_000;
    },
    sweep: () => opened.sweep(),
    reopen: async () => {
      await stop();
      await start();
    },
    close: async () => {
      try {
        storage.close();
        await stop();
        await clientBus.close();
        await serverBus.close();
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
  };
}
