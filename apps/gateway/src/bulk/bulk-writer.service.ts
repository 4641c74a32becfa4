import { Inject, Injectable } from '@nestjs/common';
import type { Body, Keyspace } from '@edgesync/document';
import { EdgeError, isEdgeError } from '@edgesync/errors';
import { statusText, STORAGE } from '@edgesync/platform';
import type { Storage, WriteRequest } from '@edgesync/ports';
import { errorOf, writeReply } from '../documents/write-result.js';
import { toEdit, toRevision } from './bulk-item.js';

/** An item that is not written, and why. */
interface Failure {
  readonly id: string | undefined;
  readonly error: EdgeError;
}

export interface BulkOptions {
  /** Whether items are edits of what is stored. Otherwise they are revisions, stored as they are. */
  readonly newEdits: boolean;
  /** Whether the reply names versions too. */
  readonly showCv: boolean;
}

/** Writes batches. */
@Injectable()
export class BulkWriter {
  constructor(@Inject(STORAGE) private readonly storage: Storage) {}

  /**
   * Applies the items in one transaction; resolves when those that succeeded are durable.
   * @returns the reply: a JSON array with an element per item
   */
  async write(
    keyspace: Keyspace,
    docs: readonly (Body | EdgeError)[],
    { newEdits, showCv }: BulkOptions,
  ): Promise<string> {
    const items = docs.map((doc) => toRequest(keyspace, doc, newEdits));
    const requests = items.filter((item): item is WriteRequest => !('error' in item));
    const results = requests.length > 0 ? await this.storage.write(keyspace.database, requests) : [];
    let next = 0;
    const elements = items.map((item) => {
      if ('error' in item) return failureText(item);
      const result = results[next++]!;
      if (result.status === 'stored' || result.status === 'known') return writeReply(result, showCv);
      return failureText({ id: result.id, error: errorOf(result) });
    });
    return `[${elements.join(',')}]`;
  }
}

function toRequest(keyspace: Keyspace, doc: Body | EdgeError, newEdits: boolean): WriteRequest | Failure {
  if (isEdgeError(doc)) return { id: undefined, error: doc };
  try {
    return newEdits ? toEdit(keyspace, doc) : toRevision(keyspace, doc);
  } catch (error) {
    if (isEdgeError(error)) return { id: doc.metadata.id, error };
    throw error;
  }
}

function failureText({ id, error }: Failure): string {
  const { status, message } = error;
  return JSON.stringify({ ...(id !== undefined && { id }), status, error: statusText(status), reason: message });
}
