import { EdgeError } from '@edgesync/errors';
import type { ReplicationConfig } from '@edgesync/config';
import { addReplication, recordedTask, type NewReplication, type ReplicationTask } from '@edgesync/ports';
import { describeReplicationRecords } from '@edgesync/ports/testing';
import { startNatsServer, type NatsServer } from '@edgesync/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  Bus,
  NatsReplicationControl,
  NatsReplicationRecords,
  ReplicationServer,
  WorkerAnnouncer,
  WorkerRegistry,
  type ReplicationHandlers,
  type Seal,
} from './index.js';

const SLOW = { timeout: 10_000 };
const NOW = 1_780_000_000_000;
const DEFINITION = { source: 'db', target: 'wss://host/db', bidirectional: false, continuous: true };
const replication = (key: string): NewReplication => ({ ...DEFINITION, origin: 'requested', key, identity: key });

let nats: NatsServer;
let closers: (() => unknown)[];
let port = 0;
/** Ends what hangs, so that servers can close. */
let giveUp: () => void;
let hanging: Promise<never>;
const never = (): Promise<never> => hanging;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.dispose());
beforeEach(async () => {
  closers = [];
  hanging = new Promise((_, reject) => (giveUp = () => reject(new EdgeError('server.draining'))));
  hanging.catch(() => {});
  await nats.restart({ loseStore: true });
});
afterEach(async () => {
  giveUp();
  for (const close of closers.reverse()) await close();
});

async function connect(name: string): Promise<Bus> {
  const bus = await Bus.connect({ servers: nats.url, name });
  closers.push(() => bus.close());
  return bus;
}

/** It keeps nothing secret. */
const SEAL: Seal = {
  seal: (text) => Buffer.from(`sealed ${text}`),
  open: (sealed) => Buffer.from(sealed).toString().replace('sealed ', ''),
  fingerprint: (text) => `fingerprint of ${text}`,
};

async function records(options: { guest?: boolean } = {}): Promise<NatsReplicationRecords> {
  return new NatsReplicationRecords(await connect('records'), { seal: SEAL, ...options });
}

/** A worker that a test drives. */
async function worker(id: string, handlers: Partial<ReplicationHandlers> = {}): Promise<string[]> {
  const bus = await connect(id);
  const reported: string[] = [];
  const all = { start: never, tasks: () => Promise.resolve([]), ...handlers };
  const report = (error: unknown): void => void reported.push(String(error));
  const server = new ReplicationServer(bus, 'replication', id, all, SEAL, report);
  const state = { address: `127.0.0.1:${++port}`, load: 0, capacity: 1, protocols: [] };
  const announcer = new WorkerAnnouncer(bus, 'replication', () => state, undefined, id);
  closers.push(
    () => announcer.leave(),
    () => server.close(),
  );
  return reported;
}

async function control(): Promise<{ control: NatsReplicationControl; workers: WorkerRegistry }> {
  const bus = await connect('gateway');
  const workers = new WorkerRegistry(bus, 'replication');
  const control = new NatsReplicationControl(
    bus,
    workers,
    new NatsReplicationRecords(bus, { seal: SEAL, guest: true }),
    {
      seal: SEAL,
      patience: 500,
    },
  );
  closers.push(
    () => workers.close(),
    () => control.close(),
  );
  return { control, workers };
}

/** NATS with 1 MB of memory. */
async function startSmallNats(): Promise<NatsServer & AsyncDisposable> {
  const server = await startNatsServer({ maxMemory: 1_024 * 1_024 });
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.dispose() });
}

const add = (table: NatsReplicationRecords, key: string): Promise<unknown> =>
  table.change((known) => addReplication(known, replication(key), NOW).table);

describe('starting a replication', () => {
  it('asks another worker when one drains, with the same key', async () => {
    const keys: string[] = [];
    const drains = (_definition: ReplicationConfig, key: string): Promise<number> => {
      keys.push(key);
      if (keys.length === 1) throw new EdgeError('server.draining');
      return Promise.resolve(7);
    };
    await worker('a', { start: drains });
    await worker('b', { start: drains });
    const { control: gateway, workers } = await control();
    await expect.poll(() => workers.workers(), SLOW).toHaveLength(2);
    expect(await gateway.start(DEFINITION)).toBe(7);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });

  it('asks another worker when one does not answer', async () => {
    let asked = 0;
    const silentOnce = (): Promise<number> => (asked++ === 0 ? never() : Promise.resolve(7));
    await worker('a', { start: silentOnce });
    await worker('b', { start: silentOnce });
    const { control: gateway, workers } = await control();
    await expect.poll(() => workers.workers(), SLOW).toHaveLength(2);
    expect(await gateway.start(DEFINITION)).toBe(7);
  });

  it('hands the definition over sealed, and reports what is wrong with it', async () => {
    const refuse = (definition: ReplicationConfig): Promise<number> => {
      throw new EdgeError('request.invalid', JSON.stringify(definition));
    };
    const reported = await worker('a', { start: refuse });
    const { control: gateway } = await control();
    await expect(gateway.start(DEFINITION)).rejects.toMatchObject({
      code: 'request.invalid',
      message: JSON.stringify(DEFINITION),
    });
    expect(reported).toEqual([]);
  });

  it('reports at once when there is no room for it: other workers have the same table', async () => {
    let asked = 0;
    const refuse = (): Promise<number> => {
      asked++;
      throw new EdgeError('replication.limit');
    };
    await worker('a', { start: refuse });
    await worker('b', { start: refuse });
    const { control: gateway, workers } = await control();
    await expect.poll(() => workers.workers(), SLOW).toHaveLength(2);
    await expect(gateway.start(DEFINITION)).rejects.toMatchObject({ code: 'replication.limit', status: 503 });
    expect(asked).toBe(1);
  });

  it('begins eight at a time at a worker, which reports those that run meanwhile', async () => {
    let starting = 0;
    const start = (): Promise<number> => {
      starting++;
      return never();
    };
    await worker('a', { start });
    const { control: gateway, workers } = await control();
    await expect.poll(() => workers.workers(), SLOW).toHaveLength(1);
    const starts = Array.from({ length: 9 }, () => gateway.start(DEFINITION).catch(() => undefined));
    await expect.poll(() => starting, SLOW).toBe(8);
    expect(await gateway.list()).toEqual([]);
    expect(starting).toBe(8);
    giveUp();
    await Promise.all(starts);
  });
});

describe('the list of replications', () => {
  it('has what workers report, and those of a worker that keeps silent', async () => {
    const table = await records();
    await add(table, 'a');
    await add(table, 'b');
    const reported: ReplicationTask = {
      ...recordedTask((await table.read()).rows[0]!),
      status: 'Idle',
      docs_written: 3,
    };
    await worker('a', { tasks: () => Promise.resolve([reported]) });
    const { control: gateway, workers } = await control();
    await expect.poll(() => workers.workers(), SLOW).toHaveLength(1);
    expect(await gateway.list()).toMatchObject([
      { task_id: 1, status: 'Idle', docs_written: 3 },
      { task_id: 2, status: 'Connecting' },
    ]);
    await worker('b', { tasks: never });
    await expect.poll(() => workers.workers(), SLOW).toHaveLength(2);
    expect(await gateway.list()).toMatchObject([
      { task_id: 1, status: 'Idle' },
      { task_id: 2, status: 'Offline', error: { 'x-litecore-code': 503 } },
    ]);
  });
});

describeReplicationRecords('in NATS', async (count) => {
  const opened = await Promise.all(Array.from({ length: count }, () => records()));
  return { records: opened, close: () => Promise.resolve() };
});

describe('the table', () => {
  it('comes back with its definitions when NATS has lost it; a gateway alone brings nothing back', async () => {
    const table = await records();
    const gateway = await records({ guest: true });
    expect((await gateway.read()).rows).toEqual([]);
    await table.putDefinition('a', DEFINITION);
    await add(table, 'a');
    closers.push(table.follow(() => {}));
    expect((await gateway.read()).last).toBe(1);
    await nats.restart({ loseStore: true });
    await expect
      .poll(
        () =>
          gateway.read().then(
            ({ last }) => last,
            () => 0,
          ),
        SLOW,
      )
      .toBe(1);
    const stranger = await records();
    expect(await stranger.definition('a')).toEqual(DEFINITION);
  });

  it('says that there is no room when the memory of NATS is used up, and has room again after a drop', async () => {
    await using small = await startSmallNats();
    const bus = await Bus.connect({ servers: small.url, name: 'records' });
    closers.push(() => bus.close());
    const table = new NatsReplicationRecords(bus, { seal: SEAL });
    const definition = { ...DEFINITION, docIds: ['x'.repeat(255 * 1_024)] };
    let stored = 0;
    await expect(
      (async () => {
        for (; stored < 10; stored++) await table.putDefinition(`${stored}`, definition);
      })(),
    ).rejects.toMatchObject({ code: 'replication.limit', status: 503 });
    expect(stored).toBeGreaterThan(2);
    for (let key = 0; key < stored; key++) await table.dropDefinition(`${key}`);
    await add(table, 'a');
    expect((await table.read()).last).toBe(1);
  });

  it('cannot be reached while NATS is away', async () => {
    const table = await records();
    await table.read();
    await nats.stop();
    await expect(table.read()).rejects.toMatchObject({ code: 'sync.no-worker', status: 503 });
    await nats.restart();
    await expect
      .poll(
        () =>
          table.read().then(
            ({ last }) => last,
            () => -1,
          ),
        SLOW,
      )
      .toBe(0);
  });
});
