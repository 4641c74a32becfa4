import 'reflect-metadata';
import { Bus, StorageServer } from '@edgesync/bus-nats';
import { SqliteStorage } from '@edgesync/storage-sqlite';

/** Serves one new database over NATS until it is killed. Says `ready`. */
const [url, path] = process.argv.slice(2);
const bus = await Bus.connect({ servers: url!, name: 'storage' });
const storage = new SqliteStorage();
await storage.openDatabase({ name: 'db', path: path!, create: true });
await new StorageServer(bus, storage).serve('db');
console.log('ready');
