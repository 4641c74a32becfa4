import type { BlipReply } from '@edgesync/blip';
import {
  buildGetCheckpoint,
  buildSetCheckpoint,
  parseCheckpointReply,
  Profile,
  statusOf,
} from '@edgesync/sync-protocol';
import type { CollectionLink } from '../peer-link.js';
import type { LocalCheckpoints } from './local-checkpoints.js';
import { ReplicationError } from './replication-error.js';
import { decodeCheckpoint, encodeCheckpoint, reconcile, type SyncCheckpoint } from './sync-checkpoint.js';

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
      this.collection.link.environment.log.warn(`checkpoint not saved: ${reply.error.code} ${reply.error.message}`);
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
