import 'reflect-metadata';
import type { MachineChecks } from '@edgesync/config-files';
import { PUBLIC_CHECKS, publicService } from '@edgesync/gateway';
import { startService, type LaunchOptions, type RunningServer } from '@edgesync/platform';
import { fileIssues, mountPeers } from '@edgesync/replication';
import { inspectDatabase } from '@edgesync/storage';
import { EdgeModule } from './edge.module.js';

export type { RunningServer };

export interface ServerOptions extends LaunchOptions {
  /** Asks for the passphrase of an encrypted private key. */
  readonly askPassphrase?: (question: string) => Promise<string>;
}

/** The machine, as the all-in-one uses it. */
export const SERVER_CHECKS: MachineChecks = { ...PUBLIC_CHECKS, inspectDatabase, inspectReplication: fileIssues };

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
    checks: SERVER_CHECKS,
    ...(askPassphrase && { askPassphrase }),
  });
  return startService(service, configFile, options);
}
