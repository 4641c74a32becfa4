import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bus, NatsStorage, StorageServer } from '@edgesync/bus-nats';
import { readConfig, type DatabaseConfig } from '@edgesync/config';
import { Loggers } from '@edgesync/logging';
import { Metrics } from '@edgesync/metrics';
import { exportBundle, SqliteDatabase, SqliteStorage } from '@edgesync/storage-sqlite';
import { startNatsServer, type NatsServer } from '@edgesync/test-kit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DatabaseOpener } from '../database-opener.service.js';

const KEYSPACE = { database: 'db', scope: '_default', collection: '_default' };
const DOCUMENTS = 30_000;

let directory: string;
let path: string;
let nats: NatsServer;
beforeAll(async () => {
  nats = await startNatsServer();
  directory = mkdtempSync(join(tmpdir(), 'edgesync-'));
  path = join(directory, 'db.cblite2');
  await makeBundle();
}, 60_000);
afterAll(async () => {
  await nats.dispose();
  rmSync(directory, { recursive: true });
});

/** A database as an app leaves it. */
async function makeBundle(): Promise<void> {
  const source = join(directory, 'source.cblite2');
  const database = await SqliteDatabase.open({ name: 'db', path: source, create: true });
  for (let start = 0; start < DOCUMENTS; start += 1_000)
    await database.write(
      Array.from({ length: 1_000 }, (_, n) => ({
        type: 'edit',
        keyspace: KEYSPACE,
        id: `doc${start + n}`,
        deleted: false,
        body: '{"n":1}',
      })),
    );
  await database.close();
  await exportBundle(source, path, { format: 3 });
}

function configured(): DatabaseConfig {
  const read = readConfig(JSON.stringify({ databases: { db: { path } } }), { file: 'config.json' });
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  return read.value.databases.get('db')!;
}

it(
  'a database that is imported answers with the progress over the bus, is interrupted, and goes on',
  { timeout: 60_000 },
  async () => {
    const bus = await Bus.connect({ servers: nats.url, name: 'both' });
    const sqlite = new SqliteStorage();
    const output = { line: () => undefined, flush: async () => undefined, flushSync: () => undefined };
    const loggers = new Loggers({ config: { console: false, domains: new Map() }, output, now: Date.now });
    const opener = new DatabaseOpener(loggers, new Metrics(), sqlite);
    const server = new StorageServer(bus, sqlite);
    const storage = new NatsStorage(bus, { databases: ['db'], patience: 50 });

    const first = await opener.open(configured());
    await server.serve('db', () => true, first.opened);
    await expect(storage.describe('db')).rejects.toMatchObject({
      code: 'storage.unavailable',
      message: expect.stringContaining('being imported'),
    });
    await server.withdraw('db');
    await opener.close('db');
    await expect(first.opened).rejects.toMatchObject({ code: 'storage.closed' });

    const second = await opener.open(configured());
    await server.serve('db', () => true, second.opened);
    await second.opened;
    expect(await storage.collection(KEYSPACE)).toMatchObject({ documents: DOCUMENTS });
    const changed = new Promise((resolve) => storage.watch(KEYSPACE, resolve));
    await storage.write('db', [{ type: 'edit', keyspace: KEYSPACE, id: 'new', deleted: false, body: '{}' }]);
    expect(await changed).toMatchObject({ keyspace: KEYSPACE });

    storage.close();
    await server.close();
    await sqlite.close();
    await bus.close();
  },
);
