import { STORAGE_OPERATIONS } from '@edgesync/bus-contract';
import { isEdgeError } from '@edgesync/errors';
import { AttemptFailed } from './attempt.js';
import type { Caller } from './caller.js';

const readBlobOperation = STORAGE_OPERATIONS.readBlob;
/** How often a download goes on after it broke off, without having got any further. */
const FRUITLESS_RESUMES = 2;

/**
 * Reads a blob from the storage process as it is consumed. A download that breaks off is resumed where it stopped:
 * the content behind a digest never changes.
 * @throws EdgeError `storage.unavailable`, `blob.missing`
 */
export async function* readBlob(
  caller: Caller,
  database: string,
  digest: string,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let fruitless = 0;
  let next = start;
  while (next <= end) {
    const from = next;
    const { meta, bodies } = readBlobOperation.request.encode({ digest, start: from, end });
    const { message, stream } = await caller.call({
      database,
      operation: readBlobOperation,
      payload: meta,
      bodies,
      streamReply: true,
    });
    if (!stream) return yield message.rest();
    try {
      for await (const chunk of stream) {
        next += chunk.byteLength;
        yield chunk;
      }
      return;
    } catch (error) {
      const broken = error instanceof AttemptFailed || isEdgeError(error, 'storage.unavailable');
      fruitless = next > from ? 0 : fruitless + 1;
      if (!broken || fruitless > FRUITLESS_RESUMES) throw error;
    }
  }
}
