import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { seeded } from '@edgesync/test-kit';
import { App, brokenBlobs, documentsOf } from '../crash/app.js';
import { ComposeProject } from './compose-project.js';
import { RestWriter } from './rest-writer.js';
import { settle } from './settle.js';

const CONFIG = {
  interface: '0.0.0.0:59840',
  enable_anonymous_users: true,
  databases: {
    db: { path: '/var/lib/edgesync/db.cblite2', create: true, enable_client_writes: true, enable_client_sync: true },
  },
  logging: { domains: { REST: 'error' } },
};
const ROUNDS = 6;

let project: ComposeProject;
let folder: string;
beforeAll(async () => {
  project = await ComposeProject.up({ scale: { replication: 2 }, config: CONFIG });
  folder = mkdtempSync(join(tmpdir(), 'edgesync-apps-'));
}, 120_000);
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const port = (): number => project.one('gateway').publicPort;
const url = (path = ''): string => `http://127.0.0.1:${port()}/db${path}`;

const creation = (id: string) => ({
  type: 'edit' as const,
  keyspace: { database: 'db', scope: '_default', collection: '_default' },
  id,
  deleted: false,
  body: '{"n":1}',
});

async function documentsAtServer(): Promise<readonly { id: string; value: { rev: string } }[]> {
  const reply = (await (await fetch(url('/_all_docs'))).json()) as { rows: { id: string; value: { rev: string } }[] };
  return reply.rows;
}

it(
  'storage that is stopped beyond its lease: 503 with Retry-After meanwhile, and everything is there afterwards',
  { timeout: 90_000 },
  async () => {
    const writer = new RestWriter(url(), 'paused');
    writer.start();
    await expect.poll(() => writer.acknowledged.size).toBeGreaterThan(10);
    project.one('storage').signal('SIGSTOP');
    await expect.poll(() => writer.refusals, { timeout: 20_000 }).toBeGreaterThan(0);
    project.one('storage').signal('SIGCONT');
    const before = writer.acknowledged.size;
    await expect.poll(() => writer.acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(before + 10);
    await writer.stop();
    await writer.check();
  },
);

it(
  'apps that sync all the time move on when their worker is drained or killed, and lose and repeat nothing',
  { timeout: 120_000 },
  async () => {
    const apps = await Promise.all(['a', 'b', 'c', 'd'].map((name) => App.open(folder, `moving-${name}`, 4)));
    const codes: number[] = [];
    const stops = apps.map((app) => app.follow(port(), (code) => codes.push(code)));
    const count = async (): Promise<number[]> =>
      Promise.all(apps.map(async ({ storage }) => Object.keys(await documentsOf(storage)).length));
    const [first, second] = project.of('replication');
    let expected = (await documentsAtServer()).length;
    const writeAndWait = async (round: string): Promise<void> => {
      for (const [index, { storage }] of apps.entries())
        for (let n = 0; n < 25; n++) await storage.write('db', [creation(`moving-${round}-${index}-${n}`)]);
      expected += apps.length * 25;
      await expect.poll(count, { timeout: 30_000 }).toEqual(apps.map(() => expected));
    };
    await writeAndWait('before');

    const drained = writeAndWait('drained');
    expect(await first!.end('SIGTERM')).toBe(0);
    await drained;
    expect(codes.length).toBeGreaterThan(0);
    expect(new Set(codes)).toEqual(new Set([4001]));
    first!.start();
    await first!.ready();

    codes.length = 0;
    const killed = writeAndWait('killed');
    await second!.crash();
    await killed;
    expect(codes.length).toBeGreaterThan(0);
    await second!.ready();

    for (const stop of stops) await stop();
    const revisions = (await documentsAtServer()).filter(({ id }) => id.startsWith('moving-'));
    expect(revisions).toHaveLength(apps.length * 75);
    expect(revisions.filter(({ value }) => !value.rev.startsWith('1-'))).toEqual([]);
    for (const { storage } of apps) await storage.close();
  },
);

it(
  `nothing acknowledged is lost and all hold the same after each kind of process was killed under load, ${ROUNDS} times`,
  { timeout: 300_000 },
  async () => {
    const random = seeded(20_270_101);
    const apps = await Promise.all([
      App.open(folder, 'old', 3),
      App.open(folder, 'young', 4),
      App.open(folder, 'other', 4),
    ]);
    const writer = new RestWriter(url(), 'rest');
    writer.start();
    for (let round = 0; round < ROUNDS; round++) {
      for (const app of apps) await app.edit(random, round);
      const syncs = apps.map((app) => app.sync(port()));
      await new Promise((resolve) => setTimeout(resolve, 20 + random() * 300));
      const kinds = ['gateway', 'storage', 'nats', 'replication'];
      const copies = project.of(kinds[round % kinds.length]!);
      await copies[Math.floor(random() * copies.length)]!.crash();
      await Promise.all(syncs);
      const before = writer.acknowledged.size;
      await expect.poll(() => writer.acknowledged.size, { timeout: 40_000 }).toBeGreaterThan(before);
    }
    await writer.stop();
    await settle(project, apps);
    await writer.check();

    expect(await project.one('storage').end('SIGTERM')).toBe(0);
    const atServer = new SqliteStorage();
    const path = join(project.root, 'volumes/data/db.cblite2');
    const database = await atServer.openDatabase({ name: 'db', path, create: false });
    expect(await database.checkIntegrity()).toEqual([]);
    const expected = await documentsOf(atServer);
    expect(await brokenBlobs(atServer)).toEqual([]);
    await atServer.close();
    for (const { storage } of apps) {
      expect(await documentsOf(storage)).toEqual(expected);
      expect(await brokenBlobs(storage)).toEqual([]);
      await storage.close();
    }
  },
);
