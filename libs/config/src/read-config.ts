import type { DatabaseConfig, EdgeConfig, ReplicationConfig } from './edge-config.js';
import { configShape } from './config-schema.js';
import type { ReadResult } from './config-issue.js';
import { parseJson5 } from './json5-text.js';
import { checkLocalEnd, type KnownDatabases } from './replication-checks.js';
import { warnOfQueries } from './query-warnings.js';
import { withPaths } from './replication-paths.js';
import { replicationShape } from './replication-schema.js';
import { INVALID, isObject, Report, type Invalid, type Need, type Place } from './shape.js';
import { NOT_SUPPORTED_YET } from './supported.js';
import { refuseUnsupported } from './unsupported-keys.js';

export interface ReadConfigOptions {
  /** How the operator named the file; used in messages. */
  readonly file: string;
  /** Makes a path of the file absolute. Default: paths stay as written. */
  readonly resolvePath?: (path: string) => string;
  /** Keys to refuse as not supported yet. Default: those of this version. */
  readonly unsupported?: readonly string[];
}

/** A configuration, and what it names on the machine, also if the configuration is invalid. */
export type ReadConfig = ReadResult<EdgeConfig> & { readonly needs: readonly Need[] };

/** Reads the text of a configuration file. Reports every issue, not just the first. */
export function readConfig(text: string, options: ReadConfigOptions): ReadConfig {
  const report = new Report(options.file);
  const { root } = report;
  const config = readValue(parseJson5(text, root), root, options);
  const { issues, warnings, needs } = report;
  if (config === INVALID || issues.length > 0) return { ok: false, issues, warnings, needs };
  return { ok: true, value: config, warnings, needs };
}

function readValue(written: unknown, root: Place, options: ReadConfigOptions): EdgeConfig | Invalid {
  if (written === INVALID) return INVALID;
  refuseUnsupported(written, options.unsupported ?? NOT_SUPPORTED_YET, root);
  const raw = configShape.read(written, root);
  if (raw === INVALID) {
    checkLocalEnds(written, root);
    return INVALID;
  }

  const resolve = options.resolvePath ?? ((path: string) => path);
  const databases = new Map<string, DatabaseConfig>();
  for (const [name, entry] of raw.databases)
    databases.set(name, {
      name,
      ...entry,
      path: resolve(entry.path.replace(/[/\\]$/, '')),
      enableUserAccessControl: entry.ownAccessControlSwitch ?? raw.enable_user_access_control,
    });
  refuseSharedPaths(databases, root.at('databases'));
  for (const [index, item] of raw.replications.entries())
    checkLocalEnd(item, databases, root.at('replications').at(index));
  refuseRepeated(raw.replications, root.at('replications'));
  const config: EdgeConfig = {
    file: options.file,
    databases,
    listen: raw.interface,
    usersFile: raw.users === undefined ? undefined : resolve(raw.users),
    enableAnonymousUsers: raw.enable_anonymous_users,
    enableUserAccessControl: raw.enable_user_access_control,
    https: raw.https && {
      certPath: resolve(raw.https.certPath),
      keyPath: resolve(raw.https.keyPath),
      clientCertPath: raw.https.clientCertPath === undefined ? undefined : resolve(raw.https.clientCertPath),
    },
    cors: raw.cors,
    logging: {
      ...raw.logging,
      file: raw.logging.file && { ...raw.logging.file, dir: resolve(raw.logging.file.dir) },
      audit: raw.logging.audit && {
        ...raw.logging.audit,
        file: raw.logging.audit.file === undefined ? undefined : resolve(raw.logging.audit.file),
      },
    },
    replications: raw.replications.map((item) => withPaths(item, resolve)),
  };
  warnOfNoEffect(config, root);
  for (const database of databases.values()) warnOfQueries(database, root.at('databases').at(database.name));
  return config;
}

/** Warns about what is well-formed and serves nobody. */
function warnOfNoEffect(config: EdgeConfig, root: Place): void {
  const { databases, usersFile, enableAnonymousUsers } = config;
  if (databases.size === 0) root.at('databases').warn('is empty', 'Add the databases to serve.');
  for (const { name, collections } of databases.values())
    if (collections?.length === 0)
      root
        .at('databases')
        .at(name)
        .at('collections')
        .warn('is empty: nothing of the database is shared', 'List collections, or remove the key to share them all.');
  if (usersFile !== undefined) return;
  if (!enableAnonymousUsers)
    root.warn('lets nobody in', 'Set users to the path of a users file, or enable_anonymous_users: true.');
  else if (
    databases.size > 0 &&
    [...databases.values()].every(({ enableUserAccessControl }) => enableUserAccessControl)
  )
    root.warn(
      'lets nobody read or write: access control is on, and only anonymous users can come',
      'Set users to the path of a users file, or turn access control off.',
    );
}

/** A database directory has one owner. */
function refuseSharedPaths(databases: ReadonlyMap<string, DatabaseConfig>, place: Place): void {
  const owners = new Map<string, string>();
  for (const { name, path } of databases.values()) {
    const owner = owners.get(path);
    if (owner === undefined) owners.set(path, name);
    else
      place
        .at(name)
        .at('path')
        .refuse(`is also the path of ${JSON.stringify(owner)}`, 'Give each database its own path.');
  }
}

/** The replications of a file in which something else is wrong, against the databases that it names. */
function checkLocalEnds(written: unknown, root: Place): void {
  if (!isObject(written) || !isObject(written['databases']) || !Array.isArray(written['replications'])) return;
  const databases: KnownDatabases = new Map(Object.keys(written['databases']).map((name) => [name, {}]));
  for (const [index, value] of written['replications'].entries()) {
    // Its other issues are in the report already.
    const item = replicationShape.read(value, new Report('').root);
    if (item !== INVALID) checkLocalEnd(item, databases, root.at('replications').at(index));
  }
}

/** The same definition twice would do everything twice, with one set of checkpoints. */
function refuseRepeated(replications: readonly ReplicationConfig[], place: Place): void {
  const seen = new Map<string, number>();
  for (const [index, item] of replications.entries()) {
    const text = JSON.stringify(item);
    const before = seen.get(text);
    if (before === undefined) seen.set(text, index);
    else place.at(index).refuse(`is the same as replications[${before}]`, 'Remove one of them.');
  }
}
