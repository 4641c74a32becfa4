import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SqliteDatabase } from '@edgesync/storage-sqlite';
import { seeded } from '@edgesync/test-kit';
import { EdgeSandbox, type EdgeProcess } from './testing/edge-process.js';
import { RandomWriter } from './testing/random-writer.js';

const KEYSPACE = { database: 'db', scope: '_default', collection: '_default' };
const WRITERS = 6;
const BACKUPS = 5;
const KILLS = 6;

let sandbox: EdgeSandbox;
let server: EdgeProcess;
let writers: RandomWriter[];
let running: Promise<unknown>;
beforeEach(async () => {
  sandbox = await EdgeSandbox.create();
  server = await sandbox.start();
  writers = Array.from({ length: WRITERS }, (_, n) => new RandomWriter(`w${n}`, sandbox.url, seeded(n)));
  running = Promise.all(writers.map((writer) => writer.run()));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await running;
  sandbox[Symbol.dispose]();
});

/** Resolves when the writers have been acknowledged so many more writes. */
async function moreWrites(count: number): Promise<void> {
  const total = (): number => writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const goal = total() + count;
  await expect.poll(total, { timeout: 60_000 }).toBeGreaterThan(goal);
}

const generation = (rev: string): number => Number.parseInt(rev, 10);

/** Looks whether a backup is sound and has at least the revisions that were acknowledged before it began. */
async function expectSound(path: string, before: ReadonlyMap<string, string>): Promise<void> {
  const database = await SqliteDatabase.open({ name: 'db', path, create: false });
  try {
    expect(await database.checkIntegrity()).toEqual([]);
    for (const [id, rev] of before) {
      const stored = database.read(KEYSPACE, [id])[0];
      expect(stored, id).toBeDefined();
      if (stored!.rev !== rev) expect(generation(stored!.rev), id).toBeGreaterThan(generation(rev));
    }
  } finally {
    await database.close();
  }
}

/** The last acknowledged revision of every document. */
const acknowledged = (): Map<string, string> =>
  new Map(
    writers.flatMap(({ documents }) =>
      [...documents].flatMap(([id, { rev }]) => (rev === undefined ? [] : [[id, rev] as const])),
    ),
  );

describe('--backup of a database that a server is writing', () => {
  it('holds every write acknowledged before it and whole blobs; the server goes on', { timeout: 120_000 }, async () => {
    for (let round = 0; round < BACKUPS; round++) {
      await moreWrites(60);
      const before = acknowledged();
      const target = join(sandbox.directory, `copy${round}.cblite2`);
      const command = sandbox.spawn('--backup', sandbox.bundle, target);
      expect([await command.exitCode(), command.stderr]).toEqual([0, '']);
      expect(command.stdout).toMatch(/copy\d\.cblite2: \d+ documents? and [1-9]\d* blobs?, \d+\.\d MB\n$/);
      await expectSound(target, before);
    }
    await moreWrites(60);
    const before = acknowledged();
    expect(await server.end('SIGTERM')).toBe(0);
    await running;
    await expectSound(sandbox.bundle, before);
  });

  it('leaves nothing that looks like a backup when it is killed, and nothing when it is interrupted', async () => {
    await moreWrites(200);
    const target = join(sandbox.directory, 'copy.cblite2');
    const unfinished = `${target}.unfinished`;
    const random = seeded(7);
    /** Starts a backup and resolves when it has begun to copy. */
    const start = async (): Promise<EdgeProcess> => {
      for (const path of [target, unfinished]) rmSync(path, { recursive: true, force: true });
      const command = sandbox.spawn('--backup', sandbox.bundle, target);
      let ended = false;
      void command.exitCode().then(() => (ended = true));
      while (!existsSync(unfinished) && !ended) await new Promise((resolve) => setImmediate(resolve));
      return command;
    };
    for (let kill = 0; kill < KILLS; kill++) {
      const before = acknowledged();
      const command = await start();
      await new Promise((resolve) => setTimeout(resolve, random() * 100));
      await command.end('SIGKILL');
      if (existsSync(target)) await expectSound(target, before);
    }

    let code: number | null = 0;
    while (code === 0) {
      const command = await start();
      code = await command.end('SIGINT');
      if (code !== 0) expect(command.stderr).toBe('edgesync: interrupted by SIGINT\n');
    }
    expect(code).toBe(1);
    expect(readdirSync(sandbox.directory).filter((name) => name.startsWith('copy'))).toEqual([]);
    await moreWrites(60);
  }, 120_000);
});
