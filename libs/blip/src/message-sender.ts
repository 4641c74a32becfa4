import type { CompressionPolicy } from './limits.js';
import { TRANSPORT_HIGH_WATER_BYTES } from './limits.js';
import { FrameEncoder, MAX_FRAME_BYTES, SMALL_FRAME_BYTES } from './frame-encoder.js';
import { FrameFlag } from './message.js';
import { Outbox } from './outbox.js';
import type { OutgoingMessage } from './outgoing-message.js';
import { BlipProtocolError } from './protocol-error.js';
import type { Transport } from './transport.js';
import { varintSize } from './varint.js';

/** Events of the sending half of a connection, for its owner. */
export interface MessageSenderEvents {
  /** Frames may have gone out. */
  onSent(): void;
  /** A body that was begun could not be finished. */
  onBodyFailed(cause: unknown): void;
}

/** The sending half of a connection: turns queued messages into frames as fast as transport and peer take them. */
export class MessageSender {
  /** Counts frames sent and acknowledgements received, so that a watchdog can see whether anything moves. */
  progress = 0;

  private readonly encoder = new FrameEncoder();
  private readonly outbox = new Outbox();
  /** Messages with a frame sent and more to come, by {@link messageKey}. */
  private readonly unfinished = new Map<number, OutgoingMessage>();
  private waitingBytes = 0;
  private isPumping = false;
  private isClosed = false;

  constructor(
    private readonly transport: Transport,
    private readonly compression: CompressionPolicy,
    private readonly events: MessageSenderEvents,
  ) {}

  /** Bytes of messages that are not in the transport yet, without what their sources still hold. */
  get queuedBytes(): number {
    return this.waitingBytes;
  }

  get isIdle(): boolean {
    return this.outbox.isEmpty && this.unfinished.size === 0;
  }

  /** Whether something waits for the peer: for its socket, or for its ACK. */
  get isWaitingForPeer(): boolean {
    if (!this.outbox.isEmpty) return true;
    for (const message of this.unfinished.values()) if (message.isWindowFull) return true;
    return false;
  }

  send(message: OutgoingMessage): void {
    if (this.isClosed) {
      message.cancel();
      return;
    }
    this.waitingBytes += message.availableBytes;
    this.outbox.put(message);
    this.pump();
  }

  /** Sends frames until the transport is full or there is nothing to send. */
  pump(): void {
    if (this.isPumping) return;
    this.isPumping = true;
    while (!this.isClosed && this.transport.bufferedBytes < TRANSPORT_HIGH_WATER_BYTES) {
      const message = this.outbox.take();
      if (!message) break;
      this.sendFrame(message);
    }
    this.isPumping = false;
    this.events.onSent();
  }

  /**
   * The peer has received that many bytes of a message.
   * @throws {BlipProtocolError} when it is more than was sent
   */
  acknowledge(number: number, ofReply: boolean, receivedBytes: number): void {
    const message = this.unfinished.get(messageKey(number, ofReply));
    // The last frame may have crossed the ACK.
    if (!message) return;
    if (receivedBytes > message.sentBytes)
      throw new BlipProtocolError(
        'ack-malformed',
        `an ACK of ${receivedBytes} bytes where ${message.sentBytes} were sent`,
      );
    if (receivedBytes <= message.ackedBytes) return;
    this.progress++;
    const wasFull = message.isWindowFull;
    message.ackedBytes = receivedBytes;
    if (wasFull && !message.isWindowFull && !message.isStarved) {
      this.outbox.put(message);
      this.pump();
    }
  }

  close(): void {
    this.isClosed = true;
    for (const message of this.outbox.clear()) message.cancel();
    for (const message of this.unfinished.values()) message.cancel();
    this.unfinished.clear();
    this.waitingBytes = 0;
    this.encoder.close();
  }

  private sendFrame(message: OutgoingMessage): void {
    const { number } = message;
    const compress = message.compressible && this.compressesNow();
    const frameBytes = !message.isUrgent && this.outbox.isUrgentNext ? SMALL_FRAME_BYTES : MAX_FRAME_BYTES;
    const capacity = FrameEncoder.payloadCapacity(number, frameBytes, compress);
    const payloadBytes = Math.min(capacity, message.availableBytes);
    const isLast = message.complete && payloadBytes === message.availableBytes;
    const isFirst = !message.isStarted;
    const flags = isLast ? message.flags : message.flags | FrameFlag.moreComing;
    const frame = this.encoder.encode(number, flags, message, payloadBytes, compress);
    this.progress++;
    this.waitingBytes -= payloadBytes;
    message.sentBytes += frame.length - varintSize(number) - 1;
    if (isLast) {
      if (!isFirst) this.unfinished.delete(messageKey(number, !message.isRequest));
    } else {
      if (isFirst) this.unfinished.set(messageKey(number, !message.isRequest), message);
      if (message.isStarved) this.feed(message);
      else if (!message.isWindowFull) this.outbox.put(message);
    }
    this.transport.send(frame);
  }

  private compressesNow(): boolean {
    return this.compression === 'flagged' || (this.compression === 'congested' && this.transport.congested);
  }

  private feed(message: OutgoingMessage): void {
    message.pull().then(
      () => {
        if (this.isClosed) return;
        if (message.isStarved) {
          this.feed(message);
          return;
        }
        this.waitingBytes += message.availableBytes;
        if (message.isWindowFull) return;
        this.outbox.put(message);
        this.pump();
      },
      (cause: unknown) => {
        if (!this.isClosed) this.events.onBodyFailed(cause);
      },
    );
  }
}

/**
 * Distinguishes requests and replies of the same number: the two directions number independently
 * (docs/protocol/blip.md#numbers).
 */
export function messageKey(number: number, isReply: boolean): number {
  return number * 2 + (isReply ? 1 : 0);
}
