import { expect, it } from 'vitest';
import { ActiveSession, StoredCheckpoints } from '@edgesync/replicator';
import { dial } from '@edgesync/socket-ws';
import { contextOf, runServer, temporaryStorage } from '../testing/running-server.js';

const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };
const edit = (id: string) => ({ type: 'edit', keyspace: DEFAULT, id, deleted: false, body: '{}' }) as const;

it('a session is listed while it lasts, audited when it begins and ends, and what it carries is counted', async () => {
  await using server = await runServer({
    enable_anonymous_users: true,
    databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
  });
  await using client = await temporaryStorage();
  await client.write('db', [edit('a'), edit('b')]);
  await server.storage.write('db', [edit('c')]);
  const metric = (name: string): string | undefined =>
    server.metrics
      .render()
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1);
  const revisions = (direction: string) =>
    metric(`edgesync_sync_revisions_total{database="db",direction="${direction}"}`);

  const transport = await dial(`ws://127.0.0.1:${server.port}/db/_blipsync`, { protocols: ['BLIP_3+CBMobile_4'] });
  const replication = new ActiveSession(transport, {
    context: contextOf(client),
    version: 4,
    database: 'db',
    collections: [{ local: DEFAULT, checkpointId: 'cp-test' }],
    push: true,
    pull: true,
    continuous: true,
    checkpoints: new StoredCheckpoints(client),
  });
  await replication.whenIdle();
  expect(metric('edgesync_sync_sessions{database="db"}')).toBe('1');
  expect([revisions('sent'), revisions('received')]).toEqual(['1', '2']);
  expect(Number(metric('edgesync_sync_bytes_total{database="db",direction="received"}'))).toBeGreaterThan(500);

  expect(await server.tasks.listAll()).toEqual([
    {
      task_id: expect.any(Number) as unknown,
      type: 'sync',
      age_secs: expect.any(Number) as unknown,
      db: 'db',
      ks: 'db',
      ip: '127.0.0.1',
      revs_sent: 1,
      revs_received: 2,
    },
  ]);

  await server.stop();
  await replication.ended;
  expect(metric('edgesync_sync_sessions{database="db"}')).toBe('0');
  expect(metric('edgesync_sync_sessions_total{database="db",protocol="BLIP_3+CBMobile_4"}')).toBe('1');
  expect([revisions('sent'), revisions('received')]).toEqual(['1', '2']);
  expect(await server.tasks.listAll()).toEqual([]);
  const session = {
    session_id: expect.any(Number) as unknown,
    db: 'db',
    remote: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as unknown,
  };
  expect(server.audit).toEqual([
    expect.objectContaining({ id: 57353, ...session, protocol: 'BLIP_3+CBMobile_4' }),
    expect.objectContaining({ id: 57354, ...session, code: 4001, seconds: expect.any(Number) as unknown }),
  ]);
});
