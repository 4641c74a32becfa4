import 'reflect-metadata';
import { publicService } from '@edgesync/gateway';
import { startService, type LaunchOptions, type RunningServer } from '@edgesync/platform';
import { mountPeers } from '@edgesync/replication';
import { inspectDatabase } from '@edgesync/storage';
import { EdgeModule } from './edge.module.js';

export type { RunningServer };

export interface ServerOptions extends LaunchOptions {
  /** Asks for the passphrase of an encrypted private key. */
  readonly askPassphrase?: (question: string) => Promise<string>;
}

/**
 * Starts the all-in-one server; see {@link startService}.
 * @throws ConfigError, EdgeError `storage.*`, or the error of listening
 */
export function startServer(
  configFile: string,
  { askPassphrase, ...options }: ServerOptions = {},
): Promise<RunningServer> {
  const service = publicService({
    module: (launch) => EdgeModule.register(launch),
    mount: mountPeers,
    checks: { inspectDatabase },
    ...(askPassphrase && { askPassphrase }),
  });
  return startService(service, configFile, options);
}
