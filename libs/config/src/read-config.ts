import type { DatabaseConfig, EdgeConfig, ReplicationConfig } from './edge-config.js';
import { configShape } from './config-schema.js';
import type { ConfigIssue, ReadResult } from './config-issue.js';
import { parseJson5 } from './json5-text.js';
import { checkReplication } from './replication-checks.js';
import { INVALID, Place } from './shape.js';
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

/** Reads the text of a configuration file (ref 3). Tells every fault, not just the first. */
export function readConfig(text: string, options: ReadConfigOptions): ReadResult<EdgeConfig> {
  const parsed = parseJson5(text, options.file);
  if (!('value' in parsed)) return { ok: false, issues: [parsed] };
  const issues: ConfigIssue[] = [];
  const root = new Place(options.file, '', issues);
  refuseUnsupported(parsed.value, options.unsupported ?? NOT_SUPPORTED_YET, root);
  const raw = configShape.read(parsed.value, root);
  if (raw === INVALID) return { ok: false, issues };

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
  if (issues.length > 0) return { ok: false, issues };

  const warnings: ConfigIssue[] = [];
  if (raw.users === undefined && !raw.enable_anonymous_users)
    new Place(options.file, '', warnings).refuse(
      'lets nobody in',
      'Set users to the path of a users file, or enable_anonymous_users: true.',
    );
  const config: EdgeConfig = {
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
    replications: startable(raw.replications, databases, options.file, warnings).map((item) =>
      withPaths(item, resolve),
    ),
  };
  return { ok: true, value: config, warnings };
}

/** The files that a replication names. A value that is PEM text itself names none. */
function withPaths(item: ReplicationConfig, resolve: (path: string) => string): ReplicationConfig {
  const file = <Value extends string | undefined>(value: Value): Value =>
    (value === undefined || value.includes('-----BEGIN ') ? value : resolve(value)) as Value;
  const certificate = <Owner extends { readonly tlsClientCert?: string; readonly tlsClientCertKey?: string }>(
    owner: Owner,
  ): Owner => ({
    ...owner,
    tlsClientCert: file(owner.tlsClientCert),
    tlsClientCertKey: file(owner.tlsClientCertKey),
  });
  const { auth, proxy } = item;
  const token = auth?.openidToken;
  return {
    ...item,
    trustedRootCerts: file(item.trustedRootCerts),
    pinnedCert: file(item.pinnedCert),
    auth: auth && {
      ...certificate(auth),
      openidToken: typeof token === 'object' ? { path: resolve(token.path) } : token,
    },
    proxy: proxy && { ...proxy, auth: proxy.auth && certificate(proxy.auth) },
  };
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

/** The replications that can be started. The server runs without the others (ref 3.6); `warnings` says why. */
function startable(
  replications: readonly ReplicationConfig[],
  databases: ReadonlyMap<string, DatabaseConfig>,
  file: string,
  warnings: ConfigIssue[],
): ReplicationConfig[] {
  const names = new Set(databases.keys());
  return replications.filter((item, index) => {
    const issues: ConfigIssue[] = [];
    checkReplication(item, names, new Place(file, `replications[${index}]`, issues));
    warnings.push(...issues);
    return issues.length === 0;
  });
}
