import { retry } from '@edgesync/async';
import type { BlipReply } from '@edgesync/blip';
import type { Keyspace } from '@edgesync/document';
import { isEdgeError } from '@edgesync/errors';
import type { Checkpoints } from '@edgesync/ports';
import {
  buildGetCheckpoint,
  buildSetCheckpoint,
  parseCheckpointReply,
  Profile,
  statusOf,
  type SequenceText,
} from '@edgesync/sync-protocol';
import { ReplicationError } from '../jobs/errors.js';
import type { CollectionLink } from '../jobs/peer-link.js';

/** How far both directions of a collection have come (docs/protocol/checkpoints.md#bodies). */
export interface SyncCheckpoint {
  /** Last local sequence up to which everything has been pushed. */
  readonly local?: number;
  /** Last remote sequence up to which everything has been pulled, as JSON text. */
  readonly remote?: SequenceText;
}

/** The JSON to store here and at the server. The remote sequence stands in it as it came. */
export function encodeCheckpoint({ local, remote }: SyncCheckpoint): string {
  const members = [
    ...(local === undefined ? [] : [`"local":${local}`]),
    ...(remote === undefined ? [] : [`"remote":${remote}`]),
  ];
  return `{${members.join(',')}}`;
}

/** Reads a stored checkpoint; what cannot be read is no checkpoint. */
export function decodeCheckpoint(body: string | undefined): SyncCheckpoint {
  try {
    const { local, remote } = JSON.parse(body ?? '{}') as { local?: unknown; remote?: unknown };
    return {
      ...(Number.isSafeInteger(local) && { local: local as number }),
      ...((typeof remote === 'number' || typeof remote === 'string') && { remote: JSON.stringify(remote) }),
    };
  } catch {
    return {};
  }
}

/**
 * Where to start, given what both sides remember (docs/protocol/checkpoints.md#starting). They differ if one of them
 * was restored or replaced: then the earlier place is the safe one, and where "earlier" is not known, the beginning.
 */
export function reconcile(ours: SyncCheckpoint, theirs: SyncCheckpoint): SyncCheckpoint {
  const local = ours.local !== undefined && theirs.local !== undefined ? Math.min(ours.local, theirs.local) : undefined;
  const remote = earlier(ours.remote, theirs.remote);
  return { ...(local !== undefined && { local }), ...(remote !== undefined && { remote }) };
}

function earlier(left: SequenceText | undefined, right: SequenceText | undefined): SequenceText | undefined {
  if (left === right) return left;
  if (left === undefined || right === undefined) return undefined;
  const [a, b] = [placeOf(left), placeOf(right)];
  if (!a || !b) return undefined;
  if (a.safe !== b.safe) return a.safe < b.safe ? left : right;
  // What was sent again at a place comes before what belongs there (docs/protocol/checkpoints.md#sequences).
  if (a.isPlain !== b.isPlain) return a.isPlain ? right : left;
  return undefined;
}

/**
 * Up to where everything is certain to have been seen: of `S` that is S, of Sync Gateway's `T:S` it is T, of `L:T:S` and
 * `L::S` it is L.
 */
function placeOf(sequence: SequenceText): { readonly safe: number; readonly isPlain: boolean } | undefined {
  const text = sequence.replace(/^"(.*)"$/, '$1');
  if (!/^\d{1,15}(?::\d{0,15}){0,2}$/.test(text) || text.endsWith(':')) return undefined;
  return { safe: Number(text.split(':')[0]), isPlain: !text.includes(':') };
}

/** Where an active replicator keeps its own copy of a checkpoint. */
export interface LocalCheckpoints {
  load(keyspace: Keyspace, id: string): Promise<string | undefined>;
  /** Durable when it resolves. */
  save(keyspace: Keyspace, id: string, body: string): Promise<void>;
}

/** Keeps them in the local database itself, so that they share the fate of the documents they speak of. */
export class StoredCheckpoints implements LocalCheckpoints {
  constructor(private readonly checkpoints: Checkpoints) {}

  async load(keyspace: Keyspace, id: string): Promise<string | undefined> {
    return (await this.checkpoints.loadCheckpoint(keyspace, keyOf(id)))?.body;
  }

  async save(keyspace: Keyspace, id: string, body: string): Promise<void> {
    // Only this replicator writes the key, so a conflict is the trace of an earlier attempt: the newer one wins.
    const save = async (): Promise<void> => {
      const rev = (await this.checkpoints.loadCheckpoint(keyspace, keyOf(id)))?.rev ?? '';
      await this.checkpoints.saveCheckpoint(keyspace, keyOf(id), rev, body);
    };
    await retry(save, {
      isWorthwhile: (error, failures) => isEdgeError(error, 'checkpoint.conflict') && failures === 1,
    });
  }
}

/** Checkpoints of our own clients begin with a user name and a slash; no user name is a colon. */
function keyOf(id: string): string {
  return `:upstream/${id}`;
}

/** Keeps one collection's checkpoint here and at the server, the server's first: what both have is true. */
export class CheckpointSaver {
  /** The last saved place. */
  private saved = '';
  private rev = '';
  private saving: Promise<void> | undefined;

  constructor(
    private readonly collection: CollectionLink,
    private readonly id: string,
    private readonly local: LocalCheckpoints,
  ) {}

  /** Where to start. @param remote what the server has, if that is known already. @throws ReplicationError, EdgeError `storage.*` */
  async load(remote?: { readonly rev: string; readonly body: string } | null): Promise<SyncCheckpoint> {
    const theirs = remote === undefined ? await this.fetch() : remote;
    const ours = await this.local.load(this.collection.keyspace, this.id);
    this.rev = theirs?.rev ?? '';
    const start = theirs ? reconcile(decodeCheckpoint(ours), decodeCheckpoint(theirs.body)) : {};
    this.saved = encodeCheckpoint(start);
    return start;
  }

  /** Saves where both directions are now, unless it is saved already. One save at a time. @throws EdgeError `storage.*` */
  async save(current: () => SyncCheckpoint): Promise<void> {
    await this.saving?.catch(() => {});
    const body = encodeCheckpoint(current());
    if (body === this.saved || !this.collection.link.connection.isOpen) return;
    this.saving = this.store(body).finally(() => (this.saving = undefined));
    await this.saving;
  }

  private async store(body: string): Promise<void> {
    let reply = await this.put(body);
    if (reply.error && [404, 409].includes(statusOf(reply.error))) {
      // Another client of the same name, a save whose answer was lost, or a server that lost it
      // (docs/protocol/replication.md#setcheckpoint).
      this.rev = (await this.fetch())?.rev ?? '';
      reply = await this.put(body);
    }
    if (reply.error) {
      this.collection.link.context.log.warn(`checkpoint not saved: ${reply.error.code} ${reply.error.message}`);
      return;
    }
    this.rev = reply.properties.get('rev') ?? '';
    await this.local.save(this.collection.keyspace, this.id, body);
    this.saved = body;
  }

  private put(body: string): Promise<BlipReply> {
    const { link, tag } = this.collection;
    return link.connection.request(buildSetCheckpoint({ client: this.id, rev: this.rev, body }, tag));
  }

  private async fetch(): Promise<{ rev: string; body: string } | null> {
    const { link, tag } = this.collection;
    const reply = await link.connection.request(buildGetCheckpoint(this.id, tag));
    if (!reply.error) return parseCheckpointReply(reply);
    // Any other answer says nothing about the checkpoint; to begin again for it would be slow, and wrong.
    if (statusOf(reply.error) !== 404) throw new ReplicationError(reply.error, Profile.getCheckpoint);
    return null;
  }
}
