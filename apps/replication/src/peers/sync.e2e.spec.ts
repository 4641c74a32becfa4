import { describe, expect, it } from 'vitest';
import { ActiveSession, type ActiveSessionOptions, StoredCheckpoints } from '@edgesync/replicator';
import { dial } from '@edgesync/socket-ws';
import { subprotocolOf } from '@edgesync/sync-protocol';
import { contextOf, runServer, temporaryStorage } from '../testing/running-server.js';

const open = {
  enable_anonymous_users: true,
  databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
};
const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };

type Storage = Awaited<ReturnType<typeof temporaryStorage>>;

async function replicate(
  port: number,
  storage: Storage,
  options: Partial<ActiveSessionOptions> = {},
): Promise<ActiveSession> {
  const version = options.version ?? 4;
  const transport = await dial(`ws://127.0.0.1:${port}/db/_blipsync`, { protocols: [subprotocolOf(version)] });
  return new ActiveSession(transport, {
    context: contextOf(storage),
    version,
    database: 'db',
    collections: [{ local: DEFAULT, checkpointId: 'cp-test' }],
    push: true,
    pull: true,
    continuous: false,
    checkpoints: new StoredCheckpoints(storage),
    ...options,
  });
}

const edit = (id: string, body: object) =>
  ({ type: 'edit', keyspace: DEFAULT, id, deleted: false, body: JSON.stringify(body) }) as const;

describe.each([2, 3, 4] as const)('sync over a socket, protocol %i', (version) => {
  const form = { version, withoutCollections: version < 3 };

  it('makes both databases equal', async () => {
    await using server = await runServer(open);
    await using client = await temporaryStorage();
    const here = Array.from({ length: 300 }, (_, index) => edit(`client ${index}`, { index }));
    const there = Array.from({ length: 300 }, (_, index) => edit(`server ${index}`, { index }));
    await client.write('db', here);
    await server.storage.write('db', there);
    const end = await (await replicate(server.port, client, form)).ended;
    expect(end).toEqual({ close: { code: 1000, reason: '', by: 'us' } });
    const ids = async (storage: Storage | typeof server.storage): Promise<string[]> =>
      (await storage.list(DEFAULT, { limit: 1000 })).rows.map(({ id, body }) => `${id} ${body}`);
    expect(await ids(client)).toHaveLength(600);
    expect(await ids(client)).toEqual(await ids(server.storage));
  });

  // docs/protocol/connection.md#close-codes
  it('sends apps away with 4001 when the server stops, and takes no new ones', async () => {
    await using server = await runServer(open);
    await using client = await temporaryStorage();
    const replication = await replicate(server.port, client, { ...form, continuous: true });
    await replication.whenIdle();
    expect(server.sessions.list()).toMatchObject([{ database: 'db', traffic: { sent: 0, received: 0 } }]);
    await server.stop();
    const { close } = await replication.ended;
    expect(close).toMatchObject({ code: 4001, by: 'peer' });
    expect(server.sessions.list()).toEqual([]);
    expect(server.log.join('\n')).toContain('disconnected: 4001');
  });
});
