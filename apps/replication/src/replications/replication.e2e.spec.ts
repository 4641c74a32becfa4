import { systemScheduler } from '@edgesync/async';
import { describe, expect, it } from 'vitest';
import { Subscriptions } from '@edgesync/change-feed';
import { EdgeError } from '@edgesync/errors';
import type { SqliteStorage } from '@edgesync/storage-sqlite';
import { LinkProxy } from '@edgesync/test-kit';
import { runServer, temporaryStorage } from '../testing/running-server.js';
import { startReplication, until } from '../testing/started-replication.js';

const OPEN = {
  enable_anonymous_users: true,
  databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
};
const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };

const edit = (id: string, body: object, expect?: string) =>
  ({
    type: 'edit',
    keyspace: DEFAULT,
    id,
    deleted: false,
    body: JSON.stringify(body),
    ...(expect !== undefined && { expect }),
  }) as const;

const many = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => edit(`${prefix} ${index}`, { index, text: 'x'.repeat(200) }));

/** Every document with its revision, so that equal means equal history, not just content. */
async function contents(storage: SqliteStorage): Promise<Record<string, string>> {
  const { rows } = await storage.changes(DEFAULT, { since: 0, limit: 1_000_000 });
  return Object.fromEntries(
    rows
      .map(({ id, vector, deleted, body }) => [id, `${vector.split(/[,;]/)[0]} ${deleted} ${String(body)}`] as const)
      .sort(),
  );
}

describe('a replication', () => {
  it.each([
    { direction: 'push', definition: {}, here: 120, there: 130 },
    { direction: 'pull', definition: { source: 'remote', target: 'db' }, here: 130, there: 120 },
    { direction: 'both', definition: { bidirectional: true }, here: 130, there: 130 },
  ])('of one direction carries that direction only: $direction', async ({ definition, here, there }) => {
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await local.write('db', many('here', 120));
    await server.storage.write('db', many('there', 10));
    if (here === 130 && there === 120) await local.write('db', []);
    const remote = `ws://127.0.0.1:${server.port}/db`;
    await using started = startReplication(local, remote, {
      bidirectional: false,
      continuous: false,
      ...definition,
      ...('source' in definition && { source: remote }),
    });
    expect(await started.replication.ended).toBeUndefined();
    const counts = [(await local.collection(DEFAULT)).documents, (await server.storage.collection(DEFAULT)).documents];
    expect(counts).toEqual(definition.bidirectional ? [130, 130] : 'source' in definition ? [130, 10] : [120, 130]);
  });

  it('that is continuous rests at Idle without an error and carries what is written at once', async () => {
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await using started = startReplication(local, server.port);
    await started.idle();
    expect(started.replication).toMatchObject({ activity: 'Idle', failure: undefined, pending: 0 });
    await local.write('db', [edit('up', { n: 1 })]);
    await server.storage.write('db', [edit('down', { n: 1 })]);
    await until(async () => (await server.storage.collection(DEFAULT)).documents === 2);
    await until(async () => (await local.collection(DEFAULT)).documents === 2);
    await started.idle();
    expect(await contents(local)).toEqual(await contents(server.storage));
    expect(started.replication.traffic.documents).toEqual({ sent: 1, received: 1 });
    expect(started.replication.traffic.bytes.sent).toBeGreaterThan(100);
    await started.replication.stop();
    expect(started.replication).toMatchObject({ activity: 'Stopped', failure: undefined });
  });

  it('resumes where it was, without sending anything twice', async () => {
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await local.write('db', many('here', 300));
    for (const expected of [300, 0, 1]) {
      if (expected === 1) await local.write('db', [edit('one more', {})]);
      await using started = startReplication(local, server.port, { continuous: false });
      await started.replication.ended;
      expect(started.replication.traffic.documents).toEqual({ sent: expected, received: 0 });
    }
  });

  it('carries what apps write up at once, and what comes from above to apps and feeds that wait', async () => {
    await using upper = await runServer(OPEN);
    await using lower = await runServer(OPEN);
    await lower.control.start({
      source: 'db',
      target: `ws://127.0.0.1:${upper.port}/db`,
      bidirectional: true,
      continuous: true,
    });
    await using below = await temporaryStorage();
    await using above = await temporaryStorage();
    await using appBelow = startReplication(below, lower.port);
    await using appAbove = startReplication(above, upper.port);
    await Promise.all([appBelow.idle(), appAbove.idle()]);
    const feed = new Subscriptions(lower.storage, systemScheduler).subscribe(DEFAULT, { since: 0, bodies: true });
    const seen: string[] = [];
    const watching = (async () => {
      for (let page = await feed.next(); page; page = await feed.next()) seen.push(...page.rows.map(({ id }) => id));
    })();
    await below.write('db', [edit('from below', { n: 1 })]);
    await until(async () => (await above.collection(DEFAULT)).documents === 1);
    await above.write('db', [edit('from above', { n: 1 })]);
    await until(async () => (await below.collection(DEFAULT)).documents === 2);
    await until(() => seen.length === 2);
    expect(seen).toEqual(['from below', 'from above']);
    feed.close();
    await watching;
    const all = [below, lower.storage, upper.storage, above];
    const [first, ...others] = await Promise.all(all.map(contents));
    for (const other of others) expect(other).toEqual(first);
    for (const storage of all) expect((await storage.collection(DEFAULT)).lastSequence).toBe(2);
  });

  // docs/protocol/edge-server.md#conflicts
  it('resolves conflicts by the rule, reports them, and pushes the outcome back', async () => {
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await using started = startReplication(local, server.port);
    await local.write('db', [edit('doc', { n: 0 })]);
    await until(async () => (await server.storage.collection(DEFAULT)).documents === 1);
    await started.replication.stop();
    const rev = async (storage: SqliteStorage) => (await storage.read(DEFAULT, ['doc']))[0]!.rev;
    await server.storage.write('db', [edit('doc', { by: 'server' }, await rev(server.storage))]);
    await local.write('db', [edit('doc', { by: 'local, the last to write' }, await rev(local))]);
    await using again = startReplication(local, server.port);
    await until(async () => (await server.storage.read(DEFAULT, ['doc']))[0]!.body.includes('last'));
    await again.idle();
    expect(again.conflicts).toEqual([{ id: 'doc', winner: 'local' }]);
    expect(again.failed).toEqual([]);
    expect(await contents(local)).toEqual(await contents(server.storage));
  });
});

describe('when the link fails', () => {
  it.each([
    ['in the upgrade', { up: 100 }],
    ['before the checkpoints', { down: 200 }],
    ['in the middle of a push', { up: 60_000 }],
    ['in the middle of a pull', { down: 60_000 }],
  ])('%s, it goes on afterwards and nothing is missing or doubled', async (_, limit) => {
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await local.write('db', many('here', 800));
    await server.storage.write('db', many('there', 800));
    await using link = await LinkProxy.to(server.port);
    link.cutOnceAfter(limit);
    await using started = startReplication(local, link.port);
    await until(async () => (await server.storage.collection(DEFAULT)).documents === 1600);
    await until(async () => (await local.collection(DEFAULT)).documents === 1600);
    await started.idle();
    expect(link.connections).toBe(2);
    expect(await contents(local)).toEqual(await contents(server.storage));
    expect(started.replication.failure).toBeUndefined();
  });

  it('again and again at any place, everything arrives', async () => {
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await local.write('db', many('here', 2_000));
    const blob = await local.putBlob(
      'db',
      new Uint8Array(400_000).map((_, index) => (index * 7919) >> 3),
    );
    await local.write('db', [edit('with blob', { pic: { '@type': 'blob', ...blob } })]);
    await using link = await LinkProxy.to(server.port);
    await using started = startReplication(local, link.port);
    for (let cut = 0; cut < 6; cut++) {
      const before = started.connections();
      link.cutOnceAfter({ up: 15_000 + cut * 20_000 });
      await until(() => started.connections() > before || started.replication.activity === 'Idle');
    }
    await until(async () => (await server.storage.collection(DEFAULT)).documents === 2_001);
    await started.idle();
    expect(await server.storage.missingBlobs('db', [blob.digest])).toEqual([]);
    expect(await contents(local)).toEqual(await contents(server.storage));
    expect((await server.storage.collection(DEFAULT)).lastSequence).toBe(2_001);
  });

  it('shows that it is offline, why, what waits and when it tries again; a one-shot gives up', async () => {
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await using link = await LinkProxy.to(server.port);
    await using started = startReplication(local, link.port);
    await started.idle();
    link.cut();
    await until(() => started.replication.activity === 'Offline');
    await local.write('db', many('waiting', 3));
    await until(async () => {
      await started.replication.countWaiting();
      return started.replication.activity === 'Offline' && started.replication.pending === 3;
    });
    expect(started.replication.failure).toMatchObject({ kind: 'transient' });
    expect(started.replication.nextRetry).toBeGreaterThan(Date.now());
    await using oneShot = startReplication(local, link.port, { continuous: false });
    expect(await oneShot.replication.ended).toMatchObject({ domain: 5, code: 18 });
    expect(oneShot.replication.activity).toBe('Stopped');
    expect(oneShot.log).toHaveLength(9);
    link.restore();
    await until(async () => (await server.storage.collection(DEFAULT)).documents === 3);
    await started.idle();
    expect(started.replication).toMatchObject({ failure: undefined, nextRetry: undefined });
  });

  it('for good, it stops with the reason', async () => {
    await using server = await runServer(OPEN);
    await using local = await temporaryStorage();
    await using unknown = startReplication(local, `ws://127.0.0.1:${server.port}/nothing`);
    expect(await unknown.replication.ended).toMatchObject({ domain: 6, code: 404, kind: 'permanent' });
    await using nowhere = startReplication(local, 'ws://no-such-host.invalid/db', { continuous: false });
    expect(await nowhere.replication.ended).toMatchObject({ domain: 5 });
  });

  it('finds a server that was replaced by an empty one, and fills it', async () => {
    await using local = await temporaryStorage();
    await local.write('db', many('here', 150));
    await using first = await runServer(OPEN);
    await using second = await runServer(OPEN);
    await second.storage.write('db', many('there', 20));
    await using link = await LinkProxy.to(first.port);
    await using started = startReplication(local, link.port);
    await until(async () => (await first.storage.collection(DEFAULT)).documents === 150);
    await started.idle();
    link.target = second.port;
    link.cut();
    link.restore();
    await until(async () => (await second.storage.collection(DEFAULT)).documents === 170);
    await until(async () => (await local.collection(DEFAULT)).documents === 170);
    await started.idle();
    expect(await contents(local)).toEqual(await contents(second.storage));
  });

  it('because the local disk is full, it waits for room and loses nothing', async () => {
    await using server = await runServer(OPEN);
    await server.storage.write('db', many('there', 50));
    await using local = await temporaryStorage();
    let isFull = true;
    const storage = new Proxy(local, {
      get: (target, name) => {
        if (name === 'write' && isFull) return () => Promise.reject(new EdgeError('storage.full'));
        const member = Reflect.get(target, name) as unknown;
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    await using started = startReplication(storage, server.port);
    await until(() => started.replication.activity === 'Offline');
    expect(started.replication.failure).toMatchObject({ domain: 2, code: 28, kind: 'transient' });
    isFull = false;
    await until(async () => (await local.collection(DEFAULT)).documents === 50);
    await started.idle();
    expect(await contents(local)).toEqual(await contents(server.storage));
  });

  it('because the local disk has no room for a blob, it waits for room, and the document comes with it', async () => {
    await using server = await runServer(OPEN);
    const blob = await server.storage.putBlob(
      'db',
      new Uint8Array(300_000).map((_, index) => index >> 3),
    );
    await server.storage.write('db', [...many('there', 5), edit('with blob', { pic: { '@type': 'blob', ...blob } })]);
    await using local = await temporaryStorage();
    let isFull = true;
    const storage = new Proxy(local, {
      get: (target, name) => {
        if (name === 'putBlob' && isFull) return () => Promise.reject(new EdgeError('storage.full'));
        const member = Reflect.get(target, name) as unknown;
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    await using started = startReplication(storage, server.port);
    await until(() => started.replication.activity === 'Offline');
    expect(started.replication.failure).toMatchObject({ domain: 2, code: 28, kind: 'transient' });
    expect(await local.read(DEFAULT, ['with blob'])).toEqual([undefined]);
    isFull = false;
    await until(async () => (await local.collection(DEFAULT)).documents === 6);
    await started.idle();
    expect(await local.missingBlobs('db', [blob.digest])).toEqual([]);
    expect(started.failed).toEqual([]);
  });

  it('waits for a server that is shut down to come back', async () => {
    await using local = await temporaryStorage();
    let server = await runServer(OPEN);
    await using link = await LinkProxy.to(server.port);
    await using started = startReplication(local, link.port);
    await started.idle();
    await server[Symbol.asyncDispose]();
    await until(() => started.replication.activity === 'Offline');
    await local.write('db', [edit('late', {})]);
    server = await runServer(OPEN);
    link.target = server.port;
    await until(async () => (await server.storage.collection(DEFAULT)).documents === 1);
    await started.replication.stop();
    await server[Symbol.asyncDispose]();
  });
});
