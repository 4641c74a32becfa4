import type { RunningServer } from '@edgesync/edge';
import { createAuthenticator, loadConfig, loadUsers, Metrics, openObservers } from '@edgesync/platform';
import { startSplit } from './split-deployment.js';

/** Starts a split deployment with one replication worker from a configuration file. */
export async function startSplitFromFile(configFile: string): Promise<RunningServer> {
  const { value: config } = loadConfig(configFile);
  const observers = await openObservers(config.logging);
  const authenticator = createAuthenticator(config, loadUsers(config).value);
  const split = await startSplit({
    gateway: { ...observers, config, authenticator },
    worker: { ...observers, metrics: new Metrics() },
  });
  return {
    url: `http://127.0.0.1:${split.port}`,
    close: async () => {
      await split.close();
      await observers.close();
    },
  };
}
