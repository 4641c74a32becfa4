import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DATABASE, DEFAULT, edit } from '@edgesync/ports/testing';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { startNatsCluster, type NatsServer } from '@edgesync/test-kit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Bus, Ownership, LeaseBucket, NatsStorage, StorageServer } from './index.js';

let cluster: NatsServer[];
let directory: string;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  cluster = await startNatsCluster();
  directory = mkdtempSync(join(tmpdir(), 'edgesync-'));
});
afterEach(async () => {
  for (const job of cleanUp.splice(0).reverse()) await job();
  for (const node of cluster) await node.dispose();
  rmSync(directory, { recursive: true, force: true });
});

async function connect(name: string): Promise<Bus> {
  const bus = await Bus.connect({ servers: cluster.map(({ url }) => url), name });
  cleanUp.push(() => bus.close());
  return bus;
}

it('callers do not notice that a node of a NATS cluster is lost, whichever it is', { timeout: 120_000 }, async () => {
  const serverBus = await connect('storage');
  const sqlite = new SqliteStorage();
  cleanUp.push(() => sqlite.close());
  const server = new StorageServer(serverBus, sqlite);
  const events: string[] = [];
  const ownership = new Ownership(new LeaseBucket(serverBus, { replicas: 3 }), 'test', {
    acquired: async (lease) => {
      await sqlite.openDatabase({ name: DATABASE, path: join(directory, 'plant.cblite2'), create: true });
      await server.serve(DATABASE, () => lease.held);
      events.push('acquired');
    },
    given: async () => {
      events.push('given');
      await server.withdraw(DATABASE);
      await sqlite.closeDatabase(DATABASE);
    },
    report: () => undefined,
  });
  ownership.pursue(DATABASE);
  cleanUp.push(() => ownership.stop());
  await expect.poll(() => events, { timeout: 60_000 }).toEqual(['acquired']);

  const clientBus = await connect('gateway');
  const storage = new NatsStorage(clientBus, { databases: [DATABASE] });
  cleanUp.push(async () => storage.close());
  const bucket = new LeaseBucket(clientBus, { replicas: 3 });
  const revision = (): Promise<number> =>
    bucket.look(DATABASE).then(
      (entry) => entry?.revision ?? 0,
      () => 0,
    );
  let stop = false;
  let written = 0;
  const writing = (async () => {
    while (!stop) {
      const [result] = await storage.write(DATABASE, [edit(`doc${written}`, { keyspace: DEFAULT })]);
      expect(result).toMatchObject({ status: 'stored' });
      written++;
    }
  })();
  cleanUp.push(async () => void (stop = true));

  for (const node of cluster) {
    const before = written;
    await Promise.race([writing, expect.poll(() => written, { timeout: 30_000 }).toBeGreaterThan(before + 50)]);
    await node.stop();
    const down = written;
    await Promise.race([writing, expect.poll(() => written, { timeout: 30_000 }).toBeGreaterThan(down + 200)]);
    // The lease goes on being renewed: the cluster has a leader for it again.
    const then = await revision();
    await Promise.race([writing, expect.poll(revision, { timeout: 30_000, interval: 200 }).toBeGreaterThan(then)]);
    await node.restart();
    // One node at a time: until this one has caught up, the cluster is as if two were lost.
    await expect.poll(() => node.isHealthy(), { timeout: 60_000, interval: 100 }).toBe(true);
  }
  stop = true;
  await writing;
  expect(events).toEqual(['acquired']);
  expect(await storage.collection(DEFAULT)).toMatchObject({ documents: written, lastSequence: written });
});
