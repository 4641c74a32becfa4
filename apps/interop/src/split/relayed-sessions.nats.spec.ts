import { readConfig } from '@edgesync/config';
import { ACTIVE_TASKS, createAuthenticator, type ActiveTasks } from '@edgesync/platform';
import { observersOf } from '@edgesync/replication/testing';
import { dial, type WsTransport } from '@edgesync/socket-ws';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endNatsServer, pauseNatsServer } from '../testing/nats-accounts.js';
import { startSplit, type SplitDeployment } from '../testing/split-deployment.js';

const PROTOCOLS = ['BLIP_3+CBMobile_4'];

let folder: string;
let split: SplitDeployment;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
  const read = readConfig(
    JSON.stringify({
      enable_anonymous_users: true,
      databases: { db: { path: join(folder, 'db.cblite2'), create: true, enable_client_sync: true } },
    }),
    { file: 'config.json' },
  );
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  const config = read.value;
  const gateway = { ...observersOf(config), config, authenticator: createAuthenticator(config, new Map()) };
  split = await startSplit({ gateway, worker: observersOf(config) });
});
afterEach(async () => {
  await split.close();
  rmSync(folder, { recursive: true, force: true });
});
afterAll(endNatsServer);

const connect = (): Promise<WsTransport> => dial(`ws://127.0.0.1:${split.port}/db/_blipsync`, { protocols: PROTOCOLS });

const closeOf = (transport: WsTransport): Promise<[code: number, reason: string]> =>
  new Promise((resolve) =>
    transport.attach({ onFrame() {}, onDrain() {}, onClose: (code, reason) => resolve([code, reason]) }),
  );

describe('sync sessions that a gateway passes on', () => {
  it('end with 4001 when the gateway stops, and the worker goes on', async () => {
    const closes = (await Promise.all([connect(), connect(), connect()])).map(closeOf);
    await split.stopGateway();
    expect(await Promise.all(closes)).toEqual(closes.map(() => [4001, 'the server is shutting down']));
    const health = await fetch(`${split.workerUrl}/_ready`);
    expect(health.status).toBe(200);
  });

  it('end all the same when the worker cannot be asked', async () => {
    const closed = closeOf(await connect());
    const resume = await pauseNatsServer();
    const stopped = split.stopGateway();
    expect(await closed).toEqual([1006, '']);
    resume();
    await stopped;
  });

  it('are listed without counts when the worker does not answer', async () => {
    await connect();
    const tasks = split.gateway.get<ActiveTasks>(ACTIVE_TASKS);
    expect(await tasks.listAll()).toEqual([expect.objectContaining({ type: 'sync', revs_sent: 0, revs_received: 0 })]);
    const resume = await pauseNatsServer();
    const [task] = await tasks.listAll();
    resume();
    expect(task).toMatchObject({ type: 'sync', db: 'db' });
    expect(task).not.toHaveProperty('revs_sent');
  });
});
