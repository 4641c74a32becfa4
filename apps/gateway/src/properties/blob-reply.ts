import type { FastifyReply, FastifyRequest } from 'fastify';
import { isUnsafeInBrowser, type BlobReference } from '@edgesync/document';
import { isEdgeError } from '@edgesync/errors';
import type { BlobContent } from '@edgesync/ports';
import { readEntityTags } from '../http/entity-tag.js';
import { sendStream } from '../http/stream-reply.js';
import { readRange, type ByteRange } from './byte-range.js';

export const DEFAULT_BLOB_TYPE = 'application/octet-stream';

/** Should a browser show a blob as a page after all, the page may neither run nor load anything. */
const INERT = "default-src 'none'; sandbox";

/** Types that a header can carry, and clients take. */
const HEADER_VALUE = /^[\x20-\x7e]{1,255}$/;

/**
 * Streams a blob, or the part that `Range` asks for.
 * @param rev the document's revision, which is the entity tag
 */
export function sendBlob(
  request: FastifyRequest,
  reply: FastifyReply,
  blob: BlobReference,
  content: BlobContent,
  rev: string,
): void {
  const type =
    blob.contentType !== undefined && HEADER_VALUE.test(blob.contentType) ? blob.contentType : DEFAULT_BLOB_TYPE;
  const range = askedRange(request, reply, content.length, rev);
  reply.headers({
    'content-type': type,
    'content-length': String(range ? range.end - range.start + 1 : content.length),
    etag: `"${rev}"`,
    'accept-ranges': 'bytes',
    'content-security-policy': INERT,
  });
  if (isUnsafeInBrowser(type)) reply.header('content-disposition', 'attachment');
  reply.statusCode = range ? 206 : 200;
  if (range) reply.header('content-range', `bytes ${range.start}-${range.end}/${content.length}`);
  sendStream(reply, bytes(content, range));
}

function askedRange(request: FastifyRequest, reply: FastifyReply, length: number, rev: string): ByteRange | undefined {
  // A range is something of GET alone (RFC 9110, 14.2): HEAD shows the whole.
  if (request.method !== 'GET') return undefined;
  const { range, 'if-range': ifRange } = request.headers;
  if (ifRange !== undefined && !readEntityTags(String(ifRange))?.includes(rev)) return undefined;
  try {
    return readRange(range, length);
  } catch (error) {
    if (isEdgeError(error, 'request.range')) reply.header('content-range', `bytes */${length}`);
    throw error;
  }
}

async function* bytes(content: BlobContent, range: ByteRange | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  yield* content.read(range);
}
