import { isAscii, isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { EdgeError } from '@edgesync/errors';
import { MAX_BODY_BYTES, MAX_DISCARDED_BYTES } from '../tuning.js';
import { allowBody } from './expect-continue.js';

const JSON_MEDIA_TYPE = /^\s*[^\s;/]+\/(?:[^\s;]+\+)?json\s*(?:;|$)/i;

/**
 * Reads the text of a JSON body. The bytes are decoded here and nowhere else, and not parsed: numbers and strings
 * reach storage as they were sent.
 * @throws EdgeError `request.media-type` for an explicit type other than JSON (docs/protocol/rest.md#request-bodies),
 * `request.too-large`, `request.json`
 */
export function readJsonText(request: FastifyRequest): Promise<string> {
  const type = request.headers['content-type'];
  if (type !== undefined && type !== '' && !JSON_MEDIA_TYPE.test(type)) throw new EdgeError('request.media-type');
  return readText(request);
}

/** Like {@link readJsonText}, whatever the content type says. */
export async function readText(request: FastifyRequest): Promise<string> {
  checkEncoding(request.raw);
  return decodeUtf8(await readBytes(request.raw));
}

/**
 * Refuses a body that is compressed or encoded otherwise, which would be taken for the content itself.
 * @throws EdgeError `request.media-type`
 */
export function checkEncoding({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding']?.toLowerCase() || 'identity';
  if (encoding !== 'identity')
    throw new EdgeError('request.media-type', 'request bodies with a Content-Encoding are not supported');
}

/**
 * Refuses a body whose declared length is over the limit before a byte of it is read.
 * @throws EdgeError `request.too-large`
 */
export function checkDeclaredLength(message: IncomingMessage, limit: number): void {
  if (Number(message.headers['content-length'] ?? 0) > limit) throw new EdgeError('request.too-large');
}

/** Reads and forgets what is left of a refused body, up to a limit, so that the client gets to see the reply. */
export function discardBody(message: IncomingMessage): void {
  if (message.complete) return;
  let bytes = 0;
  message.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_DISCARDED_BYTES) message.destroy();
  });
  message.on('error', () => {});
}

function readBytes(message: IncomingMessage): Promise<Buffer> {
  checkDeclaredLength(message, MAX_BODY_BYTES);
  allowBody(message);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= MAX_BODY_BYTES) return;
      stop();
      reject(new EdgeError('request.too-large'));
    };
    const onEnd = (): void => {
      stop();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length));
    };
    const onGone = (): void => {
      stop();
      reject(new ClientGoneError());
    };
    const stop = (): void => {
      message.off('data', onData).off('end', onEnd).off('close', onGone);
    };
    message.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
  });
}

/** The client closed the connection before its request was complete. Nobody is left to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

/** @throws EdgeError `request.json` if the bytes are not UTF-8 */
function decodeUtf8(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new EdgeError('request.json', 'the body is not UTF-8');
  const text = bytes.toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
