import type { EdgeConfig } from '@edgesync/config';
import { loadUsers } from '@edgesync/config-files';
import { watchFiles, type FileWatch, type WatchOptions } from '@edgesync/config-files';
import type { Logger } from '@edgesync/logging';
import { explain } from '@edgesync/errors';
import type { Authenticator } from './authenticator.js';

/**
 * Reads the users file again whenever it changes. A file with a fault changes nothing: the users stay as they were, and
 * the log says why.
 * @returns undefined if the configuration names no users file
 */
export function watchUsers(
  config: EdgeConfig,
  authenticator: Authenticator,
  log: Logger,
  options?: WatchOptions,
): FileWatch | undefined {
  const file = config.usersFile;
  if (file === undefined) return undefined;
  const reload = (): void => {
    try {
      const { users, warnings } = loadUsers(config);
      for (const warning of warnings) log.warning(warning);
      const ended = authenticator.replaceUsers(users);
      log.info(`${file} was read again: ${users.size} users, ${ended} of the former ones changed or gone`);
    } catch (error) {
      log.error(`the users stay as they were: ${explain(error)}`);
    }
  };
  return watchFiles([file], reload, options);
}
