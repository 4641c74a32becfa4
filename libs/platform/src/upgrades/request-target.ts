import type { IncomingMessage } from 'node:http';
import { checkDatabaseName } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';

/** Clients behind an HTTP proxy send the whole URL, inside a tunnel too; servers must accept it (RFC 9112, 3.2.2). */
const ABSOLUTE_FORM = /^(?:http|ws)s?:\/\/(?:[^/?#@]*@)?([^/?#]*)/i;

/** The target of a request in origin form, `/path?query`. A target of another form than absolute stays as it is. */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const authority = ABSOLUTE_FORM.exec(target)?.[0];
  if (authority === undefined) return target;
  const rest = target.slice(authority.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** The host that a request is for: that of a target in absolute form, else the `Host` header (RFC 9112, 3.2.2). */
export function requestedHost({ url, headers }: Pick<IncomingMessage, 'url' | 'headers'>): string | undefined {
  return ABSOLUTE_FORM.exec(url ?? '')?.[1] ?? headers.host;
}

/** Whether the target is that of the replication protocol, `/{db}/_blipsync`. A query is ignored: Sync Gateway adds one. */
export const isSyncTarget = (target: string | undefined): boolean => syncPathComponent(target) !== undefined;

/**
 * The database that the target of a sync request names: the bare name, never a keyspace.
 * @throws EdgeError `request.upgrade` for another path, `keyspace.invalid`
 */
export function databaseOfSyncTarget(target: string | undefined): string {
  const name = syncPathComponent(target);
  if (name === undefined) throw new EdgeError('request.upgrade');
  return checkDatabaseName(name);
}

/** The first component, decoded, of a path that routers match with `/:database/_blipsync`. */
function syncPathComponent(target: string | undefined): string | undefined {
  const [path = ''] = originForm(target ?? '').split(/[?#]/, 1);
  const [before, database, endpoint, ...rest] = path.split('/').map(decode);
  const isWhole = rest.length === 0 || (rest.length === 1 && rest[0] === '');
  if (before !== '' || endpoint !== '_blipsync' || !isWhole) return undefined;
  // Names that begin with an underscore are endpoints of the server.
  return database === undefined || /^(?:_|$)/.test(database) ? undefined : database;
}

/** @returns undefined for what is not percent-encoded UTF-8 */
function decode(component: string): string | undefined {
  try {
    return decodeURIComponent(component);
  } catch {
    return undefined;
  }
}
