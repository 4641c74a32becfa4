import { startNatsProxy, startNatsServer, type NatsProxy, type NatsServer } from '@edgesync/test-kit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Bus, Lease, LeaseBucket } from './index.js';

const LIFE = 1_000;

let nats: NatsServer;
let proxy: NatsProxy;
let buses: Bus[];
let leases: Lease[];

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.dispose());
beforeEach(async () => {
  proxy = await startNatsProxy(nats.port);
  buses = [];
  leases = [];
});
afterEach(async () => {
  await Promise.all(leases.map((lease) => lease.release()));
  await Promise.all(buses.map((bus) => bus.close()));
  await proxy.close();
});

/** A process that may want databases. */
async function contender(url = nats.url): Promise<LeaseBucket> {
  const bus = await Bus.connect({ servers: url, name: 'contender' });
  buses.push(bus);
  return new LeaseBucket(bus, { life: LIFE });
}

async function acquire(bucket: LeaseBucket, clocks?: Parameters<typeof Lease.tryAcquire>[3]) {
  const lease = await Lease.tryAcquire(bucket, 'my db', 'test', clocks);
  if (lease) leases.push(lease);
  return lease;
}

/** Takes the lease as soon as it is free. */
async function take(bucket: LeaseBucket, clocks?: Parameters<typeof acquire>[1]): Promise<Lease> {
  let lease: Lease | undefined;
  await expect.poll(async () => (lease ??= await acquire(bucket, clocks)), { timeout: 10_000 }).toBeDefined();
  return lease!;
}

describe('the lease of a database', () => {
  it('is held by one at a time, and passed on when it is released', async () => {
    const [a, b] = [await contender(), await contender()];
    const taken = await Promise.all([acquire(a), acquire(b)]);
    expect(taken.filter(Boolean)).toHaveLength(1);
    const first = taken.find(Boolean)!;
    expect(first.held).toBe(true);
    await first.release();
    expect(first.held).toBe(false);
    expect((await acquire(b))!.held).toBe(true);
  });

  it('is passed on at once when it is released while it is being renewed', async () => {
    const bucket = await contender();
    const renew = bucket.renew.bind(bucket);
    const arrived = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    bucket.renew = async (...parameters) => {
      const revision = await renew(...parameters);
      arrived.resolve();
      await answer.promise;
      return revision;
    };
    const lease = await take(bucket);
    await arrived.promise;
    const released = lease.release();
    answer.resolve();
    await released;
    expect(await acquire(await contender())).toBeDefined();
  });

  it('lasts as long as it is renewed', async () => {
    const lease = await take(await contender());
    const other = await contender();
    const since = performance.now();
    while (performance.now() - since < 2.5 * LIFE) {
      expect(await acquire(other)).toBeUndefined();
      expect(lease.held).toBe(true);
    }
  });

  it('ends for a holder that cannot reach NATS before another can have it', async () => {
    const lease = await take(await contender(proxy.url));
    const other = await contender();
    const ended = lease.ended.then((why) => ({ why, at: performance.now() }));
    proxy.drop = () => true;
    await take(other);
    const at = performance.now();
    expect(lease.held).toBe(false);
    expect(() => lease.assertHeld()).toThrow(expect.objectContaining({ code: 'storage.unavailable' }));
    expect(await ended).toMatchObject({ why: 'lost' });
    expect((await ended).at).toBeLessThan(at);
  });

  it('survives the loss of single answers', async () => {
    const lease = await take(await contender(proxy.url));
    let seen = 0;
    proxy.drop = ({ subject }) => subject.startsWith('_INBOX.') && seen++ % 4 === 0;
    await expect.poll(() => seen, { timeout: 10_000 }).toBeGreaterThan(10);
    expect(lease.held).toBe(true);
  });

  it.each(['steady', 'wall'] as const)('is over when the %s clock says so', async (clock) => {
    let skipped = 0;
    const lease = await take(await contender(), {
      steady: () => performance.now() + (clock === 'steady' ? skipped : 0),
      wall: () => Date.now() + (clock === 'wall' ? skipped : 0),
    });
    expect(lease.held).toBe(true);
    skipped = LIFE;
    expect(lease.held).toBe(false);
    expect(await lease.ended).toBe('lost');
  });

  it('is lost with the store of NATS, and can be had again', async () => {
    const lease = await take(await contender());
    await nats.restart({ loseStore: true });
    await take(await contender());
    expect(await lease.ended).toBe('lost');
  });

  it('can be taken by a process that knew the bucket before it was lost', async () => {
    const bucket = await contender();
    await (await take(bucket)).release();
    await nats.restart({ loseStore: true });
    let lease: Lease | undefined;
    await expect
      .poll(async () => (lease ??= await acquire(bucket).catch(() => undefined)), { timeout: 10_000 })
      .toBeDefined();
    expect(lease!.held).toBe(true);
  });

  it('outlives a quick restart of NATS', async () => {
    const lease = await take(await contender());
    await nats.restart();
    const other = await contender();
    expect(await acquire(other)).toBeUndefined();
    await expect.poll(() => lease.held).toBe(true);
  });
});
