import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DEFAULT_COLLECTION, DEFAULT_SCOPE, type Keyspace } from '@edgesync/document';
import { edit } from '@edgesync/ports/testing';
import { SqliteStorage } from '@edgesync/storage-sqlite';
import { startNatsServer, type NatsServer } from '@edgesync/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Bus, NatsStorage } from './index.js';

const LIFE = 1_000;
const SLOW = { timeout: 20_000 };

interface StorageProcess {
  readonly child: ChildProcess;
  readonly said: string[];
  end(signal: NodeJS.Signals): Promise<void>;
}

let nats: NatsServer;
let bus: Bus;
let directory: string;
let processes: StorageProcess[];
let stopWriting: boolean;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.dispose());
beforeEach(async () => {
  bus = await Bus.connect({ servers: nats.url, name: 'gateway' });
  directory = mkdtempSync(join(tmpdir(), 'edgesync-'));
  processes = [];
  stopWriting = false;
});
afterEach(async () => {
  stopWriting = true;
  await Promise.all(processes.map(({ end }) => end('SIGKILL')));
  await bus.close();
  rmSync(directory, { recursive: true, force: true });
});

function start(databases: readonly string[], folder = directory): StorageProcess {
  const hooks = fileURLToPath(new URL('../../storage-sqlite/src/testing/typescript-hooks.mjs', import.meta.url));
  const program = fileURLToPath(new URL('testing/storage-process.ts', import.meta.url));
  const child = spawn(
    process.execPath,
    ['--conditions=@edgesync/source', '--import', hooks, program, nats.url, folder, String(LIFE), ...databases],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  const exited = once(child, 'exit');
  const started: StorageProcess = {
    child,
    said,
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) {
        // A stopped process gets no signal but this one.
        child.kill('SIGCONT');
        child.kill(signal);
      }
      await exited;
    },
  };
  processes.push(started);
  return started;
}

const owns = (process: StorageProcess, database: string): boolean =>
  process.said.findLast((line) => line.endsWith(` ${database}`) && !line.startsWith('fault')) === `owns ${database}`;

const keyspaceOf = (database: string): Keyspace => ({
  database,
  scope: DEFAULT_SCOPE,
  collection: DEFAULT_COLLECTION,
});

/** Writes documents one after the other, and keeps a record of what was acknowledged. */
function writeAlong(storage: NatsStorage, database: string) {
  const acknowledged: string[] = [];
  const started: string[] = [];
  const done = (async () => {
    for (let n = 0; !stopWriting; n++) {
      const id = `doc${n}`;
      started.push(id);
      try {
        const [result] = await storage.write(database, [edit(id, { keyspace: keyspaceOf(database) })]);
        if (result!.status !== 'stored') throw new Error(`${id}: ${result!.status}`);
        acknowledged.push(id);
      } catch (error) {
        expect(error).toMatchObject({ code: 'storage.unavailable' });
      }
    }
  })();
  return { acknowledged, started, finish: () => ((stopWriting = true), done) };
}

async function allThere(storage: NatsStorage, database: string, ids: readonly string[]): Promise<void> {
  const rows = await storage.read(keyspaceOf(database), ids, { body: false });
  expect(rows.filter((row) => !row)).toEqual([]);
  const { documents, lastSequence } = await storage.collection(keyspaceOf(database));
  expect(lastSequence).toBe(documents);
}

const client = (databases: readonly string[]) => new NatsStorage(bus, { databases, attempt: 300, patience: 500 });

describe('databases', () => {
  it('move to another process when their owner is killed or ends', async () => {
    const storage = client(['plant']);
    const first = start(['plant']);
    await expect.poll(() => owns(first, 'plant'), SLOW).toBe(true);
    const { acknowledged, finish } = writeAlong(storage, 'plant');
    const second = start(['plant']);
    await expect.poll(() => second.said.includes('ready'), SLOW).toBe(true);
    await expect.poll(() => acknowledged.length).toBeGreaterThan(20);
    await first.end('SIGKILL');
    await expect.poll(() => owns(second, 'plant'), SLOW).toBe(true);
    let before = acknowledged.length;
    await expect.poll(() => acknowledged.length, SLOW).toBeGreaterThan(before + 20);

    const third = start(['plant']);
    await expect.poll(() => third.said.includes('ready'), SLOW).toBe(true);
    await second.end('SIGTERM');
    await expect.poll(() => owns(third, 'plant'), SLOW).toBe(true);
    before = acknowledged.length;
    await expect.poll(() => acknowledged.length, SLOW).toBeGreaterThan(before + 20);
    await finish();
    await allThere(storage, 'plant', acknowledged);
    storage.close();
  });

  it('are shared among the processes there are', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const both = [start(names), start(names)];
    const ownedBy = (process: StorageProcess) => names.filter((name) => owns(process, name));
    await expect.poll(() => both.flatMap(ownedBy).sort(), SLOW).toEqual(names);
    await both[0]!.end('SIGKILL');
    await expect.poll(() => ownedBy(both[1]!), SLOW).toEqual(names);
  });

  it('of a process that is stopped wait for it to die or to notice; then nothing is lost', async () => {
    const storage = client(['plant']);
    const first = start(['plant']);
    await expect.poll(() => owns(first, 'plant'), SLOW).toBe(true);
    const { acknowledged, finish } = writeAlong(storage, 'plant');
    const second = start(['plant']);
    await expect.poll(() => acknowledged.length, SLOW).toBeGreaterThan(20);
    first.child.kill('SIGSTOP');
    // The other has the lease, but not the files.
    await expect.poll(() => second.said.some((line) => line.includes('is open in another process')), SLOW).toBe(true);
    const before = acknowledged.length;
    first.child.kill('SIGCONT');
    await expect.poll(() => first.said.includes('gave plant'), SLOW).toBe(true);
    await expect.poll(() => acknowledged.length, SLOW).toBeGreaterThan(before + 20);
    expect([first, second].filter((each) => owns(each, 'plant'))).toHaveLength(1);
    await finish();
    await allThere(storage, 'plant', acknowledged);
    storage.close();
  });

  it('are not written by a process that was stopped, once another has taken over, even with files of its own', async () => {
    const [one, two] = [join(directory, 'one'), join(directory, 'two')];
    const storage = client(['plant']);
    const first = start(['plant'], one);
    await expect.poll(() => owns(first, 'plant'), SLOW).toBe(true);
    const { acknowledged, started, finish } = writeAlong(storage, 'plant');
    await expect.poll(() => acknowledged.length, SLOW).toBeGreaterThan(20);
    first.child.kill('SIGSTOP');
    const atStop = started.length;
    const second = start(['plant'], two);
    await expect.poll(() => owns(second, 'plant'), SLOW).toBe(true);
    // The stopped process gets these all at once when it goes on.
    const before = acknowledged.length;
    await expect.poll(() => acknowledged.length, SLOW).toBeGreaterThan(before + 20);
    first.child.kill('SIGCONT');
    await expect.poll(() => first.said.includes('gave plant'), SLOW).toBe(true);
    await finish();
    await first.end('SIGTERM');

    const files = new SqliteStorage();
    await files.openDatabase({ name: 'plant', path: join(one, 'plant.cblite2'), create: false });
    const page = await files.list(keyspaceOf('plant'), { limit: 1_000_000, body: false });
    await files.close();
    const late = page.rows.filter(({ id }) => !started.slice(0, atStop).includes(id));
    expect(late).toEqual([]);
    storage.close();
  });
});
