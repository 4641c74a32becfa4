import 'reflect-metadata';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { Bus, Ownership, LeaseBucket, StorageServer } from '../index.js';

/**
 * A storage process: owns databases as it gets hold of them and serves them, until SIGTERM. Says on standard output
 * `ready`, and then `owns <database>` and `gave <database>` as it happens.
 */
const [url, directory, life, ...databases] = process.argv.slice(2);
const bus = await Bus.connect({ servers: url!, name: 'storage' });
const storage = new SqliteStorage();
const server = new StorageServer(bus, storage);
const bucket = new LeaseBucket(bus, { life: Number(life) });
const ownership = new Ownership(bucket, `process ${process.pid}`, {
  acquired: async (lease) => {
    const { name: database } = lease;
    await storage.openDatabase({
      name: database,
      path: `${directory}/${database}.cblite2`,
      create: true,
      checkOwnership: () => lease.assertHeld(),
    });
    await server.serve(database, () => lease.held);
    console.log(`owns ${database}`);
  },
  given: async (database) => {
    await server.withdraw(database);
    await storage.closeDatabase(database);
    console.log(`gave ${database}`);
  },
  report: (database, error) => console.log(`fault ${database} ${(error as Error).message}`),
});
for (const database of databases) ownership.pursue(database);
console.log('ready');
process.once('SIGTERM', () => {
  void (async () => {
    await ownership.stop();
    await server.close();
    await storage.close();
    await bus.close();
  })();
});
