import type { CollectionName } from '@edgesync/document';

/** The configuration as the program uses it: defaults filled in, names split, paths absolute. */
export interface EdgeConfig {
  /** The file as the operator named it, for messages. */
  readonly file: string;
  /** Served databases by the name they have in URLs, in the order of the file. */
  readonly databases: ReadonlyMap<string, DatabaseConfig>;
  readonly listen: ListenAddress;
  /** Path of the users file. */
  readonly usersFile?: string;
  readonly enableAnonymousUsers: boolean;
  /** The top-level switch; what holds for a database is in {@link DatabaseConfig.enableUserAccessControl}. */
  readonly enableUserAccessControl: boolean;
  readonly https?: HttpsConfig;
  readonly cors?: CorsConfig;
  readonly logging: LoggingConfig;
  readonly replications: readonly ReplicationConfig[];
}

export interface ListenAddress {
  /** IP address to bind, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Which way clients may sync: `pull` lets them only download, `push` only upload. */
export type ClientSync = 'none' | 'pull' | 'push' | 'bidirectional';

export interface DatabaseConfig {
  readonly name: string;
  /** The bundle directory; ends in `.cblite2`. */
  readonly path: string;
  /** Create the database (and the listed collections) when missing. */
  readonly create: boolean;
  /** The shared collections. Absent: all that exist are shared, and a new database has only the default one. */
  readonly collections?: readonly CollectionName[];
  /** Whether REST may write documents; says nothing about sync. */
  readonly enableClientWrites: boolean;
  readonly enableClientSync: ClientSync;
  readonly enableAdhocQueries: boolean;
  /** Named queries. Absent: the section is absent, and named queries are refused. */
  readonly queries?: ReadonlyMap<string, NamedQueryConfig>;
  readonly queryLimits: QueryLimitsConfig;
  /** The indexes to keep, by name. Absent: none. */
  readonly indexes?: ReadonlyMap<string, IndexConfig>;
  readonly password?: string;
  /** 32 lower-case hex digits: a database with this public UUID gets a fresh one at startup. */
  readonly placeholderUuid?: string;
  /** Whether access rules hold here: the database's own switch or, where it has none, the top-level one. */
  readonly enableUserAccessControl: boolean;
  /** The database's own switch, as the file has it. */
  readonly ownAccessControlSwitch?: boolean;
}

export interface NamedQueryConfig {
  readonly statement: string;
  /** Reading one of these is enough to run the query. */
  readonly allowCollections?: readonly CollectionName[];
}

/** Limits of statements. Times are milliseconds. */
export interface QueryLimitsConfig {
  /** Until a statement is stopped. */
  readonly timeout: number;
  /** Statements of the database that run at once, and that wait for their turn. */
  readonly running: number;
  readonly waiting: number;
  /** Memory of a statement for sorting, grouping and joining. */
  readonly heldRows: number;
  readonly heldBytes: number;
  /** Statements that take longer are logged with their plan. */
  readonly slow: number;
  /** Least time between two results of a live query. */
  readonly liveInterval: number;
}

/** One index. Expressions and conditions are texts that `checkIndexExpression` accepts. */
export type IndexConfig = ValueIndexConfig | ArrayIndexConfig | FullTextIndexConfig;

interface IndexBase {
  readonly collection: CollectionName;
}

export interface ValueIndexConfig extends IndexBase {
  readonly type: 'value';
  readonly expressions: readonly string[];
  /** Documents for which it is not true are left out. */
  readonly where?: string;
}

export interface ArrayIndexConfig extends IndexBase {
  readonly type: 'array';
  /** The arrays inside each other: `contacts[].phones`. */
  readonly path: string;
  /** Members of an item. Empty: the item itself. */
  readonly expressions: readonly string[];
}

export interface FullTextIndexConfig extends IndexBase {
  readonly type: 'fulltext';
  /** Paths of properties. */
  readonly expressions: readonly string[];
  readonly where?: string;
  /** Code, such as `en`. Absent: no stemming. */
  readonly language?: string;
  readonly ignoreAccents: boolean;
  readonly disableStemming: boolean;
  /** In place of those of the language. */
  readonly stopWords?: readonly string[];
}

export interface HttpsConfig {
  readonly certPath: string;
  readonly keyPath: string;
  /** CA certificates that sign client certificates; turns on mTLS. */
  readonly clientCertPath?: string;
}

export interface CorsConfig {
  /** Exact origins, or `*` alone. */
  readonly origin: readonly string[];
  readonly headers: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}

export type LogLevel = 'error' | 'warning' | 'info' | 'verbose';

export interface LoggingConfig {
  readonly console: boolean;
  readonly file?: LogFileConfig;
  /** Levels by domain name; domains not named have their default. */
  readonly domains: ReadonlyMap<string, LogLevel>;
  readonly audit?: AuditConfig;
}

export interface LogFileConfig {
  readonly dir: string;
  /** Bytes. */
  readonly maxSize: number;
  /** Older files kept per level. */
  readonly rotateCount: number;
}

export interface AuditConfig {
  /** Absent: no audit log. */
  readonly file?: string;
  readonly enable?: '*' | readonly number[];
  readonly disable?: '*' | readonly number[];
  readonly omitDescription: boolean;
}

/** One replication with another server. Exactly one of `source` and `target` is a local database name. */
export interface ReplicationConfig {
  readonly source: string;
  readonly target: string;
  readonly bidirectional: boolean;
  readonly continuous: boolean;
  /** Absent: the default collection only. */
  readonly collections?: readonly ReplicatedCollection[];
  readonly channels?: readonly string[];
  readonly docIds?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Paths of PEM files. */
  readonly trustedRootCerts?: string;
  readonly pinnedCert?: string;
  readonly auth?: ReplicationAuth;
  readonly proxy?: ProxyConfig;
}

export interface ReplicatedCollection extends CollectionName {
  readonly channels?: readonly string[];
  readonly docIds?: readonly string[];
}

export interface ReplicationAuth {
  readonly user?: string;
  /** The password, or the file that holds it. */
  readonly password?: string | { readonly path: string };
  readonly sessionCookie?: string;
  /** The token, or the file that holds it. */
  readonly openidToken?: string | { readonly path: string };
  readonly reconnectOnTokenChange: boolean;
  readonly tlsClientCert?: string;
  readonly tlsClientCertKey?: string;
}

export interface ProxyConfig {
  readonly type: 'HTTP' | 'HTTPS';
  readonly host: string;
  readonly port: number;
  readonly auth?: {
    readonly user?: string;
    readonly password?: string | { readonly path: string };
    readonly openidToken?: string;
    readonly tlsClientCert?: string;
    readonly tlsClientCertKey?: string;
  };
}
