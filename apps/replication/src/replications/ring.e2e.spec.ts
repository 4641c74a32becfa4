import { describe, expect, it } from 'vitest';
import { LinkProxy } from '@edgesync/test-kit';
import { runServer, type RunningServer } from '../testing/running-server.js';
import { until } from '../testing/started-replication.js';

const OPEN = {
  enable_anonymous_users: true,
  databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
};
const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };
const IDS = Array.from({ length: 12 }, (_, index) => `doc ${index}`);

/** Numbers from 0 up to 1 that are the same for the same seed. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

async function link(from: RunningServer, port: number): Promise<void> {
  await from.control.start({
    source: 'db',
    target: `ws://127.0.0.1:${port}/db`,
    bidirectional: true,
    continuous: true,
  });
}

/** Creates, changes or deletes a random document, whatever it is at this moment. */
async function writeSomething({ storage }: RunningServer, random: () => number, mark: string): Promise<void> {
  const id = IDS[Math.floor(random() * IDS.length)]!;
  const [now] = await storage.read(DEFAULT, [id], { body: false });
  const deleted = now !== undefined && !now.deleted && random() < 0.2;
  const body = deleted ? '{}' : JSON.stringify({ mark, at: random() });
  const expect = now && !now.deleted ? { expect: now.rev } : {};
  await storage.write('db', [{ type: 'edit', keyspace: DEFAULT, id, deleted, body, ...expect }]);
}

/** Documents with their versions: equal means that all have the same outcome of every conflict. */
async function contents({ storage }: RunningServer): Promise<string> {
  const revisions = await storage.read(DEFAULT, IDS);
  return revisions
    .map((one) => one && `${one.id} ${one.vector.split(/[,;]/)[0]} ${one.deleted} ${one.body}`)
    .join('\n');
}

const sequencesOf = (servers: readonly RunningServer[]): Promise<number[]> =>
  Promise.all(servers.map(async ({ storage }) => (await storage.collection(DEFAULT)).lastSequence));

async function areAlike(servers: readonly RunningServer[]): Promise<boolean> {
  const [first, ...others] = await Promise.all(servers.map(contents));
  return others.every((other) => other === first);
}

/** Resolves when nothing has moved for a while, on any server. */
async function atRest(servers: readonly RunningServer[]): Promise<void> {
  let before = '';
  await until(async () => {
    const statuses = await Promise.all(servers.map(({ control }) => control.list()));
    const now = JSON.stringify([await sequencesOf(servers), statuses.flat().map(({ status }) => status)]);
    const isQuiet = now === before && !/Active|Connecting/.test(now);
    before = now;
    if (!isQuiet) await new Promise((resolve) => setTimeout(resolve, 150));
    return isQuiet;
  });
}

describe('three servers in a ring', () => {
  it.each([1, 2, 3, 4])(
    'come to rest with everybody equal after random writes and conflicts, seed %i',
    async (seed) => {
      const random = sequence(seed);
      await using a = await runServer(OPEN);
      await using b = await runServer(OPEN);
      await using c = await runServer(OPEN);
      const servers = [a, b, c];
      for (const server of servers) for (let n = 0; n < 5; n++) await writeSomething(server, random, `before ${n}`);
      await link(a, b.port);
      await link(b, c.port);
      await link(c, a.port);
      for (let n = 0; n < 120; n++) {
        await writeSomething(servers[Math.floor(random() * 3)]!, random, `write ${n}`);
        if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, random() * 15));
      }
      await until(() => areAlike(servers));
      await atRest(servers);
      expect(await areAlike(servers)).toBe(true);
      const tasks = (await Promise.all(servers.map(({ control }) => control.list()))).flat();
      expect(tasks.map(({ status, error, docs_pending }) => [status, error, docs_pending])).toEqual(
        Array(3).fill(['Idle', undefined, 0]),
      );
    },
  );

  it('agree after one was cut off while all went on writing', async () => {
    const random = sequence(99);
    await using a = await runServer(OPEN);
    await using b = await runServer(OPEN);
    await using c = await runServer(OPEN);
    await using toC = await LinkProxy.to(c.port);
    await using toA = await LinkProxy.to(a.port);
    const servers = [a, b, c];
    await link(a, b.port);
    await link(b, toC.port);
    await link(c, toA.port);
    for (const server of servers) for (let n = 0; n < 5; n++) await writeSomething(server, random, `first ${n}`);
    await until(() => areAlike(servers));
    toC.cut();
    toA.cut();
    for (let n = 0; n < 60; n++) await writeSomething(servers[n % 3]!, random, `apart ${n}`);
    expect(await areAlike(servers)).toBe(false);
    toC.restore();
    toA.restore();
    await until(() => areAlike(servers));
    await atRest(servers);
    expect(await areAlike(servers)).toBe(true);
  });
});
