import { describe, expect, it } from 'vitest';
import { compareRevIds, currentVersionOf } from '@edgesync/revision';
import { DEFAULT, World } from '../testing/world.js';

// Each client has its own database and knows only its own kind of ID on the wire; the server stands between them.

type Generation = 'old' | 'new';

async function sync(server: World, client: World, generation: Generation): Promise<{ sent: number; received: number }> {
  const form = generation === 'old' ? { version: 3 as const, withoutCollections: true } : { version: 4 as const };
  const replication = await server.replicate(client, form);
  const { error } = await replication.ended;
  if (error) throw error as Error;
  return { ...replication.traffic };
}

async function edit(world: World, id: string, body: object, deleted = false): Promise<void> {
  const [stored] = await world.storage.read(DEFAULT, [id]);
  const isLive = stored && !stored.deleted;
  await world.put(id, body, { deleted, ...(isLive && { expect: stored.rev }) });
}

async function bodyOf(world: World, id = 'doc'): Promise<string | undefined> {
  return (await world.documents())[id];
}

/** Syncs in turns until nothing moves. @returns how many turns moved something */
async function settle(server: World, clients: readonly (readonly [World, Generation])[]): Promise<number> {
  for (let turn = 0; turn < 10; turn++) {
    let moved = 0;
    for (const [client, generation] of clients) {
      const { sent, received } = await sync(server, client, generation);
      moved += sent + received;
    }
    if (moved === 0) return turn;
  }
  throw new Error('it never comes to rest');
}

// docs/protocol/revisions.md#documents-with-both
describe('both generations of clients on one database', () => {
  it.each([
    ['old', 'new'],
    ['new', 'old'],
  ] as const)('an edit of the %s client reaches the %s one and comes back edited', async (first, second) => {
    await using server = await World.open();
    await using author = await World.open();
    await using reader = await World.open();
    await edit(author, 'doc', { n: 1 });
    await sync(server, author, first);
    await sync(server, reader, second);
    expect(await bodyOf(reader)).toBe('{"n":1}');
    await edit(reader, 'doc', { n: 2 });
    await sync(server, reader, second);
    await sync(server, author, first);
    expect(await bodyOf(author)).toBe('{"n":2}');
    await edit(author, 'doc', {}, true);
    await sync(server, author, first);
    await sync(server, reader, second);
    expect(await bodyOf(reader)).toBe('deleted');
    await edit(reader, 'doc', { again: true });
    await sync(server, reader, second);
    await sync(server, author, first);
    expect(await bodyOf(author)).toBe('{"again":true}');
    expect(
      await settle(server, [
        [author, first],
        [reader, second],
      ]),
    ).toBe(0);
  });

  it('an edit by REST reaches both, under both kinds of IDs', async () => {
    await using server = await World.open();
    await using old = await World.open();
    await using young = await World.open();
    const stored = await server.put('doc', { by: 'REST' });
    await sync(server, old, 'old');
    await sync(server, young, 'new');
    expect((await old.storage.read(DEFAULT, ['doc']))[0]!.rev).toBe(stored.rev);
    expect(currentVersionOf((await young.storage.read(DEFAULT, ['doc']))[0]!.vector)).toBe(stored.vector);
  });

  it('conflicts between them are seen as conflicts and end alike everywhere', async () => {
    await using server = await World.open();
    await using old = await World.open();
    await using young = await World.open();
    const all = [
      [old, 'old'],
      [young, 'new'],
    ] as const;
    await edit(server, 'doc', { n: 0 });
    await settle(server, all);
    await edit(old, 'doc', { by: 'old' });
    await edit(young, 'doc', { by: 'young' });
    await edit(server, 'doc', { by: 'REST' });
    expect(await settle(server, all)).toBeLessThanOrEqual(3);
    const bodies = await Promise.all([server, old, young].map((world) => bodyOf(world)));
    expect(new Set(bodies).size).toBe(1);
    expect(bodies[0]).toMatch(/old|young|REST/);
  });

  it.each([1, 7920, 15839, 12345])(
    'a walk through many edits and conflicts (seed %i) converges without ping-pong',
    async (seed) => {
      await using server = await World.open();
      await using old = await World.open();
      await using young = await World.open();
      await using other = await World.open();
      const clients = [
        [old, 'old'],
        [young, 'new'],
        [other, 'old'],
      ] as const;
      let state = seed;
      const random = (below: number): number => {
        state = (state * 1103515245 + 12345) % 2147483648;
        return Math.floor((state / 2147483648) * below);
      };
      for (let round = 0; round < 12; round++) {
        for (let step = 0; step < 4; step++) {
          const world = [server, old, young, other][random(4)]!;
          const id = `doc ${random(3)}`;
          const [stored] = await world.storage.read(DEFAULT, [id]);
          const deletes = random(5) === 0 && stored !== undefined && !stored.deleted;
          await edit(world, id, deletes ? {} : { round, step }, deletes);
        }
        const [client, generation] = clients[random(3)]!;
        await sync(server, client, generation);
      }
      expect(await settle(server, clients)).toBeLessThanOrEqual(4);
      const expected = await server.documents();
      for (const [client] of clients) expect(await client.documents()).toEqual(expected);
      const [treeClient] = clients[0];
      for (const id of Object.keys(expected)) {
        const [here] = await server.storage.read(DEFAULT, [id]);
        const [there] = await treeClient.storage.read(DEFAULT, [id]);
        expect(compareRevIds(here!.rev, there!.rev)).toBe(0);
      }
      expect(server.faults).toEqual([]);
    },
  );
});

describe('a database that is not the one the client knows', () => {
  // docs/protocol/checkpoints.md#restored-databases
  it('a new one of the same name gets everything again', async () => {
    await using client = await World.open();
    await edit(client, 'doc', { n: 1 });
    await using first = await World.open();
    await sync(first, client, 'new');
    await using second = await World.open();
    await edit(second, 'other', {});
    expect(await sync(second, client, 'new')).toEqual({ sent: 1, received: 1 });
    expect(await second.documents()).toEqual(await client.documents());
  });

  it('an older copy gets what it has lost, and goes on', async () => {
    await using client = await World.open();
    await edit(client, 'doc', { n: 1 });
    await using server = await World.open();
    await sync(server, client, 'old');
    await using copy = await World.open();
    await sync(copy, client, 'old');
    for (let n = 2; n <= 5; n++) {
      await edit(client, 'doc', { n });
      await edit(server, `server ${n}`, { n });
      await sync(server, client, 'old');
    }
    await edit(copy, 'written after the restore', {});
    await settle(copy, [[client, 'old']]);
    expect(await copy.documents()).toEqual(await client.documents());
  });

  it('a client whose checkpoint is that of another database starts over without conflicts', async () => {
    await using client = await World.open();
    await using server = await World.open();
    for (let n = 0; n < 20; n++) await edit(client, `doc ${n}`, { n });
    await sync(server, client, 'new');
    await using peer = (await server.connect({ version: 4 })).connection;
    void peer;
    const scripted = server.peers.at(-1)!;
    await scripted.openCollections('_default');
    const alien = await scripted.ask(
      'setCheckpoint',
      { collection: '0', client: `cp-${client.folder}`, rev: '0-1' },
      '{"local":99,"remote":"7:99"}',
    );
    expect(alien.error).toBeUndefined();
    expect(await sync(server, client, 'new')).toEqual({ sent: 0, received: 0 });
    expect(await server.documents()).toEqual(await client.documents());
  });
});
