import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EdgeConfig, Users } from '@edgesync/config';
import { ACTIVE_TASKS, createAuthenticator, type ActiveTasks } from '@edgesync/platform';
import { PeerSessions } from '@edgesync/replication';
import { observersOf, type RunningServer } from '@edgesync/replication/testing';
import { startSplit } from './split-deployment.js';

/** A split deployment with one replication worker, as its apps see it. */
export async function startSplitServer(config: EdgeConfig, users: Users): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), 'edgesync-'));
  const databases = new Map(
    [...config.databases].map(([name, database]) => [
      name,
      { ...database, path: join(folder, `${name}.cblite2`), create: true },
    ]),
  );
  const located = { ...config, databases };
  const authenticator = createAuthenticator(located, users);
  const worker = observersOf(located);
  const split = await startSplit({
    gateway: { ...observersOf(located), config: located, authenticator },
    worker,
  });
  return {
    port: split.port,
    storage: split.storage,
    sessions: split.worker!.get(PeerSessions),
    tasks: split.gateway.get<ActiveTasks>(ACTIVE_TASKS),
    authenticator,
    get control(): never {
      throw new Error('suites of replications with other servers run against the all-in-one');
    },
    log: worker.log,
    audit: worker.events,
    metrics: worker.metrics,
    stop: split.stop,
    async [Symbol.asyncDispose]() {
      await split.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
