import { keyspaceKey, type Keyspace } from '@edgesync/document';
import { isEdgeError } from '@edgesync/errors';
import type { DocumentRevision } from '@edgesync/ports';
import { READS_PER_REQUEST } from './tuning.js';

type Found = DocumentRevision | undefined;
/** Reads documents of a keyspace; the result is parallel to the IDs. */
type Read = (keyspace: Keyspace, ids: readonly string[]) => Promise<readonly Found[]>;

interface Waiting {
  readonly id: string;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads of single documents that are asked for in one turn of the event loop, as requests of many connections are, share
 * a round trip. All of them were asked for before it begins, so none is answered with an older document.
 */
export class SharedReads {
  private readonly batches = new Map<string, { readonly keyspace: Keyspace; readonly waiting: Waiting[] }>();

  constructor(private readonly readAll: Read) {}

  read(keyspace: Keyspace, id: string): Promise<Found> {
    return new Promise((resolve, reject) => {
      const key = keyspaceKey(keyspace);
      let batch = this.batches.get(key);
      if (!batch) {
        if (this.batches.size === 0) setImmediate(() => this.sendAll());
        this.batches.set(key, (batch = { keyspace, waiting: [] }));
      }
      batch.waiting.push({ id, resolve, reject });
    });
  }

  private sendAll(): void {
    const batches = [...this.batches.values()];
    this.batches.clear();
    for (const { keyspace, waiting } of batches)
      for (let start = 0; start < waiting.length; start += READS_PER_REQUEST)
        void this.send(keyspace, waiting.slice(start, start + READS_PER_REQUEST));
  }

  private async send(keyspace: Keyspace, waiting: readonly Waiting[]): Promise<void> {
    try {
      const found = await this.readAll(
        keyspace,
        waiting.map(({ id }) => id),
      );
      for (const [index, { resolve }] of waiting.entries()) resolve(found[index]);
    } catch (error) {
      // What is wrong with one document is not wrong with the others.
      if (waiting.length > 1 && isEdgeError(error, 'storage.corrupt'))
        for (const each of waiting) void this.send(keyspace, [each]);
      else for (const { reject } of waiting) reject(error);
    }
  }
}
