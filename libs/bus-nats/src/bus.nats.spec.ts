import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNatsServer, TestCertificate, type NatsServer } from '@edgesync/test-kit';
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

  it('is encrypted, and made only with a server that the authority vouches for', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'edgesync-'));
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const authority = await TestCertificate.selfSigned('CN=ours', { ca: true });
    const stranger = await TestCertificate.selfSigned('CN=other', { ca: true });
    const server = await authority.issue('CN=localhost');
    const caFile = file('ca.pem', authority.pem);
    const certificate = file('server.pem', server.pem);
    const key = file('server.key', server.keyPem);
    nats = await startNatsServer({ config: `tls { cert_file: "${certificate}", key_file: "${key}" }` });
    const options = { servers: `tls://localhost:${nats.port}`, name: 'test' };
    bus = await Bus.connect({ ...options, tls: { caFile } });
    expect(bus.connected).toBe(true);

    const tls = { caFile: file('other.pem', stranger.pem) };
    await expect(Bus.connect({ ...options, tls })).rejects.toThrow(/certificate/);
    rmSync(directory, { recursive: true, force: true });
  });

  it('reports when it is lost and back', async () => {
    nats = await startNatsServer();
    bus = await Bus.connect({ servers: nats.url, name: 'test' });
    const received: boolean[] = [];
    bus.onChange((connected) => received.push(connected));
    await nats.stop();
    await expect.poll(() => received).toEqual([false]);
    expect(bus.connected).toBe(false);
    await nats.restart();
    await expect.poll(() => received, { timeout: 10_000 }).toEqual([false, true]);
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

  it('is waited for until that is called off, and reports why', async () => {
    const giveUp = new AbortController();
    const reasons: unknown[] = [];
    const report = (error: unknown): void => {
      if (reasons.push(error) === 2) giveUp.abort(new Error('enough'));
    };
    const waiting = Bus.connect({ servers: 'nats://127.0.0.1:1', name: 'test', report, signal: giveUp.signal });
    await expect(waiting).rejects.toThrow('enough');
    expect(String(reasons[0])).toMatch(/refused/i);
  });

  it('is closed, and what it sent counts as sent, although NATS hangs', async () => {
    nats = await startNatsServer();
    bus = await Bus.connect({ servers: nats.url, name: 'test' });
    const subscription = bus.connection.subscribe('anything');
    nats.pause();
    bus.publish('anything', Uint8Array.of(1));
    await bus.flush();
    await bus.drain(subscription);
    expect(bus.connected).toBe(true);
    await bus.close();
    expect(bus.connection.isClosed()).toBe(true);
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
