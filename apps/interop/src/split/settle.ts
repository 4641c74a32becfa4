import type { App } from '../crash/app.js';
import type { ComposeProject } from './compose-project.js';

const SERVICES = ['nats', 'storage', 'replication', 'gateway'];
/** More than conflicts between a few apps take. */
const MAX_TURNS = 15;

/** Waits until every service is ready, then syncs all apps until nothing moves any more. */
export async function settle(project: ComposeProject, apps: readonly App[]): Promise<void> {
  const services = SERVICES.flatMap((name) => [...project.of(name)]);
  await Promise.all(services.map((service) => service.ready()));
  const port = project.one('gateway').publicPort;
  let moved = 1;
  for (let turn = 0; moved > 0; turn++) {
    if (turn > MAX_TURNS) throw new Error('it never comes to rest');
    moved = 0;
    for (const app of apps) moved += (await app.sync(port)) ?? 1;
  }
}
