import { startNatsServer, type NatsServer } from '@edgesync/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Bus, WorkerAnnouncer, WorkerRegistry } from './index.js';

const KIND = 'replication';
const NEVER = 3_600_000;

let nats: NatsServer;
let gateway: Bus;
let buses: Bus[];
let announcers: WorkerAnnouncer[];
let now: number;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.dispose());
beforeEach(async () => {
  gateway = await Bus.connect({ servers: nats.url, name: 'gateway' });
  buses = [gateway];
  announcers = [];
  now = 0;
});
afterEach(async () => {
  for (const announcer of announcers) await announcer.leave();
  for (const bus of buses) await bus.close();
});

const registry = (): WorkerRegistry => new WorkerRegistry(gateway, KIND, 3_000, () => now);

async function worker(port: number, state: { load: number; capacity?: number; protocols?: string[] }) {
  const bus = await Bus.connect({ servers: nats.url, name: 'replication' });
  buses.push(bus);
  const announcer = new WorkerAnnouncer(
    bus,
    KIND,
    () => ({ address: `127.0.0.1:${port}`, capacity: 100, protocols: ['CBMobile_3'], ...state }),
    NEVER,
  );
  announcers.push(announcer);
  return { announcer, bus };
}

describe('workers', () => {
  it('that were there before are found by a roll call, later ones by their announcement', async () => {
    await worker(1, { load: 0 });
    const workers = registry();
    await expect.poll(() => workers.workers().map(({ address }) => address)).toEqual(['127.0.0.1:1']);
    await worker(2, { load: 0 });
    await expect.poll(() => workers.workers()).toHaveLength(2);
    workers.close();
  });

  it('are chosen by load, counting what was just sent there', async () => {
    await worker(1, { load: 3 });
    await worker(2, { load: 1 });
    const workers = registry();
    await expect.poll(() => workers.workers()).toHaveLength(2);
    const ports = Array.from({ length: 6 }, () => workers.choose('CBMobile_3')!.address.slice(-1));
    expect(ports.slice(0, 2)).toEqual(['2', '2']);
    expect(ports.slice(2).sort()).toEqual(['1', '1', '2', '2']);
    workers.close();
  });

  it('are not chosen when full, when they speak other protocols, or when they failed just now', async () => {
    await worker(1, { load: 2, capacity: 2 });
    await worker(2, { load: 0, protocols: ['CBMobile_4'] });
    await worker(3, { load: 5 });
    const workers = registry();
    await expect.poll(() => workers.workers()).toHaveLength(3);
    const chosen = workers.choose('CBMobile_3')!;
    expect(chosen.address).toBe('127.0.0.1:3');
    expect(workers.choose('CBMobile_3', new Set([chosen.id]))).toBeUndefined();
    workers.close();
  });

  it('that leave are gone at once; those that fall silent, after a while', async () => {
    const { announcer } = await worker(1, { load: 0 });
    await worker(2, { load: 0 });
    const workers = registry();
    await expect.poll(() => workers.workers()).toHaveLength(2);
    await announcer.leave();
    await expect.poll(() => workers.workers().map(({ address }) => address)).toEqual(['127.0.0.1:2']);
    now = 3_001;
    expect(workers.workers()).toEqual([]);
    workers.close();
  });

  it('take the place of those that died at the same address', async () => {
    const dead = await worker(1, { load: 0 });
    const workers = registry();
    await expect.poll(() => workers.workers()).toHaveLength(1);
    const { announcer } = await worker(1, { load: 5 });
    await expect.poll(() => workers.workers().map(({ id }) => id)).toEqual([announcer.id]);
    expect(dead.announcer.id).not.toBe(announcer.id);
    workers.close();
  });

  it('are found again after NATS was restarted', async () => {
    await worker(1, { load: 0 });
    const workers = registry();
    await expect.poll(() => workers.workers()).toHaveLength(1);
    await nats.restart();
    now = 3_001;
    await expect.poll(() => (announcers[0]!.announce(), workers.workers()), { timeout: 10_000 }).toHaveLength(1);
    workers.close();
  });

  it('of another release are not understood and not used', async () => {
    const workers = registry();
    gateway.publish('edge.v1.worker.replication.x', Uint8Array.of(9, 4, 1, 0));
    await worker(1, { load: 0 });
    await expect.poll(() => workers.workers()).toHaveLength(1);
    workers.close();
  });
});
