import type { FastifyRequest } from 'fastify';
import { MAX_BLOB_BYTES } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';
import type { BlobInfo, Storage } from '@edgesync/ports';
import { allowBody } from '../http/expect-continue.js';
import { checkEncoding, ClientGoneError } from '../http/request-body.js';

/** Blobs of this size are still taken: 20 MB are not (docs/protocol/rest.md#properties). */
const LARGEST_BLOB = MAX_BLOB_BYTES - 1;

/**
 * Passes the body of a request on to the blob store as it arrives.
 * @throws EdgeError `request.media-type` for encoded content, `blob.too-large`, `storage.*`
 */
export async function storeBlob(request: FastifyRequest, storage: Storage, database: string): Promise<BlobInfo> {
  const message = request.raw;
  checkEncoding(message);
  if (Number(message.headers['content-length'] ?? 0) > LARGEST_BLOB) throw new EdgeError('blob.too-large');
  allowBody(message);
  // When storage refuses the content, the connection must stay: the client gets the error.
  const chunks = message.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  try {
    return await storage.putBlob(database, chunks, { limit: LARGEST_BLOB });
  } catch (error) {
    if (message.destroyed && !message.complete)
      throw new ClientGoneError('the client closed the connection', { cause: error });
    throw error;
  }
}
