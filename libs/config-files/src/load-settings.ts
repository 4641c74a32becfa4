import { resolve } from 'node:path';
import {
  checkUsers,
  formatIssue,
  readConfig,
  readUsers,
  withPaths,
  type ConfigIssue,
  type EdgeConfig,
  type Need,
  type ReadConfig,
  type ReplicationConfig,
  type Users,
} from '@edgesync/config';
import { explain } from '@edgesync/errors';
import { checkDatabasePath, checkDirectory, type PathProblem } from './check-paths.js';
import { ConfigError } from './config-error.js';
import { readText } from './read-text.js';

/** Settings of a process, from files that were checked together. */
export interface Settings {
  readonly config: EdgeConfig;
  /** Empty if the process does not authenticate anybody. */
  readonly users: Users;
  /** Sentences for the log. */
  readonly warnings: readonly string[];
}

export interface Found {
  readonly issues: readonly ConfigIssue[];
  readonly warnings?: readonly ConfigIssue[];
}

/** Checks of what the configuration names on the machine, for a process that needs it. */
export interface MachineChecks {
  /** The process authenticates users. */
  readonly users?: boolean;
  /** The process opens databases. Throws what is wrong with an existing directory. */
  readonly inspectDatabase?: (path: string) => void;
  /** The process serves TLS. Paths are absolute, by their keys in `https`. */
  readonly inspectHttps?: (paths: Readonly<Record<string, string>>, file: string) => Found;
  /** The process replicates with other servers. `place` is that of the definition in `file`; paths are absolute. */
  readonly inspectReplication?: (definition: ReplicationConfig, place: string, file: string) => ConfigIssue[];
}

/**
 * Reads a configuration file, and checks all that it names on the machine. Relative paths start from the working directory
 * of the process.
 * @throws ConfigError with every issue
 */
export function loadSettings(file: string, checks: MachineChecks = {}): Settings {
  const result = readConfig(readText(resolve(file), file), { file, resolvePath: (path) => resolve(path) });
  const issues: ConfigIssue[] = result.ok ? [] : [...result.issues];
  const warnings: ConfigIssue[] = [...result.warnings];
  let users: Users = new Map();
  const note = (found: Found): void => {
    issues.push(...found.issues);
    warnings.push(...(found.warnings ?? []));
  };
  for (const need of result.needs)
    if (need.kind === 'users') {
      if (checks.users) {
        const read = readUsersFor(need, result, file);
        users = read.users;
        note(read);
      }
    } else note(checkNeed(need, file, checks));
  if (!result.ok || issues.length > 0) throw new ConfigError(issues);
  return { config: result.value, users, warnings: warnings.map(formatIssue) };
}

/**
 * Reads the users file that the configuration names, and checks the two together. Without one there are no users.
 * @throws ConfigError with every issue
 */
export function loadUsers(config: EdgeConfig): Pick<Settings, 'users' | 'warnings'> {
  const file = config.usersFile;
  if (file === undefined) return { users: new Map(), warnings: [] };
  const { users, issues, warnings } = readUsersText(readText(file, file), file, config);
  if (issues.length > 0) throw new ConfigError(issues);
  return { users, warnings: warnings.map(formatIssue) };
}

type ReadUsers = Required<Found> & { readonly users: Users };

/** The users, or what is wrong with their file. */
function readUsersFor(need: Extract<Need, { kind: 'users' }>, config: ReadConfig, configFile: string): ReadUsers {
  const path = resolve(need.path);
  try {
    return readUsersText(readText(path, path), path, config.ok ? config.value : undefined);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      users: new Map(),
      issues: error.issues.map((issue) => namedBy(issue, configFile, need.key)),
      warnings: [],
    };
  }
}

function readUsersText(text: string, file: string, config: EdgeConfig | undefined): ReadUsers {
  const result = readUsers(text, file);
  if (!result.ok) return { users: new Map(), issues: result.issues, warnings: result.warnings };
  const { issues, warnings } = config ? checkUsers(result.value, config, file) : { issues: [], warnings: [] };
  return { users: result.value, issues, warnings: [...result.warnings, ...warnings] };
}

/** The issue of a file that the configuration names, at the key that names it. */
export function namedBy(issue: ConfigIssue, configFile: string, key: string): ConfigIssue {
  return { ...issue, file: configFile, path: key, problem: `names ${issue.file}, which ${issue.problem}` };
}

function checkNeed(need: Exclude<Need, { kind: 'users' }>, file: string, checks: MachineChecks): Found {
  switch (need.kind) {
    case 'directory':
      return issueOf(checkDirectory(resolve(need.path)), need.key, file);
    case 'database': {
      if (!checks.inspectDatabase) return { issues: [] };
      const path = resolve(need.path);
      return issueOf(checkDatabasePath(path, need.create) ?? inspect(path, checks.inspectDatabase), need.key, file);
    }
    case 'https': {
      const paths = Object.entries(need.paths).map(([key, path]) => [key, resolve(path)] as const);
      return checks.inspectHttps?.(Object.fromEntries(paths), file) ?? { issues: [] };
    }
    case 'replication': {
      const definition = withPaths(need.definition, (path) => resolve(path));
      return { issues: checks.inspectReplication?.(definition, need.key, file) ?? [] };
    }
  }
}

function inspect(path: string, inspectDatabase: (path: string) => void): PathProblem | undefined {
  try {
    inspectDatabase(path);
    return undefined;
  } catch (error) {
    const reason = explain(error);
    return { problem: `cannot be used: ${reason}`, fix: 'Name another path, or restore the database.' };
  }
}

const issueOf = (found: PathProblem | undefined, path: string, file: string): Found => ({
  issues: found ? [{ file, path, ...found }] : [],
});
