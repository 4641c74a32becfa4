import { EdgeError } from '@edgesync/errors';
import type { Keyspace } from '@edgesync/document';

/** `enable_client_sync` of a database (docs/protocol/edge-server.md#sync-with-apps). */
export type SyncMode = 'none' | 'pull' | 'push' | 'bidirectional';

/** Which way documents go, as seen by the client; `either` for messages that both directions need. */
export type Direction = 'pull' | 'push' | 'either';

/** Rights of the user on a collection. */
export interface CollectionRights {
  readonly read: boolean;
  readonly write: boolean;
}

/** The facts that decide about a message. Without `rightsOn` every collection may be read and written. */
export interface SyncPolicy {
  readonly mode: SyncMode;
  readonly rightsOn?: (keyspace: Keyspace) => CollectionRights;
}

export const ALL_RIGHTS: CollectionRights = Object.freeze({ read: true, write: true });

/**
 * Whether a client may connect at all.
 * @throws EdgeError `sync.disabled`
 */
export function checkConnection(policy: SyncPolicy): void {
  if (policy.mode === 'none') throw new EdgeError('sync.disabled');
}

/** The user's rights on a collection. */
export function rightsOf(policy: SyncPolicy, keyspace: Keyspace): CollectionRights {
  return policy.rightsOn?.(keyspace) ?? ALL_RIGHTS;
}

/** Whether the user may sync the collection in some direction; otherwise it is as if it did not exist. */
export function isVisible(policy: SyncPolicy, keyspace: Keyspace): boolean {
  return rightsOf(policy, keyspace).read;
}

/**
 * Whether a message that moves documents in one direction may be answered. Pushing needs reading as well, because a
 * pusher learns the current revision (docs/protocol/edge-server.md#what-a-request-needs,
 * docs/protocol/edge-server.md#rights-in-sync).
 * @throws EdgeError `sync.disabled`, `sync.pull-only`, `sync.push-only`
 */
export function checkDirection(policy: SyncPolicy, direction: Direction, keyspace: Keyspace): void {
  checkConnection(policy);
  if (direction === 'either') return;
  const { read, write } = rightsOf(policy, keyspace);
  if (direction === 'pull' && (policy.mode === 'push' || !read)) throw new EdgeError('sync.push-only');
  if (direction === 'push' && (policy.mode === 'pull' || !read || !write)) throw new EdgeError('sync.pull-only');
}
