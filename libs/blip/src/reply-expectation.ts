import { BodyStream } from './body-stream.js';
import { readErrorReply } from './error-reply.js';
import { type BlipMessage, type BlipReply, MessageType, type StreamedReply } from './message.js';
import type { Properties } from './properties.js';
import { type BlipClosedError } from './protocol-error.js';

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

const utf8Decoder = new TextDecoder();
