import { isEdgeError } from '@edgesync/errors';
import type { Keyspace } from '@edgesync/document';
import type { Checkpoints } from '@edgesync/ports';

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
    for (let attempt = 0; ; attempt++) {
      const rev = (await this.checkpoints.loadCheckpoint(keyspace, keyOf(id)))?.rev ?? '';
      try {
        await this.checkpoints.saveCheckpoint(keyspace, keyOf(id), rev, body);
        return;
      } catch (error) {
        if (!isEdgeError(error, 'checkpoint.conflict') || attempt > 0) throw error;
      }
    }
  }
}

/** Checkpoints of our own clients begin with a user name and a slash; no user name is a colon. */
function keyOf(id: string): string {
  return `:upstream/${id}`;
}
