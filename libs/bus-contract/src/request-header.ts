import { EdgeError } from '@edgesync/errors';
import { checkPayloadVersion, decodeMessage, MessageKind, type Message } from './envelope.js';
import { count, literal, object, optional, parse, text } from './schema.js';

/** A request as it was received; the payload is not checked yet. */
export interface ReceivedRequest {
  readonly message: Message;
  readonly header: RequestHeader;
  readonly payload: unknown;
}

/**
 * Reads a request.
 * @param operation what is asked for
 * @param version the one of its payload that this process knows
 * @throws EdgeError `bus.version`, `bus.invalid`
 */
export function readRequest(bytes: Uint8Array, operation: string, version: number): ReceivedRequest {
  const message = decodeMessage(bytes);
  if (message.kind !== MessageKind.request) throw new EdgeError('bus.invalid', 'not a request');
  checkPayloadVersion(operation, message.version, version);
  return { message, ...RequestHeader.read(message) };
}

const headerMeta = object({ budget: count(), key: optional(text()), streamed: optional(literal(true)) });

/** Fields of every request besides its payload. */
export class RequestHeader {
  constructor(
    /**
     * Milliseconds the sender still waits. Counted from arrival, not a time of day: boxes whose clocks differ must
     * still understand each other. A request that waited longer is dropped.
     */
    readonly budget: number,
    /** Names the piece of work, which is done once even if it arrives more often. */
    readonly idempotencyKey?: string,
    /** The body follows in chunks; the reply subject takes `proceed` first. */
    readonly streamed = false,
  ) {}

  /** The metadata of a request. */
  wrap(payload: unknown): object {
    const { budget, idempotencyKey, streamed } = this;
    return {
      budget,
      ...(idempotencyKey !== undefined && { key: idempotencyKey }),
      ...(streamed && { streamed }),
      payload,
    };
  }

  /** @throws EdgeError `bus.invalid` */
  static read(message: Message): { header: RequestHeader; payload: unknown } {
    const { budget, key, streamed = false } = parse('request', headerMeta, message.meta);
    return {
      header: new RequestHeader(budget, key, streamed),
      payload: (message.meta as { payload?: unknown }).payload,
    };
  }
}
