import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EdgeSandbox, type EdgeProcess } from '@edgesync/edge/testing';
import { ComposeProject, type ServiceProcess } from './compose-project.js';

const SLOW = { timeout: 40_000 };
const MINUTES = { timeout: 120_000 };

interface Task {
  readonly task_id: number;
  readonly type: string;
  readonly target: string;
  readonly status: string;
}

let remote: EdgeSandbox;
let remoteServer: EdgeProcess;
let project: ComposeProject;

beforeAll(async () => {
  remote = await EdgeSandbox.create();
  remoteServer = await remote.start();
  const replication = {
    source: 'db',
    target: `ws://127.0.0.1:${remote.port}/db`,
    bidirectional: true,
    continuous: true,
  };
  const config = {
    interface: '0.0.0.0:59840',
    enable_anonymous_users: true,
    databases: {
      db: { path: '/var/lib/edgesync/db.cblite2', create: true, enable_client_writes: true, enable_client_sync: true },
    },
    replications: [replication],
    logging: { domains: { REST: 'error' } },
  };
  project = await ComposeProject.up({ scale: { replication: 2, gateway: 2 }, config });
}, 120_000);
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await remoteServer[Symbol.asyncDispose]();
  remote[Symbol.dispose]();
});

const gateway = (copy = 0): string => `http://127.0.0.1:${project.of('gateway')[copy]!.publicPort}`;
const json = async (url: string, init?: RequestInit): Promise<unknown> => (await fetch(url, init)).json();
const put = async (server: string, id: string): Promise<void> => {
  const init = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' };
  expect((await fetch(`${server}/db/${id}`, init)).status).toBe(201);
};
const documents = async (server: string): Promise<string[]> => {
  const { rows } = (await json(`${server}/db/_all_docs`)) as { rows: { id: string; value: { rev: string } }[] };
  return rows.map(({ id, value }) => `${id} ${value.rev}`);
};
const tasks = async (copy = 0): Promise<readonly Task[]> => (await json(`${gateway(copy)}/_replicate`)) as Task[];

/** Writes some documents on both sides, and waits until each has those of the other. */
async function exchange(round: string): Promise<void> {
  for (let n = 0; n < 10; n++)
    await Promise.all([put(gateway(), `${round}-down-${n}`), put(remote.url, `${round}-up-${n}`)]);
  await converge();
}

async function converge(): Promise<void> {
  await expect
    .poll(async () => {
      const [here, there] = await Promise.all([documents(gateway()), documents(remote.url)]);
      return here.join() === there.join() && here.length;
    }, SLOW)
    .toBeTruthy();
}

const metric = async ({ internalUrl }: ServiceProcess, name: string): Promise<number> => {
  const text = await (await fetch(`${internalUrl}/_metrics`)).text();
  const values = text.split('\n').filter((line) => line.startsWith(name));
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
};
const runs = (worker: ServiceProcess): Promise<number> => metric(worker, 'edgesync_upstream_replications{');
const sent = (worker: ServiceProcess): Promise<number> =>
  metric(worker, 'edgesync_upstream_documents_total{database="db",direction="sent"}');

/** The worker that runs the replication, and the other one. */
async function ownerAndOther(): Promise<[ServiceProcess, ServiceProcess]> {
  const [one, other] = project.of('replication') as [ServiceProcess, ServiceProcess];
  await expect.poll(async () => (await runs(one)) + (await runs(other)), SLOW).toBe(1);
  return (await runs(one)) === 1 ? [one, other] : [other, one];
}

describe('replications of a split deployment with another server', () => {
  it('run on one worker; another goes on when that one is killed or drains', MINUTES, async () => {
    await exchange('first');
    let [owner, other] = await ownerAndOther();
    await owner.end('SIGKILL');
    await exchange('killed');
    expect(await runs(other)).toBe(1);
    owner.start();
    await owner.ready();

    [owner, other] = await ownerAndOther();
    expect(await owner.end('SIGTERM')).toBe(0);
    await expect.poll(() => runs(other), SLOW).toBe(1);
    await exchange('drained');
    owner.start();
    await owner.ready();
    const here = await documents(gateway());
    expect(here).toHaveLength(60);
    expect(here.filter((row) => !row.includes(' 1-'))).toEqual([]);
    expect(await tasks()).toMatchObject([{ task_id: 1, status: 'Idle' }]);
  });

  it('stop on a worker that was paused beyond its lease before it sends anything', MINUTES, async () => {
    const [owner, other] = await ownerAndOther();
    await exchange('before');
    const before = [await sent(owner), await sent(other)];
    owner.signal('SIGSTOP');
    try {
      await exchange('paused');
    } finally {
      owner.signal('SIGCONT');
    }
    await expect.poll(() => runs(owner).catch(() => undefined), SLOW).toBe(0);
    expect(await runs(other)).toBe(1);
    await exchange('after');
    // What was written while it was paused, and later, was pushed once, by the other.
    expect([await sent(owner), await sent(other)]).toEqual([before[0], before[1]! + 20]);
  });

  it('are started, listed and stopped at any gateway, survive their worker, and need a worker', MINUTES, async () => {
    const target = `ws://localhost:${remote.port}/db`;
    const body = JSON.stringify({ source: 'db', target, continuous: true, auth: { openid_token: 'xqzsecret' } });
    const start = (copy: number): Promise<Response> =>
      fetch(`${gateway(copy)}/_replicate`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const started = await start(0);
    expect(started.status).toBe(202);
    expect(await started.json()).toEqual({ ok: true, task_id: 2, session_id: 2 });
    expect((await start(1)).status).toBe(409);

    const workers = project.of('replication');
    for (const worker of workers) {
      await worker.crash();
      await worker.ready();
      await expect
        .poll(() => tasks(1), SLOW)
        .toMatchObject([
          { task_id: 1, status: 'Idle' },
          { task_id: 2, target, continuous: true },
        ]);
    }
    const active = (await json(`${gateway(1)}/_active_tasks`)) as Task[];
    expect(active.map(({ task_id, type }) => [task_id, type])).toEqual([
      [1, 'replication'],
      [2, 'replication'],
    ]);
    expect((await fetch(`${gateway(1)}/_replicate/2`, { method: 'DELETE' })).status).toBe(200);
    await expect.poll(async () => (await tasks()).map(({ task_id }) => task_id), SLOW).toEqual([1]);
    expect((await fetch(`${gateway()}/_replicate/2`)).status).toBe(404);
    for (const { output } of [...workers, ...project.of('gateway')]) expect(output).not.toContain('xqzsecret');

    await Promise.all(workers.map((worker) => worker.end('SIGTERM')));
    const without = await start(0);
    expect([without.status, without.headers.has('retry-after')]).toEqual([503, true]);
    expect((await fetch(`${gateway()}/_replicate`)).status).toBe(503);
    expect(await json(`${gateway()}/_active_tasks`)).toMatchObject([{ task_id: 1, status: 'Offline' }]);
    for (const worker of workers) worker.start();
    await Promise.all(workers.map((worker) => worker.ready()));
    await exchange('again');
  });
});
