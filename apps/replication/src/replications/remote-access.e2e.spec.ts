import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReplicationConfig } from '@edgesync/config';
import { LinkProxy, TestCertificate } from '@edgesync/test-kit';
import { ConnectProxy, FrontServer } from '../testing/front-server.js';
import { runServer, temporaryStorage } from '../testing/running-server.js';
import { startReplication, until } from '../testing/started-replication.js';

const OPEN = {
  enable_anonymous_users: true,
  databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
};
const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const auth = (members: Partial<NonNullable<ReplicationConfig['auth']>>): Partial<ReplicationConfig> => ({
  auth: { reconnectOnTokenChange: false, ...members },
});

/** How a one-shot replication with a server behind a front ends. */
async function attempt(front: FrontServer, definition: Partial<ReplicationConfig>, scheme = 'ws', userInfo = '') {
  await using local = await temporaryStorage();
  const remote = `${scheme}://${userInfo}127.0.0.1:${front.port}/db`;
  await using started = startReplication(local, remote, { continuous: false, ...definition });
  return (await started.replication.ended) ?? 'done';
}

describe('credentials', () => {
  it.each<[string, Partial<ReplicationConfig>, string, string]>([
    ['user and password', auth({ user: 'ü', password: 'p:w' }), 'authorization', basic('ü:p:w')],
    [
      'a token, which wins over the user',
      auth({ openidToken: 'abc.def', user: 'u', password: 'p' }),
      'authorization',
      'Bearer abc.def',
    ],
    ['a session ID', auth({ sessionCookie: '0f1e' }), 'cookie', 'SyncGatewaySession=0f1e'],
    ['a session cookie', auth({ sessionCookie: 'SyncGatewaySession=0f1e' }), 'cookie', 'SyncGatewaySession=0f1e'],
    ['a session cookie of another name', auth({ sessionCookie: 'Other=0f1e' }), 'cookie', 'Other=0f1e'],
    ['headers', { headers: { 'X-Site': 'plant 7' } }, 'x-site', 'plant 7'],
    ['an own user agent', { headers: { 'User-Agent': 'mine' } }, 'user-agent', 'mine'],
  ])('%s are sent with the first request', async (_, definition, name, value) => {
    await using server = await runServer(OPEN);
    await using front = await FrontServer.before(server.port, { admits: (headers) => headers[name] === value });
    expect(await attempt(front, definition)).toBe('done');
    expect(front.seen).toHaveLength(1);
    expect(front.seen[0]).toMatchObject({
      upgrade: 'websocket',
      'sec-websocket-protocol': 'BLIP_3+CBMobile_4,BLIP_3+CBMobile_3,BLIP_3+CBMobile_2',
    });
    expect(front.seen[0]).not.toHaveProperty('sec-websocket-extensions');
  });

  it('in the URL are sent as user and password, and shown nowhere', async () => {
    await using server = await runServer(OPEN);
    await using front = await FrontServer.before(server.port, {
      admits: ({ authorization }) => authorization === basic('u:p@ss'),
    });
    expect(await attempt(front, {}, 'ws', 'u:p%40ss@')).toBe('done');
    expect(await attempt(front, {}, 'ws', 'u:wrong@')).toMatchObject({ domain: 6, code: 401, kind: 'permanent' });
  });

  it('that are refused stop it at once, also when it is continuous', async () => {
    await using server = await runServer(OPEN);
    await using front = await FrontServer.before(server.port, { admits: () => false });
    const refused = { domain: 6, code: 401, kind: 'permanent' };
    expect(await attempt(front, { continuous: true, ...auth({ user: 'u', password: 'p' }) })).toMatchObject(refused);
    expect(front.seen).toHaveLength(1);
  });

  it('that are refused are tried again, ever more slowly, by one that goes on whatever happens', async () => {
    await using server = await runServer(OPEN);
    await using front = await FrontServer.before(server.port, { admits: () => front.seen.length > 3 });
    await using local = await temporaryStorage();
    await using started = startReplication(local, front.port, {}, undefined, true);
    await until(() => started.replication.failure !== undefined);
    expect(started.replication.failure).toMatchObject({ domain: 6, code: 401, kind: 'permanent' });
    await started.idle();
    expect(started.replication.failure).toBeUndefined();
    expect(started.log).toEqual([
      'warning: offline: Unauthorized; next attempt in 8.8 s',
      'offline: Unauthorized; next attempt in 17.5 s',
      'offline: Unauthorized; next attempt in 35 s',
    ]);
  });

  // docs/protocol/connection.md#upgrade-reply
  it('that the server hands out are sent back', async () => {
    await using server = await runServer(OPEN);
    await using front = await FrontServer.before(server.port, {
      answerHeaders: ['Set-Cookie: route=node7; Path=/; HttpOnly', 'Set-Cookie: old=x; Max-Age=0'],
    });
    await using local = await temporaryStorage();
    await using started = startReplication(local, front.port);
    await started.idle();
    started.replication.reconnect();
    await expect.poll(() => front.seen.length).toBe(2);
    expect(front.seen.map(({ cookie }) => cookie)).toEqual([undefined, 'route=node7']);
  });
});

describe('certificates', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it('of the server must be issued by a trusted root, fit the name, and be valid; a pinned one must be that one', async () => {
    const root = await TestCertificate.selfSigned('CN=root', { ca: true });
    const good = await root.issue('CN=localhost', { usage: 'server' });
    const expired = await root.issue('CN=localhost', { usage: 'server', days: -1 });
    const alone = await TestCertificate.selfSigned('CN=elsewhere');
    await using server = await runServer(OPEN);
    const fronted = (certificate: TestCertificate) =>
      FrontServer.before(server.port, { tls: { cert: certificate.pem, key: certificate.keyPem } });
    await using goodFront = await fronted(good);
    await using expiredFront = await fronted(expired);
    await using aloneFront = await fronted(alone);
    const trusts: Partial<ReplicationConfig> = { trustedRootCerts: file('root.pem', root.pem) };
    const end = (front: FrontServer, definition: Partial<ReplicationConfig>) => attempt(front, definition, 'wss');
    expect(await end(goodFront, trusts)).toBe('done');
    expect(await end(goodFront, { trustedRootCerts: root.pem })).toBe('done');
    expect(await end(goodFront, {})).toMatchObject({ domain: 5, code: 11, kind: 'permanent' });
    expect(await end(expiredFront, trusts)).toMatchObject({ domain: 5, code: 7, kind: 'permanent' });
    expect(await end(aloneFront, trusts)).toMatchObject({ domain: 5, code: 11 });
    expect(await end(aloneFront, { pinnedCert: file('alone.pem', alone.pem) })).toBe('done');
    expect(await end(aloneFront, { pinnedCert: file('alone.der', alone.der) })).toBe('done');
    const before = goodFront.seen.length;
    expect(await end(goodFront, { pinnedCert: alone.pem, ...trusts })).toMatchObject({ domain: 5, code: 8 });
    expect(goodFront.seen.length).toBe(before);
    expect(await end(goodFront, { pinnedCert: join(folder, 'none.pem') })).toMatchObject({ domain: 1, code: 11 });
    rmSync(folder, { recursive: true });
  });

  it('that are not valid yet are waited for, since it may be our clock: not by a replication that is to run once', async () => {
    const root = await TestCertificate.selfSigned('CN=root', { ca: true });
    const tomorrow = await root.issue('CN=localhost', { usage: 'server', fromDay: 1 });
    const today = await root.issue('CN=localhost', { usage: 'server' });
    await using server = await runServer(OPEN);
    await using early = await FrontServer.before(server.port, { tls: { cert: tomorrow.pem, key: tomorrow.keyPem } });
    await using good = await FrontServer.before(server.port, { tls: { cert: today.pem, key: today.keyPem } });
    const trusts: Partial<ReplicationConfig> = { trustedRootCerts: root.pem };
    expect(await attempt(early, trusts, 'wss')).toMatchObject({ domain: 5, code: 8, kind: 'offline' });
    await using link = await LinkProxy.to(early.port);
    await using local = await temporaryStorage();
    await using started = startReplication(local, `wss://127.0.0.1:${link.port}/db`, trusts);
    await until(() => started.replication.activity === 'Offline');
    expect(started.replication.failure).toMatchObject({ domain: 5, code: 8 });
    link.target = good.port;
    await started.idle();
    expect(started.replication.failure).toBeUndefined();
  });

  it('and tokens that expire while it is connected stop it when it connects again, and lose nothing', async () => {
    const root = await TestCertificate.selfSigned('CN=root', { ca: true });
    const good = await root.issue('CN=localhost', { usage: 'server' });
    const expired = await root.issue('CN=localhost', { usage: 'server', days: -1 });
    await using server = await runServer(OPEN);
    const fronted = (certificate: TestCertificate) =>
      FrontServer.before(server.port, {
        tls: { cert: certificate.pem, key: certificate.keyPem },
        admits: ({ authorization }) => authorization === 'Bearer good',
      });
    await using front = await fronted(good);
    await using later = await fronted(expired);
    for (const expires of ['the certificate', 'the token']) {
      const definition = { trustedRootCerts: root.pem, ...auth({ openidToken: 'good' }) };
      await using link = await LinkProxy.to(front.port);
      await using local = await temporaryStorage();
      await using started = startReplication(local, `wss://127.0.0.1:${link.port}/db`, definition);
      await started.idle();
      if (expires === 'the certificate') link.target = later.port;
      else front.admits = () => false;
      const keyspace = { database: 'db', scope: '_default', collection: '_default' };
      link.cut();
      await local.write('db', [{ type: 'edit', keyspace, id: expires, deleted: false, body: '{}' }]);
      link.restore();
      expect(await started.replication.ended).toMatchObject(
        expires === 'the certificate' ? { domain: 5, code: 7 } : { domain: 6, code: 401 },
      );
      await started.replication.countWaiting();
      expect(started.replication.pending).toBeGreaterThanOrEqual(1);
      front.admits = () => true;
      link.target = front.port;
      await using again = startReplication(local, `wss://127.0.0.1:${link.port}/db`, definition);
      await again.idle();
      expect((await server.storage.read(keyspace, [expires]))[0]).toBeDefined();
    }
  });

  it('of our own are shown to a server that asks for them, in PEM or DER', async () => {
    const root = await TestCertificate.selfSigned('CN=root', { ca: true });
    const server = await root.issue('CN=localhost', { usage: 'server' });
    const client = await root.issue('CN=edge', { usage: 'client' });
    const stranger = await TestCertificate.selfSigned('CN=stranger');
    await using behind = await runServer(OPEN);
    await using front = await FrontServer.before(behind.port, {
      tls: { cert: server.pem, key: server.keyPem, ca: root.pem, requestCert: true, rejectUnauthorized: true },
    });
    const end = (members: Parameters<typeof auth>[0]) =>
      attempt(front, { trustedRootCerts: root.pem, ...auth(members) }, 'wss');
    expect(await end({ tlsClientCert: client.pem, tlsClientCertKey: client.keyPem })).toBe('done');
    expect(await end({})).toMatchObject({ domain: 5, code: 9, kind: 'permanent' });
    // Node's server sends no alert: it just hangs up.
    expect(await end({ tlsClientCert: stranger.pem, tlsClientCertKey: stranger.keyPem })).toMatchObject({ domain: 5 });
    const other = mkdtempSync(join(tmpdir(), 'edgesync-'));
    writeFileSync(join(other, 'c.der'), client.der);
    writeFileSync(join(other, 'k.der'), client.key.export({ type: 'pkcs8', format: 'der' }));
    expect(await end({ tlsClientCert: join(other, 'c.der'), tlsClientCertKey: join(other, 'k.der') })).toBe('done');
    rmSync(other, { recursive: true });
  });
});

describe('a proxy', () => {
  it.each(['ws', 'wss'])('carries %s connections, and may ask for credentials', async (scheme) => {
    const root = await TestCertificate.selfSigned('CN=root', { ca: true });
    const certificate = await root.issue('CN=localhost', { usage: 'server' });
    const tls = { cert: certificate.pem, key: certificate.keyPem };
    await using server = await runServer(OPEN);
    await using front = await FrontServer.before(server.port, scheme === 'wss' ? { tls } : {});
    for (const [type, proxyTls] of [
      ['HTTP', undefined],
      ['HTTPS', tls],
    ] as const) {
      await using proxy = await ConnectProxy.start(basic('pu:pp'), proxyTls);
      const through = (password: string): Partial<ReplicationConfig> => ({
        trustedRootCerts: root.pem,
        proxy: { type, host: '127.0.0.1', port: proxy.port, auth: { user: 'pu', password } },
      });
      expect(await attempt(front, through('pp'), scheme)).toBe('done');
      expect(proxy.tunnels).toEqual([`127.0.0.1:${front.port}`]);
      expect(await attempt(front, through('wrong'), scheme)).toMatchObject({ domain: 6, code: 407, kind: 'permanent' });
    }
    expect(front.seen.every((headers) => headers['proxy-authorization'] === undefined)).toBe(true);
  });
});
