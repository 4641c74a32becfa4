import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorReply } from '@edgesync/platform';
import { matchesNone } from './entity-tag.js';

/** As the API documents it: without `charset`, which JSON does not have. */
export const JSON_TYPE = 'application/json';

/** Keeps browsers from taking a reply for what it is not. On every reply. */
export const NO_SNIFFING = ['x-content-type-options', 'nosniff'] as const;

export interface ReplyOptions {
  /** Default: that of the endpoint. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Entity tags, without quotes. The first is sent; a client that has any of them gets 304. */
  readonly tags?: readonly string[];
}

/** The result of a handler whose reply is more than a value or JSON text. */
export class Reply {
  /** @param text makes JSON text, if it is sent; undefined: there is no body */
  constructor(
    readonly text: (() => string) | undefined,
    readonly options: ReplyOptions,
  ) {}
}

/**
 * Sends what a handler returned: text as it is, a {@link Reply}, or any other value as JSON. A content type that the
 * endpoint has set stays.
 */
export function sendReply(reply: FastifyReply, result: unknown): void {
  if (typeof result === 'string') sendText(reply, result);
  else if (result instanceof Reply) sendParts(reply, result);
  else sendText(reply, JSON.stringify(result));
}

function sendParts(reply: FastifyReply, { text, options: { status, headers, tags } }: Reply): void {
  if (status !== undefined) reply.statusCode = status;
  if (headers) reply.headers(headers);
  if (tags) reply.header('etag', `"${tags[0]!}"`);
  if (tags && matchesNone(reply.request.headers['if-none-match'], tags)) reply.code(304).send();
  else if (text) sendText(reply, text());
  else reply.send();
}

function sendText(reply: FastifyReply, text: string): void {
  if (!reply.hasHeader('content-type')) {
    reply.header('content-type', JSON_TYPE);
    text += lineEnd(reply.request);
  }
  // As text: Node sends it in one piece with the head. The serializer keeps Fastify from adding a charset.
  reply.serializer(asItIs).send(text);
}

const asItIs = (text: unknown): string => text as string;

/** In a terminal the prompt belongs on a line of its own. White space after JSON means nothing, but only curl gets it. */
export const lineEnd = ({ headers }: FastifyRequest): '' | '\n' =>
  headers['user-agent']?.startsWith('curl/') ? '\n' : '';

/** Sends the reply that an error is. */
export function sendError(reply: FastifyReply, error: unknown): void {
  const { status, headers, body } = errorReply(error);
  reply.headers(headers).removeHeader('etag');
  reply
    .code(status)
    .serializer(asItIs)
    .send(`${body}${lineEnd(reply.request)}`);
}
