import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import './gateway-request.js';
import { auditedChunks } from './audited-reply.js';
import { STALLED_AFTER_MS } from '../tuning.js';
import { JSON_TYPE, lineEnd, sendReply } from './reply.js';
import { ClientGoneError } from './request-body.js';

/**
 * Sends JSON that is made piece by piece, no faster than the client takes it. What fits into the first two pieces is
 * sent as a whole. When the client goes away, the pieces' generator is ended.
 */
export async function sendJsonStream(
  reply: FastifyReply,
  pieces: AsyncGenerator<string, void, undefined>,
): Promise<void> {
  const first = await pieces.next();
  const second = await pieces.next();
  if (first.done || second.done) return sendReply(reply, first.value ?? '');
  const third = await pieces.next();
  if (third.done) return sendReply(reply, first.value + second.value);
  streamJson(reply, continued(first.value + second.value + third.value, pieces));
}

/** Sends JSON that is made piece by piece, no faster than the client takes it. */
export function streamJson(reply: FastifyReply, pieces: AsyncGenerator<string, void, undefined>): void {
  reply.statusCode = 200;
  reply.header('content-type', JSON_TYPE);
  sendStream(reply, encoded(pieces, lineEnd(reply.request)));
}

/** Sends bytes as they come. For HEAD, only the headers. */
export function sendStream(reply: FastifyReply, chunks: AsyncGenerator<Uint8Array, void, undefined>): void {
  if (reply.request.method === 'HEAD') {
    void chunks.return();
    reply.send();
    return;
  }
  // A client that takes nothing of its reply must not keep it here.
  reply.raw.setTimeout(STALLED_AFTER_MS, () => reply.raw.destroy());
  // Without a length, the end of the reply is held for the audit log, and chunks need not be.
  const audited = reply.hasHeader('content-length') ? auditedChunks(reply.raw, chunks) : chunks;
  const stream = Readable.from(audited, { objectMode: false });
  stream.once('error', (error) => {
    if (!(error instanceof ClientGoneError)) reply.server.reportError(error, reply.request);
  });
  reply.send(stream);
}

async function* continued(
  head: string,
  rest: AsyncGenerator<string, void, undefined>,
): AsyncGenerator<string, void, undefined> {
  yield head;
  yield* rest;
}

async function* encoded(
  pieces: AsyncGenerator<string, void, undefined>,
  end: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) yield Buffer.from(piece);
  if (end !== '') yield Buffer.from(end);
}
