import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemScheduler } from '@edgesync/async';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANONYMOUS } from '@edgesync/access';
import { BlipConnection, Properties } from '@edgesync/blip';
import { Bus, WorkerRegistry } from '@edgesync/bus-nats';
import { HANDSHAKE_HEADER, signHandshake } from '@edgesync/platform';
import { dial, type WsTransport } from '@edgesync/socket-ws';
import { TestCertificate } from '@edgesync/test-kit';
import { ComposeProject } from './compose-project.js';

const PASSWORD = 'a long enough password';
const authorization = `Basic ${Buffer.from(`alice:${PASSWORD}`).toString('base64')}`;
const PROTOCOLS = ['BLIP_3+CBMobile_3', 'BLIP_3+CBMobile_4'];

let project: ComposeProject;
beforeAll(async () => {
  project = await ComposeProject.up({ scale: { replication: 3 }, users: { alice: PASSWORD } });
}, 120_000);
afterAll(() => project[Symbol.asyncDispose]());

const gatewayPort = (): number => project.one('gateway').publicPort;
const rest = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${gatewayPort()}/${path}`, {
    ...init,
    headers: { authorization, 'content-type': 'application/json' },
  });
const open = (headers: Record<string, string> = { Authorization: authorization }, database = 'shop') =>
  dial(`ws://127.0.0.1:${gatewayPort()}/${database}/_blipsync`, { protocols: PROTOCOLS, headers });

/** Revisions that a new app pulls from a collection. */
async function pull(transport: WsTransport, collection: string): Promise<string[]> {
  const ids: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let announced = 0;
  let caughtUp = false;
  const connection = new BlipConnection(transport, {
    scheduler: systemScheduler,
    onRequest: (request) => {
      if (request.profile === 'changes') {
        const rows = JSON.parse(Buffer.from(request.body).toString()) as unknown[];
        caughtUp ||= rows.length === 0;
        announced += rows.length;
        if (!request.noReply) request.respond({ body: Buffer.from(JSON.stringify(rows.map(() => []))) });
      } else if (request.profile === 'rev') {
        ids.push(request.properties.get('id')!);
        if (!request.noReply) request.respond();
      }
      if (caughtUp && ids.length === announced) resolve();
    },
  });
  const body = Buffer.from(JSON.stringify({ collections: [collection], checkpoint_ids: ['cp'] }));
  await connection.request({ properties: Properties.of('Profile', 'getCollections'), body });
  await connection.request({ properties: Properties.of('Profile', 'subChanges', 'collection', '0') });
  await promise;
  await connection.close();
  return ids.sort();
}

describe('the services of docker-compose.yml, started as processes', () => {
  it('are healthy by their own checks', () => {
    const checked = ['storage', 'replication', 'gateway'].flatMap((name) => [...project.of(name)]);
    expect(checked.map((service) => [service.name, service.checkHealth()])).toEqual(
      checked.map(({ name }) => [name, 0]),
    );
    expect(checked).toHaveLength(5);
  });

  it('serve REST through the gateway, to those with credentials', async () => {
    const written = await rest('shop.stock.items/tea', { method: 'PUT', body: '{"price":3}' });
    expect(written.status).toBe(201);
    expect(await (await rest('shop.stock.items/tea')).json()).toMatchObject({ _id: 'tea', price: 3 });
    expect((await fetch(`http://127.0.0.1:${gatewayPort()}/shop.stock.items/tea`)).status).toBe(401);
  });

  it('sync through gateway and worker with what REST wrote', async () => {
    await rest('shop.till.sales/1', { method: 'PUT', body: '{"sum":12}' });
    await rest('shop.till.sales/2', { method: 'PUT', body: '{"sum":7}' });
    expect(await pull(await open(), 'till.sales')).toEqual(['1', '2']);
  });

  it('answer upgrades as the all-in-one does', async () => {
    const statusOf = async (...parameters: Parameters<typeof open>): Promise<unknown> =>
      open(...parameters).then(
        (transport) => {
          transport.close(1000, '');
          return 101;
        },
        (error: { status?: number }) => error.status,
      );
    expect(await statusOf()).toBe(101);
    expect(await statusOf({})).toBe(401);
    expect(await statusOf({ Authorization: 'Basic eDp5' })).toBe(401);
    expect(await statusOf(undefined, 'nothing')).toBe(404);
  });

  it('refuse handshakes that apps bring along', async () => {
    const secret = readFileSync(join(project.root, 'deploy/secrets/handshake'), 'utf8').trim();
    const handshake = { principal: ANONYMOUS, database: 'shop', worker: 'any', remote: '127.0.0.1:1', session: 's' };
    await expect(open({ [HANDSHAKE_HEADER]: signHandshake(secret, handshake) })).rejects.toMatchObject({ status: 401 });
    expect(await pull(await open({ Authorization: authorization, [HANDSHAKE_HEADER]: 'x' }), 'stock.items')).toEqual([
      'tea',
    ]);
  });

  it('spread apps over the workers by load, and list who is connected', async () => {
    const loads = async (): Promise<number[]> =>
      Promise.all(
        project.of('replication').map(async ({ internalUrl }) => {
          const metrics = await (await fetch(`${internalUrl}/_metrics`)).text();
          return Number(/^edgesync_sync_sessions\{database="shop"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
        }),
      );
    await expect.poll(loads, { timeout: 10_000 }).toEqual([0, 0, 0]);
    const apps = await Promise.all(Array.from({ length: 9 }, () => open()));
    const spread = await loads();
    expect(spread.reduce((sum, load) => sum + load)).toBe(9);
    expect(Math.max(...spread) - Math.min(...spread)).toBeLessThanOrEqual(2);
    for (const app of apps) app.close(1000, '');
    await expect.poll(loads, { timeout: 10_000 }).toEqual([0, 0, 0]);
  });

  it('keep NATS to those with its password', async () => {
    await expect(Bus.connect({ servers: project.natsUrl, name: 'stranger' })).rejects.toThrow();
    const wrong = { servers: project.natsUrl, name: 'stranger', user: 'edgesync', password: 'guess' };
    await expect(Bus.connect(wrong)).rejects.toThrow();
  });

  it('let nobody past the gateway: a worker takes its handshakes only, each once, unaltered and in time', async () => {
    const secret = (name: string): string => readFileSync(join(project.root, 'deploy/secrets', name), 'utf8').trim();
    const bus = await Bus.connect({
      servers: project.natsUrl,
      name: 'test',
      user: 'edgesync',
      password: secret('nats-password'),
    });
    const registry = new WorkerRegistry(bus, 'replication');
    await expect.poll(() => registry.workers().length).toBe(3);
    const [worker, other] = registry.workers();
    const upgrade = (token: string | undefined): Promise<unknown> =>
      dial(`ws://${worker!.address}/shop/_blipsync`, {
        protocols: PROTOCOLS,
        headers: { Authorization: authorization, ...(token !== undefined && { [HANDSHAKE_HEADER]: token }) },
      }).then(
        (transport) => {
          transport.close(1000, '');
          return 101;
        },
        (error: { status?: number }) => error.status,
      );
    const handshake = {
      principal: { ...ANONYMOUS, name: 'alice', anonymous: false },
      database: 'shop',
      remote: '10.0.0.7:1',
      session: 's',
    };
    const good = signHandshake(secret('handshake'), { ...handshake, worker: worker!.id });
    expect(await upgrade(good)).toBe(101);
    expect(await upgrade(good)).toBe(403);
    expect(await upgrade(undefined)).toBe(403);
    expect(await upgrade(signHandshake(secret('handshake'), { ...handshake, worker: other!.id }))).toBe(503);
    expect(await upgrade(signHandshake(secret('handshake'), { ...handshake, worker: worker!.id, database: 'x' }))).toBe(
      403,
    );
    expect(await upgrade(signHandshake(secret('nats-password'), { ...handshake, worker: worker!.id }))).toBe(403);
    const old = signHandshake(secret('handshake'), { ...handshake, worker: worker!.id }, Date.now() - 31_000);
    expect(await upgrade(old)).toBe(403);
    const altered = signHandshake(secret('handshake'), { ...handshake, worker: worker!.id });
    expect(await upgrade(`${altered.slice(0, 20)}${altered[20] === 'A' ? 'B' : 'A'}${altered.slice(21)}`)).toBe(403);
    registry.close();
    await bus.close();
  });
});

it('the profile edge is one process that serves REST and sync, without NATS', async () => {
  await using alone = await ComposeProject.up({ profile: 'edge', users: { alice: PASSWORD } });
  const edge = alone.one('edge');
  expect(edge.checkHealth()).toBe(0);
  expect(alone.of('nats')).toEqual([]);
  const init = { method: 'PUT', headers: { authorization, 'content-type': 'application/json' }, body: '{"price":3}' };
  expect((await fetch(`http://127.0.0.1:${edge.publicPort}/shop.stock.items/tea`, init)).status).toBe(201);
  const url = `ws://127.0.0.1:${edge.publicPort}/shop/_blipsync`;
  const app = await dial(url, { protocols: PROTOCOLS, headers: { Authorization: authorization } });
  expect(await pull(app, 'stock.items')).toEqual(['tea']);
  expect(await edge.end('SIGTERM')).toBe(0);
});

it('the health check follows the configuration: another port, and TLS', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
  const certificate = await TestCertificate.selfSigned('CN=edge', { usage: 'server' });
  writeFileSync(join(folder, 'cert.pem'), certificate.pem);
  writeFileSync(join(folder, 'key.pem'), certificate.keyPem);
  await using secure = await ComposeProject.up({
    profile: 'edge',
    config: {
      databases: { shop: { path: '/var/lib/edgesync/shop.cblite2', create: true } },
      interface: '0.0.0.0:59840',
      enable_anonymous_users: true,
      https: { tls_cert_path: join(folder, 'cert.pem'), tls_key_path: join(folder, 'key.pem') },
    },
  });
  const edge = secure.one('edge');
  expect(edge.checkHealth()).toBe(0);
  await edge.end('SIGTERM');
  expect(edge.checkHealth()).toBe(1);
  rmSync(folder, { recursive: true });
});
