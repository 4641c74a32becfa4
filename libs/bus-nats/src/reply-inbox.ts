import { decodeMessage, type Message } from '@edgesync/bus-contract';
import { isEdgeError } from '@edgesync/errors';
import { createInbox, type Msg, type Subscription } from '@nats-io/transport-node';
import type { Bus } from './bus.js';

/** The reader of an address. */
export interface ReplyReader {
  /** @param replyTo where the sender takes answers, '' if it does not */
  message(message: Message, replyTo: string): void;
  /** A message cannot be read. */
  unreadable?(error: Error): void;
  /** Nobody listens at the subject that was written to. */
  nobody?(): void;
  /** The connection was lost: messages on the way in either direction may be. */
  disconnected?(): void;
}

export interface ReplyAddress {
  /** To write to. */
  readonly subject: string;
  close(): void;
}

/** Short-lived addresses of this process, all behind one subscription. */
export class ReplyInbox {
  private readonly open = new Map<string, ReplyReader>();
  private readonly prefix = `${createInbox()}.`;
  private readonly subscription: Subscription;
  private readonly stopFollowing: () => void;
  private next = 0;

  constructor(private readonly bus: Bus) {
    this.subscription = bus.connection.subscribe(`${this.prefix}*`, {
      callback: (error, message) => {
        if (!error) this.deliver(message);
      },
    });
    this.stopFollowing = bus.onChange((connected) => {
      if (!connected) for (const reader of [...this.open.values()]) reader.disconnected?.();
    });
  }

  create(reader: ReplyReader): ReplyAddress {
    const token = (this.next++).toString(36);
    this.open.set(token, reader);
    return { subject: this.prefix + token, close: () => this.open.delete(token) };
  }

  close(): void {
    this.stopFollowing();
    if (!this.bus.connection.isClosed()) this.subscription.unsubscribe();
    this.open.clear();
  }

  private deliver(raw: Msg): void {
    const reader = this.open.get(raw.subject.slice(this.prefix.length));
    // Late answers to what was given up.
    if (!reader) return;
    const { data } = raw;
    if (data.byteLength === 0 && raw.headers?.code === 503) return reader.nobody?.();
    try {
      reader.message(decodeMessage(data), raw.reply ?? '');
    } catch (error) {
      if (!isEdgeError(error)) throw error;
      reader.unreadable?.(error);
    }
  }
}
