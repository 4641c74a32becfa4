import { EdgeError } from '@edgesync/errors';
import { checkPayloadVersion, decodeMessage, MessageKind, type Message } from './envelope.js';
import { Fields } from './fields.js';

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

/**
 * What every request carries besides its payload.
 */
export class RequestHeader {
  constructor(
    /**
     * Milliseconds the sender still waits. Counted from arrival, not a time of day: boxes whose clocks differ must
     * still understand each other. A request that waited longer is dropped.
     */
    readonly budget: number,
    /** Names the piece of work: however often it arrives, it is done once. */
    readonly idempotencyKey?: string | undefined,
    /** The body follows in chunks; the reply subject takes `proceed` first. */
    readonly streamed = false,
  ) {}

  /** The metadata of a request. */
  wrap(payload: object): object {
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
    const fields = new Fields('request', message.meta);
    const { streamed, payload } = message.meta as { streamed?: unknown; payload?: unknown };
    if (streamed !== undefined && streamed !== true) throw new EdgeError('bus.invalid', 'request.streamed is not true');
    return {
      header: new RequestHeader(fields.count('budget'), fields.optionalText('key'), streamed === true),
      payload,
    };
  }
}
