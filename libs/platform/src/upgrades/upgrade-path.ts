import { EdgeError } from '@edgesync/errors';
import { checkDatabaseName } from '@edgesync/document';

const SYNC_PATH = /^\/([^/?#]+)\/_blipsync\/?(?:[?#]|$)/;

/**
 * The database that a request URL names: `/{db}/_blipsync`, the bare name, never a keyspace (wire A.1). A query is
 * ignored: Sync Gateway adds one.
 * @throws EdgeError `request.upgrade` for another path, `keyspace.invalid`
 */
export function databaseOfPath(url: string | undefined): string {
  const name = SYNC_PATH.exec(url ?? '')?.[1];
  if (name === undefined) throw new EdgeError('request.upgrade');
  let decoded: string;
  try {
    decoded = decodeURIComponent(name);
  } catch {
    throw new EdgeError('keyspace.invalid');
  }
  return checkDatabaseName(decoded);
}
