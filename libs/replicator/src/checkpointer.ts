import type { Principal } from '@edgesync/access';
import type { Keyspace } from '@edgesync/document';
import type { Checkpoint, Checkpoints } from '@edgesync/ports';

/**
 * The checkpoints of one user's clients. They are stored per collection and client, and another user's client of the
 * same name is another client (docs/protocol/checkpoints.md#server-duties).
 */
export class Checkpointer {
  private readonly prefix: string;

  constructor(
    private readonly checkpoints: Checkpoints,
    principal: Principal,
  ) {
    // Encoded, so that no user name can run into a client ID.
    this.prefix = `${encodeURIComponent(principal.name ?? '')}/`;
  }

  /** @throws EdgeError `storage.*` */
  load(keyspace: Keyspace, client: string): Promise<Checkpoint | undefined> {
    return this.checkpoints.loadCheckpoint(keyspace, this.prefix + client);
  }

  /** @returns the new revision @throws EdgeError `checkpoint.conflict`, `storage.*` */
  save(keyspace: Keyspace, client: string, rev: string, body: string): Promise<string> {
    return this.checkpoints.saveCheckpoint(keyspace, this.prefix + client, rev, body);
  }
}
