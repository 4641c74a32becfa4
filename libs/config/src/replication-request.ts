import { checkDatabaseName } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type { ReplicationConfig } from './edge-config.js';
import type { ConfigIssue } from './config-issue.js';
import { checkLocalEnd, localEnd, type KnownDatabases } from './replication-checks.js';
import { replicationShape } from './replication-schema.js';
import { INVALID, isObject, Report } from './shape.js';

/** Members of `auth` that some clients write beside it (docs/protocol/edge-server.md#replication-items). */
const AUTH_ALIASES = [
  'user',
  'password',
  'session_cookie',
  'openid_token',
  'tls_client_cert',
  'tls_client_cert_key',
] as const;

/** Members that hold PEM text in a request, where the configuration file has paths. */
const CERTIFICATES = ['trusted_root_certs', 'pinned_cert'] as const;

/**
 * Reads the body of `POST /_replicate`: the keys of an item of `replications`, where null means absent and a few
 * spellings of earlier APIs are known too (docs/protocol/edge-server.md#replication-items,
 * docs/protocol/rest.md#replications).
 * @param databases the configured databases
 * @throws EdgeError `request.invalid`, `keyspace.invalid` for a malformed name of a local database, `keyspace.unknown` for
 * one that is not served
 */
export function readReplicationRequest(body: unknown, databases: KnownDatabases): ReplicationConfig {
  if (!isObject(body)) throw invalid('the body must be a JSON object');
  const item = withoutNulls(body);
  if (Object.hasOwn(item, 'bidi') && !Object.hasOwn(item, 'bidirectional')) {
    item['bidirectional'] = item['bidi'];
    delete item['bidi'];
  }
  moveAliases(item);
  const { issues, root: place } = new Report('');
  const definition = replicationShape.read(item, place);
  if (definition === INVALID) throw requestError(issues);
  checkFiles(definition, item);
  if (issues.length > 0) throw requestError(issues);
  const name = definition[localEnd(definition)!];
  if (!databases.has(name)) throw new EdgeError('keyspace.unknown', `no database "${checkDatabaseName(name)}"`);
  checkLocalEnd(definition, databases, place);
  if (issues.length > 0) throw requestError(issues);
  return definition;
}

/** A request must not make the server read files of its own: what they hold would be sent to wherever it says. */
function checkFiles({ auth, proxy }: ReplicationConfig, item: Record<string, unknown>): void {
  if (typeof auth?.openidToken === 'object')
    throw invalid('auth.openid_token must be the token: files are for the configuration file');
  for (const [owner, name] of [
    [auth, 'auth'],
    [proxy?.auth, 'proxy.auth'],
  ] as const)
    if (typeof owner?.password === 'object')
      throw invalid(`${name}.password must be the password: files are for the configuration file`);
  for (const key of CERTIFICATES) checkPem(item[key], key);
  for (const [owner, name] of [
    [auth, 'auth'],
    [proxy?.auth, 'proxy.auth'],
  ] as const) {
    checkPem(owner?.tlsClientCert, `${name}.tls_client_cert`);
    checkPem(owner?.tlsClientCertKey, `${name}.tls_client_cert_key`);
  }
}

function checkPem(value: unknown, name: string): void {
  if (typeof value === 'string' && !value.includes('-----BEGIN ')) throw invalid(`${name} must be PEM text`);
}

function moveAliases(item: Record<string, unknown>): void {
  for (const key of AUTH_ALIASES) {
    if (!Object.hasOwn(item, key)) continue;
    const auth = (item['auth'] ??= {});
    if (isObject(auth)) auth[key] ??= item[key];
    delete item[key];
  }
}

function withoutNulls(value: Record<string, unknown>): Record<string, unknown> {
  const present = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(
    present.map(([key, member]) => [key, isObject(member) ? withoutNulls(member) : member] as const),
  );
}

function requestError(issues: readonly ConfigIssue[]): EdgeError {
  const unknown = issues.find(({ problem }) => problem === 'is not a known key');
  if (unknown) {
    const hint = unknown.fix.startsWith('Did you mean') ? ` ${unknown.fix}` : '';
    return invalid(`Unknown key '${unknown.path}' in replication parameters.${hint}`);
  }
  const sentences = issues.map(
    ({ path, problem, fix }) => `${path === '' ? 'the replication' : path} ${problem}. ${fix}`,
  );
  return invalid(sentences.join(' '));
}

const invalid = (reason: string): EdgeError => new EdgeError('request.invalid', reason);
