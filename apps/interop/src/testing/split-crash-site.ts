import { join } from 'node:path';
import { dial } from '@edgesync/socket-ws';
import { ComposeProject } from '../split/compose-project.js';
import type { CrashSite } from './crash-site.js';

const CONFIG = {
  interface: '0.0.0.0:59840',
  enable_anonymous_users: true,
  databases: {
    db: { path: '/var/lib/edgesync/db.cblite2', create: true, enable_client_writes: true, enable_client_sync: true },
  },
  logging: { domains: { REST: 'error' } },
};
const SERVICES = ['nats', 'storage', 'replication', 'gateway'];
/** Kills, in turn: a power cut, then one service after the other. */
const CRASHES = [SERVICES, ['storage'], ['gateway'], ['nats'], ['replication']];
const POLL_MS = 25;

/** The services of the compose file as processes; crashes hit each of them, and all at once. */
export async function openSplitCrashSite(): Promise<CrashSite> {
  const project = await ComposeProject.up({ config: CONFIG });
  const { publicPort: port } = project.one('gateway');
  const bundle = join(project.root, 'volumes/data/db.cblite2');
  let crashes = 0;
  return {
    port,
    bundle,
    crashes: (times) => Math.max(CRASHES.length, Math.ceil(times / 2)),
    crash: async (whileDown) => {
      const hit = CRASHES[crashes++ % CRASHES.length]!.map((name) => project.one(name));
      await Promise.all(hit.map((service) => service.end('SIGKILL')));
      if (hit.includes(project.one('storage'))) await whileDown?.(bundle);
      for (const service of hit) service.start();
    },
    ready: async () => {
      await Promise.all(SERVICES.map((name) => project.one(name).ready()));
      const served = async (): Promise<boolean> => {
        const answer = await fetch(`http://127.0.0.1:${port}/db`).catch(() => undefined);
        await answer?.text();
        return answer?.ok === true;
      };
      while (!((await served()) && (await syncs(port)))) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    },
    stop: async () => {
      for (const name of ['gateway', 'replication', 'storage', 'nats']) await project.one(name).end('SIGTERM');
    },
    [Symbol.asyncDispose]: () => project[Symbol.asyncDispose](),
  };
}

/** Whether an app is taken. @throws Error if it is refused in a way after which it would not come back */
async function syncs(port: number): Promise<boolean> {
  try {
    const transport = await dial(`ws://127.0.0.1:${port}/db/_blipsync`, { protocols: ['BLIP_3+CBMobile_4'] });
    transport.close(1000, '');
    return true;
  } catch (error) {
    const { status } = error as { status?: number };
    if (status !== undefined && status !== 503) throw error;
    return false;
  }
}
