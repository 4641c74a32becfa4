import { EdgeError } from '@edgesync/errors';
import type { Message } from './envelope.js';
import { Fields } from './fields.js';

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
