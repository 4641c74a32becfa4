import { resolve } from 'node:path';
import { checkUsers, formatIssue, readConfig, readUsers, type EdgeConfig, type Users } from '@edgesync/config';
import { checkLogDirectories } from './check-log-directories.js';
import { ConfigError } from './config-error.js';
import { readText } from './read-text.js';

export interface Loaded<T> {
  readonly value: T;
  /** Sentences for the log. */
  readonly warnings: readonly string[];
}

/**
 * Reads a configuration file. Relative paths in it start from the working directory of the process (ref 3.1).
 * @throws ConfigError with every fault
 */
export function loadConfig(file: string): Loaded<EdgeConfig> {
  const result = readConfig(readText(resolve(file), file), { file, resolvePath: (path) => resolve(path) });
  if (!result.ok) throw new ConfigError(result.issues);
  const issues = checkLogDirectories(result.value.logging, file);
  if (issues.length > 0) throw new ConfigError(issues);
  return { value: result.value, warnings: result.warnings.map(formatIssue) };
}

/**
 * Reads the users file that the configuration names, and checks the two together (ref 3.6, 3.8). Without one there are
 * no users.
 * @throws ConfigError with every fault
 */
export function loadUsers(config: EdgeConfig): Loaded<Users> {
  const file = config.usersFile;
  if (file === undefined) return { value: new Map(), warnings: [] };
  const result = readUsers(readText(file, file), file);
  if (!result.ok) throw new ConfigError(result.issues);
  const { issues, warnings } = checkUsers(result.value, config, file);
  if (issues.length > 0) throw new ConfigError(issues);
  return { value: result.value, warnings: [...result.warnings, ...warnings].map(formatIssue) };
}
