import { CATALOGUE, type CatalogueEntry, EdgeError } from '@edgesync/errors';
import { BodyStream } from './body-stream.js';
import {
  type BlipErrorInfo,
  type BlipMessage,
  type BlipReply,
  MessageType,
  type ReplyInit,
  type StreamedReply,
} from './message.js';
import { Properties } from './properties.js';
import type { BlipClosedError } from './protocol-error.js';

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder();

/** An error as the catalogue puts it on the wire; anything uncatalogued becomes the catalogue's `internal`. */
export function errorReplyOf(error: unknown): BlipErrorInfo {
  const known = error instanceof EdgeError ? error : new EdgeError('internal');
  const entry: CatalogueEntry = CATALOGUE[known.code];
  const { domain, code } = entry.blip ?? { domain: 'HTTP', code: entry.http };
  return { domain, code, message: known.message };
}

/** Properties and body of an error reply (docs/protocol/blip.md#error-replies). */
export function errorReplyContent({ domain, code, message }: BlipErrorInfo): ReplyInit {
  return {
    properties: Properties.of('Error-Domain', domain, 'Error-Code', String(code)),
    body: utf8Encoder.encode(message),
  };
}

/** Reads an error reply. A missing domain means BLIP, an unreadable code 599 (unspecified). */
export function readErrorReply(properties: Properties, message: string): BlipErrorInfo {
  const code = Number(properties.get('Error-Code') ?? Number.NaN);
  return {
    domain: properties.get('Error-Domain') ?? 'BLIP',
    code: Number.isInteger(code) ? code : 599,
    message,
  };
}

/** Someone waits for the reply to a request. */
export interface ReplyExpectation {
  /** The whole reply. */
  resolve(reply: BlipReply): void;
  /** The connection ended first. */
  reject(error: BlipClosedError): void;
  /** The stream to put the body of a response into, if it is not to be collected. */
  open?(properties: Properties, onHeldChange: (delta: number) => void): BodyStream;
}

/** The reply in a message. */
export function replyOf(message: BlipMessage): BlipReply {
  const { properties, body } = message;
  if (message.type !== MessageType.error) return { properties, body };
  return { properties, body, error: readErrorReply(properties, utf8Decoder.decode(body)) };
}

/** Expects a response whose body is streamed. An error reply is collected: it is short. */
export class StreamExpectation implements ReplyExpectation {
  private stream: BodyStream | undefined;

  constructor(
    private readonly resolveReply: (reply: StreamedReply) => void,
    private readonly rejectReply: (error: BlipClosedError) => void,
  ) {}

  open(properties: Properties, onHeldChange: (delta: number) => void): BodyStream {
    const stream = (this.stream = new BodyStream(onHeldChange));
    this.resolveReply({ properties, body: stream });
    return stream;
  }

  resolve(reply: BlipReply): void {
    if (!this.stream) this.resolveReply({ ...reply, body: onePiece(reply.body) });
  }

  reject(error: BlipClosedError): void {
    if (this.stream) this.stream.fail(error);
    else this.rejectReply(error);
  }
}

async function* onePiece(body: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  if (body.length > 0) yield body;
}
