import type { FastifyReply } from 'fastify';
import { errorReply } from '@edgesync/platform';

/** As the API documents it: without `charset`, which JSON does not have. */
export const JSON_TYPE = 'application/json';

/** Keeps browsers from taking a reply for what it is not. On every reply. */
export const NO_SNIFFING = ['x-content-type-options', 'nosniff'] as const;

/**
 * Sends JSON text.
 * @param etag quoted entity tag
 */
export function sendJson(reply: FastifyReply, status: number, json: string, etag?: string): void {
  reply.statusCode = status;
  reply.header('content-type', JSON_TYPE);
  if (etag !== undefined) reply.header('etag', etag);
  // As text: Node sends it in one piece with the head. The serializer keeps Fastify from adding a charset.
  reply.serializer(asItIs).send(json);
}

const asItIs = (json: unknown): string => json as string;

/** Tells that what the client has is still current: no body (docs/protocol/rest.md#caching). */
export function sendNotModified(reply: FastifyReply, etag: string): void {
  reply.statusCode = 304;
  reply.header('etag', etag).send();
}

/** Sends the reply that an error is. */
export function sendError(reply: FastifyReply, error: unknown): void {
  const { status, headers, body } = errorReply(error);
  reply.headers(headers).removeHeader('etag');
  sendJson(reply, status, body);
}
