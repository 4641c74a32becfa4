import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '@edgesync/test-kit';
import { App, brokenBlobs, documentsOf } from '../crash/app.js';
import { ComposeProject } from './compose-project.js';
import { RestWriter } from './rest-writer.js';
import { settle } from './settle.js';

const CONFIG = {
  interface: '0.0.0.0:59840',
  enable_anonymous_users: true,
  databases: {
    db: { path: '/var/lib/edgesync/db.cblite2', create: true, enable_client_writes: true, enable_client_sync: true },
  },
  logging: { domains: { REST: 'error' } },
};

let project: ComposeProject;
let folder: string;
beforeAll(async () => {
  project = await ComposeProject.up({ scale: { replication: 2 }, config: CONFIG, badNetwork: true });
  folder = mkdtempSync(join(tmpdir(), 'edgesync-apps-'));
}, 120_000);
afterEach(heal);
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const port = (): number => project.one('gateway').publicPort;
const url = (path = ''): string => `http://127.0.0.1:${port()}/db${path}`;

function heal(): void {
  project.network.delay = 0;
  project.network.drop = undefined;
}

/**
 * Writes over REST and syncs two apps in a bad network until `isEnough`, then in a good one, and compares what all have.
 * Every REST reply meanwhile is a success, or 503 with Retry-After.
 */
async function workThrough(
  name: string,
  makeBad: () => void,
  isEnough: (writer: RestWriter) => boolean,
): Promise<void> {
  const random = seeded(20_270_202);
  const apps = await Promise.all([App.open(folder, `${name}-old`, 3), App.open(folder, `${name}-young`, 4)]);
  const writer = new RestWriter(url(), name);
  makeBad();
  writer.start();
  for (let round = 0; round === 0 || !isEnough(writer); round++) {
    for (const app of apps) await app.edit(random, round);
    await Promise.all(apps.map((app) => app.sync(port())));
  }
  heal();
  const before = writer.acknowledged.size;
  await expect.poll(() => writer.acknowledged.size, { timeout: 40_000 }).toBeGreaterThan(before + 5);
  await writer.stop();
  await writer.check();
  await settle(project, apps);

  const [old, young] = await Promise.all(apps.map(({ storage }) => documentsOf(storage)));
  expect(young).toEqual(old);
  const live = Object.keys(old!).filter((id) => old![id] !== 'deleted');
  const { rows } = (await (await fetch(url('/_all_docs'))).json()) as { rows: { id: string }[] };
  expect(rows.map(({ id }) => id).sort()).toEqual(live.sort());
  for (const { storage } of apps) {
    expect(await brokenBlobs(storage)).toEqual([]);
    await storage.close();
  }
}

describe('nothing is lost, nothing is done twice, and all hold the same in the end', () => {
  it('when NATS is slow', { timeout: 120_000 }, () =>
    workThrough(
      'slow',
      () => (project.network.delay = 200),
      (writer) => writer.acknowledged.size >= 10,
    ),
  );

  it('when NATS is so slow that leases run out', { timeout: 180_000 }, () =>
    workThrough(
      'slower',
      () => (project.network.delay = 3_000),
      (writer) => writer.refusals >= 2,
    ),
  );

  it('when one message of twenty is lost', { timeout: 180_000 }, () => {
    const random = seeded(20_270_203);
    return workThrough(
      'lossy',
      () => (project.network.drop = () => random() < 0.05),
      (writer) => writer.acknowledged.size >= 30,
    );
  });
});

it(
  'services end in good order although NATS hangs, before and after they have noticed',
  { timeout: 90_000 },
  async () => {
    const [worker, other] = project.of('replication');
    const gateway = project.one('gateway');
    const storage = project.one('storage');
    project.one('nats').signal('SIGSTOP');
    for (const service of [gateway, worker!])
      expect([service.name, await service.end('SIGTERM')]).toEqual([service.name, 0]);
    // Until two of its pings were not answered.
    await expect.poll(async () => (await fetch(`${storage.internalUrl}/_ready`)).status, { timeout: 30_000 }).toBe(503);
    for (const service of [other!, storage])
      expect([service.name, await service.end('SIGTERM')]).toEqual([service.name, 0]);
  },
);
