import type { RunningServer } from '@edgesync/edge';
import { loadSettings } from '@edgesync/config-files';
import { Metrics } from '@edgesync/metrics';
import { openObservers } from '@edgesync/platform';
import { startSplit } from './split-deployment.js';

/** Starts a split deployment with one replication worker from a configuration file. */
export async function startSplitFromFile(configFile: string): Promise<RunningServer> {
  const { config, users } = loadSettings(configFile, { users: true });
  const observers = await openObservers(config.logging);
  const split = await startSplit({
    gateway: { ...observers, config, users },
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
