import { loopbackPair } from '@edgesync/blip/testing';
import { describe, expect, it } from 'vitest';
import { ActiveSession, StoredCheckpoints } from '../index.js';
import { REAL_TIME } from '../testing/real-time.js';
import { answer, jsonOf, ScriptedPeer } from '../testing/scripted-peer.js';
import { DATABASE, DEFAULT, withMethods, World, type WorldOptions } from '../testing/world.js';

const rev = (generation: number, digit: string): string => `${generation}-${digit.repeat(32)}`;
const TAG = { collection: '0' };

/** A client that replicates with a server that does what the test says. */
async function scripted(options: WorldOptions = {}) {
  const client = await World.open(options);
  const [near, far] = loopbackPair({ scheduler: REAL_TIME });
  const peer = new ScriptedPeer(far)
    .on('getCollections', (request) => answer(request, [{}]))
    .on('setCheckpoint', (request) => request.respond())
    .on('subChanges', (request) => request.respond())
    .on('proposeChanges', (request) => {
      if (!request.noReply)
        answer(
          request,
          (jsonOf(request) as unknown[]).map(() => 0),
        );
    });
  const start = (push: boolean, pull: boolean): ActiveSession =>
    new ActiveSession(near, {
      context: client.context,
      version: 3,
      database: DATABASE,
      collections: [{ local: DEFAULT, checkpointId: 'cp' }],
      push,
      pull,
      continuous: true,
      checkpoints: new StoredCheckpoints(client.storage),
    });
  return {
    client,
    peer,
    start,
    [Symbol.asyncDispose]: async () => {
      await peer.connection.close();
      await client[Symbol.asyncDispose]();
    },
  };
}

const count = (peer: ScriptedPeer, profile: string): number =>
  peer.received.filter((line) => line.startsWith(`${profile} `)).length;

describe('R30: what is under way is bounded', () => {
  it('when the server takes revisions and answers none', async () => {
    const tuning = { pushWindowRevs: 20, unansweredRevs: 50 };
    await using world = await scripted({ tuning });
    await Promise.all(Array.from({ length: 1_500 }, (_, n) => world.client.put(`doc ${n}`, { n })));
    const replication = world.start(true, false);
    await expect.poll(() => count(world.peer, 'rev')).toBe(50);
    const held = await world.peer.next('rev');
    expect(count(world.peer, 'proposeChanges')).toBeLessThanOrEqual(3);
    expect(replication.link.connection.queuedBytes).toBe(0);
    expect(replication.pending).toBeGreaterThan(1_000);
    // Each answer makes room for one.
    held.respond();
    await expect.poll(() => count(world.peer, 'rev')).toBe(51);
  });

  // docs/protocol/failures.md#windows
  it('by bytes too: two megabytes wait for answers', async () => {
    await using world = await scripted();
    const text = 'x'.repeat(100_000);
    for (let n = 0; n < 60; n++) await world.client.put(`doc ${n}`, { n, text });
    world.start(true, false);
    await expect.poll(() => count(world.peer, 'rev')).toBe(21);
    const held = await world.peer.next('rev');
    await world.peer.ask('PING');
    expect(count(world.peer, 'rev')).toBe(21);
    held.respond();
    await expect.poll(() => count(world.peer, 'rev')).toBe(22);
  });

  it('when our own storage is slower than the server: further lists wait for their answers', async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await using world = await scripted({
      tuning: { pullWindowRevs: 25 },
      wrap: (storage) =>
        withMethods(storage, {
          write: async (...args) => {
            await released;
            return storage.write(...args);
          },
        }),
    });
    const { peer, client } = world;
    const replication = world.start(false, true);
    await expect.poll(() => count(peer, 'subChanges')).toBe(1);
    const asked = new Set<number>();
    const lists = Array.from({ length: 8 }, async (_, list) => {
      const rows = Array.from({ length: 10 }, (__, n) => [list * 10 + n + 1, `doc ${list} ${n}`, rev(1, 'a')]);
      await peer.ask('changes', TAG, rows);
      asked.add(list);
      for (const [sequence, id] of rows)
        peer.notify('rev', { ...TAG, id: String(id), rev: rev(1, 'a'), sequence: String(sequence) }, '{}');
    });
    await expect.poll(() => asked.size).toBe(3);
    await peer.ask('PING');
    expect([...asked]).toEqual([0, 1, 2]);
    release();
    await Promise.all(lists);
    await expect.poll(async () => (await client.storage.collection(DEFAULT)).documents).toBe(80);
    expect(replication.traffic.received).toBe(80);
  });
});

describe('R32: a revision that is forbidden', () => {
  it('while its next one already waits for the answer makes room for that', async () => {
    // The document is edited when the first of two pages of the log is read and the second is not.
    let pages = 0;
    let edit = async (): Promise<void> => {};
    await using world = await scripted({
      wrap: (storage) =>
        withMethods(storage, {
          changes: async (...args) => {
            if (++pages === 2) await edit();
            return storage.changes(...args);
          },
        }),
    });
    const { peer, client } = world;
    const first = await client.put('doc', { n: 1 });
    await Promise.all(Array.from({ length: 300 }, (_, n) => client.put(`other ${n}`, {})));
    edit = async () => void (await client.put('doc', { n: 2 }, { expect: first.rev }));
    const replication = world.start(true, false);
    const forbidden = await peer.next('rev');
    expect(forbidden.properties.get('id')).toBe('doc');
    await expect.poll(() => count(peer, 'rev')).toBe(301);
    forbidden.respondError({ domain: 'HTTP', code: 403, message: 'not yours' });
    await expect.poll(() => count(peer, 'rev')).toBe(302);
    for (let n = 0; n < 301; n++) (await peer.next('rev')).respond();
    await expect.poll(() => replication.isIdle).toBe(true);
    expect(peer.received.filter((line) => line.startsWith('rev ') && line.includes('"id":"doc"'))[1]).toContain(
      '{"n":2}',
    );
  });
});

describe('R27: a document that is taken away', () => {
  it('while a revision of it is still coming is gone in the end', async () => {
    await using world = await scripted();
    const { peer, client } = world;
    world.start(false, true);
    await expect.poll(() => count(peer, 'subChanges')).toBe(1);
    expect(jsonOf(await peer.ask('changes', TAG, [[1, 'doc', rev(1, 'a')]]))).toEqual([[]]);
    const revoked = peer.ask('changes', TAG, [[2, 'doc', rev(1, 'a'), 2]]);
    await peer.ask('PING');
    await peer.ask('rev', { ...TAG, id: 'doc', rev: rev(1, 'a'), sequence: '1' }, '{}');
    expect(jsonOf(await revoked)).toEqual([0]);
    expect(await client.documents()).toEqual({});
  });

  it('and given back at once is there in the end', async () => {
    await using world = await scripted();
    const { peer, client } = world;
    world.start(false, true);
    await expect.poll(() => count(peer, 'subChanges')).toBe(1);
    const lists = [
      peer.ask('changes', TAG, [[1, 'doc', rev(1, 'a')]]),
      peer.ask('changes', TAG, [[2, 'doc', rev(1, 'a'), 2]]),
      peer.ask('changes', TAG, [[3, 'doc', rev(1, 'a')]]),
    ];
    await lists[0];
    await peer.ask('rev', { ...TAG, id: 'doc', rev: rev(1, 'a'), sequence: '1' }, '{"n":1}');
    expect((await Promise.all(lists)).map(jsonOf)).toEqual([[[]], [0], [[]]]);
    await peer.ask('rev', { ...TAG, id: 'doc', rev: rev(1, 'a'), sequence: '3' }, '{"n":1}');
    expect(await client.documents()).toEqual({ doc: '{"n":1}' });
  });
});

// docs/protocol/replication.md#reply-to-changes
describe('a message of the server that cannot be read', () => {
  it.each(['changes', 'rev', 'norev'])(
    'ends the connection, for nobody knows what to wait for: %s',
    async (profile) => {
      await using world = await scripted();
      const { peer } = world;
      const replication = world.start(false, true);
      await expect.poll(() => count(peer, 'subChanges')).toBe(1);
      peer.notify(profile, TAG, '{}');
      expect((await replication.ended).error).toMatchObject({ code: 'request.invalid' });
      expect((await peer.closed).code).toBe(4001);
    },
  );
});

it('R31: a server that answers pings and nothing else is given up after a while', async () => {
  await using client = await World.open({ tuning: { openingMs: 30 } });
  const [near, far] = loopbackPair({ scheduler: REAL_TIME });
  const peer = new ScriptedPeer(far);
  const replication = new ActiveSession(near, {
    context: client.context,
    version: 3,
    database: DATABASE,
    collections: [{ local: DEFAULT, checkpointId: 'cp' }],
    push: true,
    pull: true,
    continuous: true,
    checkpoints: new StoredCheckpoints(client.storage),
  });
  expect(await replication.ended).toMatchObject({ error: { name: 'ReplicationError', info: { code: 504 } } });
  expect((await peer.closed).code).toBe(4001);
});
