import 'reflect-metadata';
import { startPublicServer, type RunningServer, type ServerOptions } from '@edgesync/gateway';
import { mountPeers } from '@edgesync/replication';
import { EdgeModule } from './edge.module.js';

export type { RunningServer, ServerOptions };

/**
 * Starts the all-in-one server; see {@link startPublicServer}.
 * @throws ConfigError, EdgeError `storage.*`, or the error of listening
 */
export function startServer(configFile: string, options: ServerOptions = {}): Promise<RunningServer> {
  return startPublicServer(configFile, { module: (parts) => EdgeModule.register(parts), mount: mountPeers }, options);
}
