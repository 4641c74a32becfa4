import type { OutgoingMessage } from './outgoing-message.js';

/**
 * The queue of messages that have a frame to send (docs/protocol/blip.md#scheduling). Round-robin: the owner takes the
 * first message, sends one frame of it, and puts it back if there is more.
 */
export class Outbox {
  private queue: OutgoingMessage[] = [];
  /** Index of the first message: moving it is cheaper than moving the rest. */
  private first = 0;
  private urgentCount = 0;

  get isEmpty(): boolean {
    return this.first === this.queue.length;
  }

  /** Whether the message that would be taken next is urgent. */
  get isUrgentNext(): boolean {
    return this.urgentCount > 0 && this.queue[this.first]!.isUrgent;
  }

  put(message: OutgoingMessage): void {
    if (!message.isUrgent) {
      this.queue.push(message);
      return;
    }
    this.urgentCount++;
    const at = this.placeForUrgent(message);
    if (at === this.queue.length) this.queue.push(message);
    else this.queue.splice(at, 0, message);
  }

  take(): OutgoingMessage | undefined {
    if (this.isEmpty) return undefined;
    const message = this.queue[this.first]!;
    this.first++;
    if (this.isEmpty) {
      this.queue.length = 0;
      this.first = 0;
    } else if (this.first >= 1024) {
      this.queue.splice(0, this.first);
      this.first = 0;
    }
    if (message.isUrgent) this.urgentCount--;
    return message;
  }

  /** Empties the queue and returns what was in it. */
  clear(): OutgoingMessage[] {
    const left = this.queue.slice(this.first);
    this.queue = [];
    this.first = this.urgentCount = 0;
    return left;
  }

  /**
   * Behind the last urgent message and one more, so that the others go on; and never before a request that was not
   * begun, if it is one itself: the peer insists on first frames in order of their numbers.
   */
  private placeForUrgent(message: OutgoingMessage): number {
    const keepsOrder = message.isRequest && !message.isStarted;
    if (this.urgentCount === 1 && !keepsOrder)
      return Math.min(this.first + (message.isStarted ? 1 : 0), this.queue.length);
    for (let at = this.queue.length - 1; at >= this.first; at--) {
      const queued = this.queue[at]!;
      if (queued.isUrgent) return Math.min(at + 2, this.queue.length);
      if (keepsOrder && queued.isRequest && !queued.isStarted) return at + 1;
    }
    return message.isStarted ? Math.min(this.first + 1, this.queue.length) : this.first;
  }
}
