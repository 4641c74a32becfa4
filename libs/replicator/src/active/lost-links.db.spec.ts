import { describe, expect, it } from 'vitest';
import { currentVersionOf } from '@edgesync/revision';
import { seeded } from '@edgesync/test-kit';
import { DATABASE, DEFAULT, withMethods, World } from '../testing/world.js';

const IDS = Array.from({ length: 8 }, (_, index) => `doc ${index}`);
const SEEDS = [1, 2, 3, 4, 5, 6];

/** Creates, changes or deletes a random document; does nothing if one that still arrives is faster. */
async function writeSomething(world: World, random: () => number, mark: string): Promise<void> {
  const id = IDS[Math.floor(random() * IDS.length)]!;
  const [now] = await world.storage.read(DEFAULT, [id]);
  const deleted = now !== undefined && !now.deleted && random() < 0.15;
  const text = 'x'.repeat(Math.floor(random() * 600));
  const body = JSON.stringify(deleted ? {} : { mark, text });
  const expect = now && { expect: now.rev };
  await world.storage.write(DATABASE, [{ type: 'edit', keyspace: DEFAULT, id, deleted, body, ...expect }]);
}

/** A server that writes down every revision of a client that it stored. */
async function attentiveServer(kind: 'tree' | 'vector'): Promise<{ server: World; stored: string[] }> {
  const stored: string[] = [];
  const server = await World.open({
    wrap: (storage) =>
      withMethods(storage, {
        write: async (database, requests) => {
          const results = await storage.write(database, requests);
          for (const [index, request] of requests.entries()) {
            if (request.type !== 'revision' || results[index]!.status !== 'stored') continue;
            stored.push(`${request.id} ${kind === 'tree' ? request.rev : currentVersionOf(request.rev)}`);
          }
          return results;
        },
      }),
  });
  return { server, stored };
}

const current = async (world: World, kind: 'tree' | 'vector'): Promise<string[]> => {
  const { rows } = await world.storage.changes(DEFAULT, { since: 0, limit: 1_000 });
  return rows
    .map((row) => `${row.id} ${kind === 'tree' ? row.rev : currentVersionOf(row.vector)} ${String(row.body)}`)
    .sort();
};

describe.each([2, 3, 4] as const)('pushes over version %i whose connections are lost at any frame', (version) => {
  const kind = version === 4 ? 'vector' : 'tree';

  it.each(SEEDS)('bring every edit at most once, as the revision it is, seed %i', async (seed) => {
    const random = seeded(seed);
    const { server, stored } = await attentiveServer(kind);
    await using _ = server;
    await using client = await World.open();
    let edits = 0;
    for (let attempt = 0; attempt < 15; attempt++) {
      for (let n = Math.floor(random() * 6); n > 0; n--) await writeSomething(client, random, `edit ${++edits}`);
      const frames = 1 + Math.floor(random() ** 2 * 45);
      await (
        await server.replicate(client, { version, frames })
      ).ended;
    }
    expect((await (await server.replicate(client, { version })).ended).error).toBeUndefined();
    expect(await current(server, kind)).toEqual(await current(client, kind));
    expect(new Set(stored).size).toBe(stored.length);
    expect((await client.storage.collection(DEFAULT)).lastSequence).toBe(edits);
    expect((await server.storage.collection(DEFAULT)).lastSequence).toBe(stored.length);
    expect(stored.length).toBeLessThanOrEqual(edits);
    const last = await server.replicate(client, { version });
    await last.ended;
    expect(last.traffic).toEqual({ sent: 0, received: 0 });
  });

  it.each(SEEDS)('bring nothing twice where both sides write, and end with both alike, seed %i', async (seed) => {
    const random = seeded(seed + 100);
    const { server, stored } = await attentiveServer(kind);
    await using _ = server;
    await using client = await World.open();
    for (let attempt = 0; attempt < 12; attempt++) {
      for (let n = Math.floor(random() * 4); n > 0; n--) await writeSomething(client, random, `client ${attempt} ${n}`);
      for (let n = Math.floor(random() * 4); n > 0; n--) await writeSomething(server, random, `server ${attempt} ${n}`);
      await (
        await server.replicate(client, { version, frames: 1 + Math.floor(random() ** 2 * 60) })
      ).ended;
    }
    for (let run = 0; run < 2; run++)
      expect((await (await server.replicate(client, { version })).ended).error).toBeUndefined();
    expect(await current(server, kind)).toEqual(await current(client, kind));
    expect(new Set(stored).size).toBe(stored.length);
    const last = await server.replicate(client, { version });
    await last.ended;
    expect(last.traffic).toEqual({ sent: 0, received: 0 });
  });
});
