import { createHash } from 'node:crypto';
import type { ReplicationConfig } from '@edgesync/config';
import { DEFAULT_COLLECTION, DEFAULT_SCOPE, formatWireCollection, type Keyspace } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type { ReplicatedCollection } from '@edgesync/replicator';

/** The steps of a replication, worked out from its definition. */
export interface ReplicationPlan {
  /** Both ends as they may be shown. */
  readonly source: string;
  readonly target: string;
  /** The local database. */
  readonly database: string;
  /** The remote database, without credentials. */
  readonly remote: string;
  readonly push: boolean;
  readonly pull: boolean;
  readonly continuous: boolean;
  readonly collections: readonly PlannedCollection[];
}

export interface PlannedCollection {
  readonly keyspace: Keyspace;
  readonly channels?: readonly string[];
  readonly docIds?: readonly string[];
}

/**
 * Works out a definition that was found to be well formed.
 * @throws EdgeError `request.invalid` if the remote end is not the URL of a database
 */
export function planReplication(definition: ReplicationConfig): ReplicationPlan {
  const { source, target, bidirectional, continuous } = definition;
  const pushes = isRemote(target);
  const database = pushes ? source : target;
  const remote = displayUrl(pushes ? target : source);
  return {
    source: pushes ? source : remote,
    target: pushes ? remote : target,
    database,
    remote,
    push: pushes || bidirectional,
    pull: !pushes || bidirectional,
    continuous,
    collections: plannedCollections(definition, database),
  };
}

/** Whether an end of a replication is on another server. */
export function isRemote(end: string): boolean {
  return /^wss?:/i.test(end);
}

/** Where the remote database takes sync connections. */
export function syncUrl(remote: string): string {
  const url = new URL(remote);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/_blipsync`;
  return url.href;
}

/** The collections with the names of their checkpoints. */
export function replicatedCollections(plan: ReplicationPlan, uuid: string): readonly ReplicatedCollection[] {
  return plan.collections.map(({ keyspace, channels, docIds }) => ({
    local: keyspace,
    checkpointId: checkpointId(plan, uuid, { keyspace, ...(channels && { channels }), ...(docIds && { docIds }) }),
    ...(channels && { channels }),
    ...(docIds && { docIds }),
  }));
}

/** Equal for replications of the same databases and collections, in any direction. */
export function identityOf({ database, remote, collections }: ReplicationPlan): string {
  return [database, remote, ...collections.map(({ keyspace }) => formatWireCollection(keyspace)).sort()].join(' ');
}

/** Another filter, direction or server has another checkpoint (docs/protocol/checkpoints.md#client-ids). */
function checkpointId(plan: ReplicationPlan, uuid: string, { keyspace, channels, docIds }: PlannedCollection): string {
  const parts = [
    uuid,
    plan.remote,
    formatWireCollection(keyspace),
    plan.push,
    plan.pull,
    channels ? [...channels].sort() : null,
    docIds ? [...docIds].sort() : null,
  ];
  return `cp-${createHash('sha1').update(JSON.stringify(parts)).digest('base64')}`;
}

function plannedCollections(definition: ReplicationConfig, database: string): readonly PlannedCollection[] {
  const { collections, channels, docIds } = definition;
  const chosen = collections ?? [{ scope: DEFAULT_SCOPE, collection: DEFAULT_COLLECTION, channels, docIds }];
  return chosen.map((one) => ({
    keyspace: { database, scope: one.scope, collection: one.collection },
    ...(one.channels && { channels: one.channels }),
    ...(one.docIds && { docIds: one.docIds }),
  }));
}

/** The URL without what may be secret in it: user name, password, query. */
function displayUrl(text: string): string {
  if (!URL.canParse(text)) throw new EdgeError('request.invalid', 'the remote end is not the URL of a database');
  const url = new URL(text);
  return `${url.protocol}//${url.host}${url.pathname}`;
}
