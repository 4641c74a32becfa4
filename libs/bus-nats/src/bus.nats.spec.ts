import { startNatsServer, type NatsServer } from '@edgesync/test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { Bus } from './index.js';

let nats: NatsServer | undefined;
let bus: Bus | undefined;
afterEach(async () => {
  await bus?.close();
  await nats?.dispose();
  nats = bus = undefined;
});

describe('a connection to NATS', () => {
  it('is made with a user and a password, and refused without', async () => {
    nats = await startNatsServer({ config: 'authorization { users = [{ user: gateway, password: "s3cret" }] }' });
    const options = { servers: nats.url, name: 'test' };
    await expect(Bus.connect(options)).rejects.toThrow(/authorization/i);
    bus = await Bus.connect({ ...options, user: 'gateway', password: 's3cret' });
    expect(bus.connected).toBe(true);
  });

  it('is made with a token', async () => {
    nats = await startNatsServer({ config: 'authorization { token: "t0ken" }' });
    bus = await Bus.connect({ servers: nats.url, name: 'test', token: 't0ken' });
    expect(bus.connected).toBe(true);
  });

  it('tells when it is lost and back', async () => {
    nats = await startNatsServer();
    bus = await Bus.connect({ servers: nats.url, name: 'test' });
    const heard: boolean[] = [];
    bus.onChange((connected) => heard.push(connected));
    await nats.stop();
    await expect.poll(() => heard).toEqual([false]);
    expect(bus.connected).toBe(false);
    await nats.restart();
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual([false, true]);
    expect(bus.connected).toBe(true);
  });

  it('waits for a server that is not there yet', async () => {
    nats = await startNatsServer();
    await nats.stop();
    const connecting = Bus.connect({ servers: nats.url, name: 'test' });
    await nats.restart();
    bus = await connecting;
    expect(bus.connected).toBe(true);
  });

  it('is closed twice without harm, and says nothing afterwards', async () => {
    nats = await startNatsServer();
    bus = await Bus.connect({ servers: nats.url, name: 'test' });
    await bus.close();
    await bus.close();
    bus.publish('anything', Uint8Array.of(1));
    expect(bus.connected).toBe(false);
  });
});
