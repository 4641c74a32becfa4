import { startServer, type RunningServer } from '@edgesync/edge';

type ServerStarter = (configFile: string) => Promise<RunningServer>;

let starter: ServerStarter = startServer;

/** Lets {@link startDeployed} start another deployment than the all-in-one. */
export function deployFilesWith(other: ServerStarter): void {
  starter = other;
}

/** Starts what a configuration file describes, in some deployment. */
export const startDeployed: ServerStarter = (configFile) => starter(configFile);
