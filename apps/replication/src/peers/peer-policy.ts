import { hasRole, type Principal, rightsOn } from '@edgesync/access';
import type { DatabaseConfig } from '@edgesync/config';
import { EdgeError } from '@edgesync/errors';
import type { DatabaseInfo } from '@edgesync/ports';
import { ALL_RIGHTS, type CollectionRights, type SyncPolicy } from '@edgesync/sync-policy';

const NO_RIGHTS: CollectionRights = Object.freeze({ read: false, write: false });

/** What a user may sync: the database's switch, and the user's rights where they are enforced (ref 5.1). */
export function peerPolicy(
  { enableClientSync: mode, enableUserAccessControl }: DatabaseConfig,
  principal: Principal,
): SyncPolicy {
  if (!enableUserAccessControl || hasRole(principal, 'admin')) return { mode };
  if (principal.anonymous) return { mode, rightsOn: () => NO_RIGHTS };
  const { access } = principal;
  return access === undefined ? { mode } : { mode, rightsOn: (keyspace) => rightsOn(access, keyspace) };
}

/**
 * Refuses a user who can read nothing in the database (ref 5.4).
 * @throws EdgeError `access.denied`
 */
export function checkSomeAccess({ rightsOn: rights }: SyncPolicy, database: DatabaseInfo): void {
  const mayRead = ({ scope, collection }: { scope: string; collection: string }): boolean =>
    (rights?.({ database: database.name, scope, collection }) ?? ALL_RIGHTS).read;
  if (!database.collections.some(mayRead)) throw new EdgeError('access.denied');
}
