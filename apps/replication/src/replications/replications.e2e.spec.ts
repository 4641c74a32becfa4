import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReplicationConfig } from '@edgesync/config';
import { LinkProxy, TestCertificate } from '@edgesync/test-kit';
import { FrontServer } from '../testing/front-server.js';
import { runServer, type RunningServer } from '../testing/running-server.js';
import { until } from '../testing/started-replication.js';

const database = { path: '/tmp/x.cblite2', create: true, enable_client_sync: true };
const OPEN = { enable_anonymous_users: true, databases: { db: database } };
const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };
const withReplications = (...replications: object[]): object => ({ ...OPEN, replications });
const to = (port: number, members: Partial<ReplicationConfig> = {}): ReplicationConfig => ({
  source: 'db',
  target: `ws://127.0.0.1:${port}/db`,
  bidirectional: true,
  continuous: true,
  ...members,
});

const statuses = async ({ control }: RunningServer): Promise<string[]> =>
  (await control.list()).map(({ status }) => status);
const put = (server: RunningServer, id: string, body: object = {}) =>
  server.storage.write('db', [{ type: 'edit', keyspace: DEFAULT, id, deleted: false, body: JSON.stringify(body) }]);

describe('replications of the configuration', () => {
  it('start with the server, and share one list and numbering with others', async () => {
    await using upper = await runServer(OPEN);
    await using lower = await runServer(
      withReplications({
        source: 'db',
        target: `ws://127.0.0.1:${upper.port}/db`,
        bidirectional: true,
        continuous: true,
      }),
    );
    await until(async () => (await statuses(lower)).join() === 'Idle');
    const id = await lower.control.start(
      to(upper.port, { continuous: false, target: `ws://localhost:${upper.port}/db` }),
    );
    const tasks = await lower.control.list();
    expect(tasks[0]).toMatchObject({
      task_id: 1,
      session_id: 1,
      type: 'replication',
      source: 'db',
      target: `ws://127.0.0.1:${upper.port}/db`,
      continuous: true,
      bidirectional: true,
      status: 'Idle',
      docs_pending: 0,
    });
    expect(tasks[0]).not.toHaveProperty('error');
    expect(id).toBe(2);
    expect(tasks[1]).not.toHaveProperty('continuous');
    expect(await lower.control.status(7)).toBeUndefined();
    expect(await lower.control.delete(7)).toBe(false);
  });

  it('of collections that do not exist keep the server from starting; all of them are named', async () => {
    const item = { source: 'db', target: 'ws://127.0.0.1:1/db', continuous: true };
    const configured = withReplications({ ...item, collections: ['nothing'] }, item, {
      ...item,
      collections: ['none'],
    });
    await expect(runServer(configured)).rejects.toMatchObject({
      name: 'ConfigError',
      issues: [
        { path: 'replications[0].collections', problem: 'has _default.nothing, which the database does not have' },
        { path: 'replications[2].collections', problem: 'has _default.none, which the database does not have' },
      ],
    });
  });

  it('go into the audit log and the metrics, without secrets', async () => {
    await using upper = await runServer(OPEN);
    await using front = await FrontServer.before(upper.port);
    await using lower = await runServer(
      withReplications({
        source: 'db',
        target: `ws://u:xqzsecret@127.0.0.1:${front.port}/db`,
        continuous: true,
        headers: { 'X-Key': 'xqzsecret' },
      }),
    );
    await put(lower, 'doc');
    await until(async () => (await upper.storage.collection(DEFAULT)).documents === 1);
    await until(async () => (await statuses(lower)).join() === 'Idle');
    expect(lower.metrics.render()).toMatch(/edgesync_upstream_documents_total\{database="db",direction="sent"\} 1\n/);
    expect(lower.metrics.render()).toContain('edgesync_upstream_replications{database="db",status="idle"} 1');
    expect(lower.audit.filter(({ id }) => id === 57356)).toEqual([]);
    await lower.control.delete(1);
    await until(async () => (await statuses(lower)).join() === 'Stopped');
    expect(lower.audit.filter(({ id }) => id === 57355 || id === 57356)).toMatchObject([
      { id: 57355, db: 'db', task_id: 1, source: 'db', target: `ws://127.0.0.1:${front.port}/db`, continuous: true },
      { id: 57356, db: 'db', task_id: 1, source: 'db', target: `ws://127.0.0.1:${front.port}/db` },
    ]);
    const shown = JSON.stringify([lower.audit, lower.log, lower.metrics.render(), await lower.control.list()]);
    expect(shown).not.toContain('xqzsecret');
  });

  it('show in the metrics when they were equal last, what failed, and when they try again', async () => {
    await using upper = await runServer(OPEN);
    await using link = await LinkProxy.to(upper.port);
    await using lower = await runServer(
      withReplications({ source: 'db', target: `ws://127.0.0.1:${link.port}/db`, continuous: true }),
    );
    const value = (name: string): number | undefined => {
      const found = new RegExp(`^edgesync_upstream_${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(lower.metrics.render());
      return found ? Number(found[1]) : undefined;
    };
    await until(async () => (await statuses(lower)).join() === 'Idle');
    const success = value('last_success_timestamp_seconds')!;
    expect(Math.abs(success - Date.now() / 1_000)).toBeLessThan(60);
    expect(value('next_retry_timestamp_seconds')).toBeUndefined();
    link.cut();
    await until(async () => (await statuses(lower)).join() === 'Offline');
    const [task] = await lower.control.list();
    expect(task).toMatchObject({ error: { 'x-litecore-domain': 6, 'x-litecore-code': 1006 } });
    expect(Math.ceil(value('next_retry_timestamp_seconds')!)).toBe(task!.next_retry);
    expect(Math.floor(value('last_success_timestamp_seconds')!)).toBe(task!.last_success);
    expect(lower.metrics.render()).toContain(
      'edgesync_upstream_failures_total{database="db",domain="6",code="1006"} 1',
    );
  });

  it('audits conflicts with their documents (57357)', async () => {
    await using upper = await runServer(OPEN);
    await using lower = await runServer(OPEN);
    await put(upper, 'doc', { by: 'upper' });
    // Of two writes in the same millisecond that of the greater source wins, which is random.
    const written = Date.now();
    await until(() => Date.now() > written);
    await put(lower, 'doc', { by: 'lower' });
    await lower.control.start(to(upper.port, { continuous: false }));
    await until(async () => (await statuses(lower)).join() === 'Stopped');
    expect(lower.audit.filter(({ id }) => id === 57357)).toMatchObject([
      { db: 'db', ks: 'db', task_id: 1, doc_id: 'doc', winner: 'local' },
    ]);
    expect((await upper.storage.read(DEFAULT, ['doc']))[0]!.body).toBe('{"by":"lower"}');
  });
});

describe('starting', () => {
  it.each<[string, Partial<ReplicationConfig>, string]>([
    ['an unknown collection', { collections: [{ scope: '_default', collection: 'nothing' }] }, 'request.invalid'],
    ['an unknown database', { source: 'nothing' }, 'keyspace.unknown'],
    ['a broken certificate', { pinnedCert: '-----BEGIN CERTIFICATE-----\nx' }, 'request.invalid'],
    ['roots that are not certificates', { trustedRootCerts: '-----BEGIN CERTIFICATE-----\nx' }, 'request.invalid'],
  ])('refuses %s', async (_, members, code) => {
    await using server = await runServer(OPEN);
    await expect(server.control.start(to(1, members))).rejects.toMatchObject({ code });
    expect(await server.control.list()).toEqual([]);
  });

  it('refuses a client certificate with the key of another one', async () => {
    await using server = await runServer(OPEN);
    const [one, other] = [await TestCertificate.selfSigned('CN=a'), await TestCertificate.selfSigned('CN=b')];
    const auth = { reconnectOnTokenChange: false, tlsClientCert: one.pem, tlsClientCertKey: other.keyPem };
    await expect(server.control.start(to(1, { auth }))).rejects.toMatchObject({
      code: 'request.invalid',
      message: 'auth.tls_client_cert_key is not the key of auth.tls_client_cert',
    });
  });

  it('refuses what runs already, in either direction, until that has stopped', async () => {
    await using upper = await runServer(OPEN);
    await using lower = await runServer(OPEN);
    await lower.control.start(to(upper.port));
    const back = to(upper.port, { source: `ws://127.0.0.1:${upper.port}/db`, target: 'db', bidirectional: false });
    await expect(lower.control.start(back)).rejects.toMatchObject({ code: 'replication.running' });
    expect(await lower.control.delete(1)).toBe(true);
    await until(async () => (await statuses(lower)).join() === 'Stopped');
    expect(await lower.control.start(back)).toBe(2);
  });
});

describe('a token file', () => {
  /** A directory as orchestrators mount secrets: `token` points through a link that is replaced as a whole. */
  function secretMount(): { path: string; write: (token: string) => void; remove: () => void } {
    const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
    let version = 0;
    const write = (token: string): void => {
      const data = `..data_${++version}`;
      mkdirSync(join(folder, data));
      writeFileSync(join(folder, data, 'token'), `${token}\n`);
      symlinkSync(data, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    write('first');
    symlinkSync('..data/token', join(folder, 'token'));
    return { path: join(folder, 'token'), write, remove: () => rmSync(folder, { recursive: true }) };
  }

  it('makes a new connection when its token changed, survives an empty one, waits after a bad one and goes on with a good one', async () => {
    const secret = secretMount();
    await using upper = await runServer(OPEN);
    const good = new Set(['Bearer first', 'Bearer second', 'Bearer fourth']);
    await using front = await FrontServer.before(upper.port, {
      admits: ({ authorization = '' }) => good.has(authorization),
    });
    await using lower = await runServer(
      withReplications({
        source: 'db',
        target: `ws://127.0.0.1:${front.port}/db`,
        continuous: true,
        auth: { openid_token: { path: secret.path }, reconnect_on_token_change: true },
      }),
    );
    const tokens = (): (string | undefined)[] => front.seen.map(({ authorization }) => authorization);
    await until(async () => (await statuses(lower)).join() === 'Idle');
    secret.write('second');
    await until(() => tokens().includes('Bearer second'));
    await until(async () => (await statuses(lower)).join() === 'Idle');
    secret.write('');
    secret.write('third');
    await until(async () => (await statuses(lower)).join() === 'Offline');
    expect((await lower.control.list())[0]!.error).toMatchObject({ 'x-litecore-domain': 6, 'x-litecore-code': 401 });
    secret.write('fourth');
    await until(async () => (await statuses(lower)).includes('Idle'));
    expect(tokens()).toEqual(['Bearer first', 'Bearer second', 'Bearer third', 'Bearer fourth']);
    expect(lower.log.join('\n')).not.toMatch(/first|second|third|fourth/);
    secret.remove();
  });

  it('makes no new connection unless it is to be watched; without it the replication waits', async () => {
    const secret = secretMount();
    await using upper = await runServer(OPEN);
    await using front = await FrontServer.before(upper.port);
    const item = (path: string): object => ({
      source: 'db',
      target: `ws://127.0.0.1:${front.port}/db`,
      continuous: true,
      auth: { openid_token: { path } },
    });
    await using lower = await runServer(withReplications(item(secret.path), item(`${secret.path}.none`)));
    await until(async () => (await statuses(lower)).join() === 'Idle,Offline');
    expect((await lower.control.list())[1]!.error).toEqual({
      error: `auth.openid_token names ${secret.path}.none, which does not exist`,
      'x-litecore-domain': 1,
      'x-litecore-code': 11,
    });
    secret.write('second');
    secret.write('third');
    writeFileSync(`${secret.path}.none`, 'late');
    await until(async () => (await statuses(lower)).join() === 'Idle,Idle');
    expect(front.seen.map(({ authorization }) => authorization)).toEqual(['Bearer first', 'Bearer late']);
    secret.remove();
  });
});

describe('a replication that is refused', () => {
  /** A server in whose place another answers. */
  const front = async (upper: RunningServer, admits: boolean): Promise<FrontServer> =>
    FrontServer.before(upper.port, { admits: () => admits });
  const error = async (server: RunningServer): Promise<unknown> => (await server.control.list())[0]?.error;
  const metric = (server: RunningServer, text: string): boolean => server.metrics.render().includes(text);

  it('goes on trying if it is of the configuration and continuous, and shows why all the while', async () => {
    await using upper = await runServer(OPEN);
    await using gate = await front(upper, false);
    await using lower = await runServer(
      withReplications({ source: 'db', target: `ws://u:p@127.0.0.1:${gate.port}/db`, continuous: true }),
    );
    await until(async () => (await statuses(lower)).join() === 'Offline');
    const [task] = await lower.control.list();
    expect(task!.error).toEqual({ error: 'Unauthorized', 'x-litecore-domain': 6, 'x-litecore-code': 401 });
    expect(task!.next_retry! - Date.now() / 1_000).toBeGreaterThan(5);
    expect(lower.tasks.list()).toEqual([]);
    expect(await lower.tasks.listAll()).toMatchObject([{ task_id: 1, type: 'replication', error: task!.error }]);
    expect(metric(lower, 'edgesync_upstream_replications{database="db",status="offline"} 1\n')).toBe(true);
    expect(
      metric(
        lower,
        'edgesync_upstream_failing_replications{database="db",domain="6",code="401",error="Unauthorized"} 1\n',
      ),
    ).toBe(true);
    expect(lower.log.filter((line) => line.includes('WARNING') && line.includes('offline: Unauthorized'))).toHaveLength(
      1,
    );
    expect(lower.audit.filter(({ id }) => id === 57356)).toEqual([]);
  });

  it('tries at once when a certificate that it names was replaced, and when the users file changed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
    const [root, other] = [
      await TestCertificate.selfSigned('CN=root', { ca: true }),
      await TestCertificate.selfSigned('CN=other', { ca: true }),
    ];
    const certificate = await root.issue('CN=localhost', { usage: 'server' });
    const roots = join(folder, 'roots.pem');
    const users = join(folder, 'users.json');
    writeFileSync(roots, other.pem);
    writeFileSync(users, '{}');
    await using upper = await runServer(OPEN);
    await using gate = await FrontServer.before(upper.port, {
      tls: { cert: certificate.pem, key: certificate.keyPem },
      admits: () => false,
    });
    const target = `wss://127.0.0.1:${gate.port}/db`;
    await using lower = await runServer({
      ...withReplications({ source: 'db', target, continuous: true, trusted_root_certs: roots }),
      users,
    });
    await until(async () => (await error(lower)) !== undefined);
    expect(await error(lower)).toMatchObject({ 'x-litecore-domain': 5, 'x-litecore-code': 11 });
    rmSync(roots);
    await until(async () => /does not exist/.test(JSON.stringify(await error(lower))));
    writeFileSync(roots, root.pem);
    await until(async () => /401/.test(JSON.stringify(await error(lower))));
    gate.admits = () => true;
    writeFileSync(users, '{"u": {}}');
    await until(async () => (await statuses(lower)).join() === 'Idle');
    expect(await error(lower)).toBeUndefined();
    rmSync(folder, { recursive: true });
  });

  it('stops if it was requested or is to run once, and stays listed and counted until it is deleted', async () => {
    await using upper = await runServer(OPEN);
    await using gate = await front(upper, false);
    const target = `ws://127.0.0.1:${gate.port}/db`;
    await using lower = await runServer(withReplications({ source: 'db', target }));
    const back = { source: target, target: 'db', bidirectional: false };
    await until(async () => (await statuses(lower)).join() === 'Stopped');
    const id = await lower.control.start(to(1, back));
    await until(async () => (await statuses(lower)).join() === 'Stopped,Stopped');
    expect((await lower.control.list()).map(({ error }) => error!.error)).toEqual(['Unauthorized', 'Unauthorized']);
    expect(await lower.tasks.listAll()).toHaveLength(2);
    expect(metric(lower, 'edgesync_upstream_replications{database="db",status="stopped"} 2\n')).toBe(true);
    expect(metric(lower, 'domain="6",code="401",error="Unauthorized"} 2\n')).toBe(true);
    expect(await lower.control.delete(id)).toBe(true);
    expect(await lower.control.delete(id)).toBe(false);
    expect(await statuses(lower)).toEqual(['Stopped']);
    expect(metric(lower, 'edgesync_upstream_replications{database="db",status="stopped"} 1\n')).toBe(true);
  });

  it('is replaced by an equivalent one that is requested', async () => {
    await using upper = await runServer(OPEN);
    await using gate = await front(upper, false);
    await using lower = await runServer(OPEN);
    await lower.control.start(to(gate.port));
    await until(async () => (await statuses(lower)).join() === 'Stopped');
    gate.admits = () => true;
    expect(await lower.control.start(to(gate.port))).toBe(2);
    await until(async () => (await statuses(lower)).join() === 'Stopped,Idle');
  });
});
