import { runUntilSignal, startService, type RunningServer, type Service } from '@edgesync/platform';
import { readServiceSettings, type ServiceRole, type ServiceSettings } from './service-settings.js';

/**
 * The life of a process of the split deployment, which the environment configures.
 * @returns the exit code
 */
export function runSplitService(role: ServiceRole, service: (settings: ServiceSettings) => Service): Promise<number> {
  return runUntilSignal(async (signal): Promise<RunningServer> => {
    const settings = readServiceSettings(role, process.env);
    return startService(service(settings), settings.configFile, { announce: (line) => console.log(line), signal });
  });
}
