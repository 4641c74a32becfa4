import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReplicationConfig } from '@edgesync/config';
import type { ReplicationControl } from '@edgesync/ports';
import { FrontServer } from '../testing/front-server.js';
import { runServer, type RunningServer } from '../testing/running-server.js';
import { SharedDeployment, type TestWorker } from '../testing/shared-deployment.js';

const SLOW = { timeout: 20_000 };
const OPEN = {
  enable_anonymous_users: true,
  databases: { db: { path: '/tmp/x.cblite2', create: true, enable_client_sync: true } },
};
const DEFAULT = { database: 'db', scope: '_default', collection: '_default' };
const to = (port: number, members: object = {}) => ({
  source: 'db',
  target: `ws://127.0.0.1:${port}/db`,
  bidirectional: true,
  continuous: true,
  ...members,
});
const request = (port: number, members: object = {}): ReplicationConfig => to(port, members) as ReplicationConfig;

const statuses = async (control: ReplicationControl): Promise<string> =>
  (await control.list()).map(({ task_id, status }) => `${task_id} ${status}`).join();
const put = (storage: RunningServer['storage'], id: string) =>
  storage.write('db', [{ type: 'edit', keyspace: DEFAULT, id, deleted: false, body: '{}' }]);
const documents = async ({ storage }: { storage: RunningServer['storage'] }): Promise<number> =>
  (await storage.collection(DEFAULT)).documents;
const started = ({ audit }: TestWorker): unknown[] =>
  audit.filter(({ id }) => id === 57355).map(({ task_id }) => task_id);
const stopped = ({ audit }: TestWorker): unknown[] =>
  audit.filter(({ id }) => id === 57356).map(({ task_id }) => task_id);

describe('replications of the configuration', () => {
  it('run on one of the workers each, in one list for every gateway', async () => {
    await using upper = await runServer(OPEN);
    await using here = await SharedDeployment.start();
    const definitions = [to(upper.port), to(upper.port, { target: `ws://localhost:${upper.port}/db` })];
    const workers = await Promise.all([here.worker(definitions), here.worker(definitions)]);
    const [one, other] = [await here.control(), await here.control()];
    await expect.poll(() => statuses(one), SLOW).toBe('1 Idle,2 Idle');
    expect(await statuses(other)).toBe('1 Idle,2 Idle');
    expect(workers.flatMap(started).sort()).toEqual([1, 2]);
    await put(here.storage, 'down');
    await put(upper.storage, 'up');
    await expect.poll(() => documents(upper), SLOW).toBe(2);
    await expect.poll(() => documents(here), SLOW).toBe(2);
    const running = workers.map(({ metrics }) => {
      const counts = metrics.render().matchAll(/^edgesync_upstream_replications\{[^}]*\} (\d+)$/gm);
      return Array.from(counts, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
    });
    expect(running.reduce((sum, count) => sum + count)).toBe(2);
  });

  it('move when their worker drains', async () => {
    await using upper = await runServer(OPEN);
    await using here = await SharedDeployment.start();
    const first = await here.worker([to(upper.port)]);
    const control = await here.control();
    await expect.poll(() => statuses(control), SLOW).toBe('1 Idle');
    const second = await here.worker([to(upper.port)]);
    await put(here.storage, 'before');
    await expect.poll(() => documents(upper), SLOW).toBe(1);
    await first.drain();
    await expect.poll(() => started(second), SLOW).toEqual([1]);
    expect(stopped(first)).toEqual([1]);
    await put(here.storage, 'after');
    await expect.poll(() => documents(upper), SLOW).toBe(2);
    // It went on at the checkpoint.
    const [task] = await control.list();
    expect(task).toMatchObject({ task_id: 1, docs_transferred: 1 });
  });

  it('that are done or were stopped are not started again by other workers, unless they were changed', async () => {
    await using upper = await runServer(OPEN);
    await using here = await SharedDeployment.start();
    const once = to(upper.port, { continuous: false });
    const always = to(upper.port, { target: `ws://localhost:${upper.port}/db` });
    const first = await here.worker([once, always]);
    const control = await here.control();
    await expect.poll(() => statuses(control), SLOW).toBe('1 Stopped,2 Idle');
    expect(await control.delete(2)).toBe(true);
    await expect.poll(() => statuses(control), SLOW).toBe('1 Stopped,2 Stopped');
    const second = await here.worker([once, { ...always, bidirectional: false }]);
    await first.drain();
    await expect.poll(() => started(second), SLOW).toEqual([3]);
    await expect.poll(() => statuses(control), SLOW).toMatch(/(?:^|,)3 Idle$/);
  });

  it('of collections that do not exist keep a worker from starting', async () => {
    await using here = await SharedDeployment.start();
    await expect(here.worker([to(1, { collections: ['nothing'] })])).rejects.toMatchObject({
      name: 'ConfigError',
      issues: [{ path: 'replications[0].collections' }],
    });
  });

  it('make a new connection when their token changed, wait after a bad one and go on with a good one, also after they moved', async () => {
    await using upper = await runServer(OPEN);
    const good = new Set(['Bearer first', 'Bearer second', 'Bearer fourth']);
    await using front = await FrontServer.before(upper.port, {
      admits: ({ authorization = '' }) => good.has(authorization),
    });
    await using here = await SharedDeployment.start();
    const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
    const path = join(folder, 'token');
    writeFileSync(path, 'first');
    const auth = { openid_token: { path }, reconnect_on_token_change: true };
    const first = await here.worker([to(front.port, { auth })]);
    const second = await here.worker([to(front.port, { auth })]);
    const control = await here.control();
    const tokens = (): (string | undefined)[] => front.seen.map(({ authorization }) => authorization);
    await expect.poll(() => statuses(control), SLOW).toBe('1 Idle');
    writeFileSync(path, 'second');
    await expect.poll(tokens, SLOW).toEqual(['Bearer first', 'Bearer second']);
    writeFileSync(path, 'third');
    await expect.poll(() => statuses(control), SLOW).toBe('1 Offline');
    expect((await control.status(1))!.error).toMatchObject({ 'x-litecore-domain': 6, 'x-litecore-code': 401 });
    const [owner, other] = started(first).length > 0 ? [first, second] : [second, first];
    await owner.drain();
    await expect.poll(() => started(other), SLOW).toEqual([1]);
    await expect.poll(() => statuses(control), SLOW).toBe('1 Offline');
    writeFileSync(path, 'fourth');
    await expect.poll(() => statuses(control), SLOW).toBe('1 Idle');
    expect(new Set(tokens())).toEqual(
      new Set(['first', 'second', 'third', 'fourth'].map((token) => `Bearer ${token}`)),
    );
    rmSync(folder, { recursive: true });
  });
});

describe('replications that were started by a request', () => {
  it('run on one worker, move when it drains, and are stopped through any gateway', async () => {
    await using upper = await runServer(OPEN);
    await using here = await SharedDeployment.start();
    const workers = [await here.worker(), await here.worker()];
    const [one, other] = [await here.control(), await here.control()];
    expect(await one.start(request(upper.port))).toBe(1);
    await expect.poll(() => statuses(other), SLOW).toBe('1 Idle');
    const owner = workers.find((worker) => started(worker).length > 0)!;
    const next = workers.find((worker) => worker !== owner)!;
    await owner.drain();
    await expect.poll(() => started(next), SLOW).toEqual([1]);
    await put(here.storage, 'doc');
    await expect.poll(() => documents(upper), SLOW).toBe(1);
    expect(await other.delete(1)).toBe(true);
    await expect.poll(() => statuses(one), SLOW).toBe('1 Stopped');
    expect((await one.status(1))!.error).toBeUndefined();
    expect(stopped(next)).toEqual([1]);
    expect(await other.delete(7)).toBe(false);
    expect(await other.status(7)).toBeUndefined();
    await expect.poll(() => statuses(one), SLOW).toBe('');
    expect(await other.delete(1)).toBe(false);
  });

  it('that stop stay listed and are counted by one worker, until they are deleted through any gateway', async () => {
    await using upper = await runServer(OPEN);
    await using front = await FrontServer.before(upper.port, { admits: () => false });
    await using here = await SharedDeployment.start();
    const workers = [await here.worker(), await here.worker()];
    const [one, other] = [await here.control(), await here.control()];
    const counts = (): string =>
      workers
        .flatMap(({ metrics }) => metrics.render().match(/edgesync_upstream_replications\{.*"stopped"\} \d+/g) ?? [])
        .join();
    await one.start(request(front.port));
    await expect.poll(() => statuses(other), SLOW).toBe('1 Stopped');
    await expect.poll(counts, SLOW).toBe('edgesync_upstream_replications{database="db",status="stopped"} 1');
    expect((await other.status(1))!.error).toMatchObject({ error: 'Unauthorized' });
    expect(await other.delete(1)).toBe(true);
    expect(await statuses(one)).toBe('');
    await expect.poll(counts, SLOW).toBe('');
    expect(await other.delete(1)).toBe(false);
  });

  it('go to the worker that has fewer', async () => {
    await using upper = await runServer(OPEN);
    await using here = await SharedDeployment.start();
    const workers = [await here.worker(), await here.worker()];
    const control = await here.control();
    for (const [index, host] of ['127.0.0.1', 'localhost', '127.0.0.2', '127.0.0.3'].entries()) {
      await control.start(request(upper.port, { target: `ws://${host}:${upper.port}/db` }));
      await expect.poll(() => workers.flatMap(started).length, SLOW).toBe(index + 1);
    }
    expect(workers.map((worker) => started(worker).length)).toEqual([2, 2]);
  });

  it('are refused for what is wrong with them, and while the same runs, on whichever worker', async () => {
    await using upper = await runServer(OPEN);
    await using here = await SharedDeployment.start();
    const configured = to(upper.port, { target: `ws://localhost:${upper.port}/db` });
    await Promise.all([here.worker([configured]), here.worker([configured])]);
    const control = await here.control();
    const refusal = (definition: ReplicationConfig): Promise<unknown> =>
      control.start(definition).then(String, (error: { code?: string }) => error.code);
    const codes = await Promise.all([1, 2, 3, 4].map(() => refusal(request(upper.port))));
    expect(codes.filter((code) => code === 'replication.running')).toHaveLength(3);
    const back = { source: `ws://127.0.0.1:${upper.port}/db`, target: 'db', bidirectional: false };
    expect(await refusal(request(upper.port, back))).toBe('replication.running');
    expect(await refusal(configured as ReplicationConfig)).toBe('replication.running');
    expect(await refusal(request(1, { source: 'nothing' }))).toBe('keyspace.unknown');
    const collections = [{ scope: '_default', collection: 'nothing' }];
    expect(await refusal(request(1, { collections }))).toBe('request.invalid');
    expect(await refusal(request(1, { pinnedCert: '-----BEGIN CERTIFICATE-----\nx' }))).toBe('request.invalid');
    expect(await refusal(request(1, { docIds: ['x'.repeat(300_000)] }))).toBe('request.invalid');
    expect(await control.list()).toHaveLength(2);
  });

  it('leave no secret in NATS, logs, audit events and metrics', async () => {
    await using upper = await runServer(OPEN);
    // It asks for credentials and takes any.
    await using front = await FrontServer.before(upper.port);
    await using here = await SharedDeployment.start();
    const worker = await here.worker();
    const control = await here.control();
    const bus = await here.bus('eavesdropper');
    // All requests and answers, and what is written to buckets.
    const passing: string[] = [];
    const spy = bus.connection.subscribe('>', {
      callback: (_, { subject, data }) =>
        void passing.push(`${subject.replace(/[^.]+$/, '')} ${Buffer.from(data).toString('latin1')}`),
    });
    const auth = { user: 'u', password: 'xqzsecret', reconnectOnTokenChange: false };
    const target = `ws://u:xqzsecret@127.0.0.1:${front.port}/db`;
    await control.start(request(0, { target, auth, headers: { 'X-Key': 'xqzsecret' } }));
    await expect.poll(() => statuses(control), SLOW).toBe('1 Idle');
    spy.unsubscribe();
    expect(passing.filter((text) => text.startsWith('$KV.edge-v1-replications.definition.'))).toHaveLength(1);
    const output = [...passing, ...worker.log, JSON.stringify(worker.audit), worker.metrics.render()].join('\n');
    expect(output).toContain(`ws://127.0.0.1:${front.port}/db`);
    expect(output).not.toContain('xqzsecret');
    expect(output).not.toContain(Buffer.from('u:xqzsecret').toString('base64'));
  });

  it('go on after NATS lost its store, under the same number', async () => {
    await using upper = await runServer(OPEN);
    await using here = await SharedDeployment.start();
    await here.worker();
    await here.worker();
    const control = await here.control();
    await control.start(request(upper.port));
    await expect.poll(() => statuses(control), SLOW).toBe('1 Idle');
    await here.nats.restart({ loseStore: true });
    await put(here.storage, 'doc');
    await expect.poll(() => documents(upper), SLOW).toBe(1);
    await expect.poll(() => statuses(control).catch(String), SLOW).toBe('1 Idle');
    expect(await control.start(request(upper.port, { target: `ws://localhost:${upper.port}/db` }))).toBe(2);
  });

  it('cannot be started, listed or stopped without a worker', async () => {
    await using here = await SharedDeployment.start();
    const control = await here.control();
    for (const work of [control.list(), control.start(request(1)), control.delete(1), control.status(1)])
      await expect(work).rejects.toMatchObject({ code: 'sync.no-worker', status: 503 });
    expect(await control.shown()).toEqual([]);
  });
});
