import { randomFillSync } from 'node:crypto';
import { DOC_ID_RANDOM_BYTES, generateDocId } from '@edgesync/document';

const pool = new Uint8Array(DOC_ID_RANDOM_BYTES * 256);
let used = pool.length;

/** A new document ID. Random bytes are drawn for many at a time. */
export function newDocumentId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, used + DOC_ID_RANDOM_BYTES);
  used += DOC_ID_RANDOM_BYTES;
  return generateDocId(bytes);
}
