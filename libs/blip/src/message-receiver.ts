import type { BodyStream } from './body-stream.js';
import { ACK_EVERY_BYTES } from './limits.js';
import { FrameDecoder, type MessageFrame } from './frame-decoder.js';
import { cutOffProperties, IncomingMessage, messageOf, wholeMessage } from './incoming-message.js';
import type { BlipLimits } from './limits.js';
import { FrameFlag, MessageType, type BlipMessage } from './message.js';
import { messageKey } from './message-sender.js';
import { BlipProtocolError } from './protocol-error.js';
import type { Properties } from './properties.js';

/** Events of the receiving half of a connection, for its owner. */
export interface MessageReceiverEvents {
  /** A complete request. `isOversize`: its body was dropped because it was larger than allowed. */
  onRequest(request: BlipMessage, isOversize: boolean): void;
  /** A complete reply, or the end of a streamed one. */
  onReply(reply: BlipMessage, isOversize: boolean): void;
  /** The peer has received that much of a message of ours. */
  onAck(number: number, ofReply: boolean, receivedBytes: number): void;
  /** Time to acknowledge a message. */
  sendAck(number: number, ofReply: boolean, receivedBytes: number): void;
  /**
   * The first frame of a reply.
   * @throws {BlipProtocolError} when nothing waits for it
   */
  checkReply(number: number): void;
  /** The stream for the body of a reply whose properties are in, or undefined to collect it. */
  streamReply(number: number, type: MessageType, properties: Properties): BodyStream | undefined;
}

/** The receiving half of a connection: turns frames into messages, keeps the rules and limits, decides when to acknowledge. */
export class MessageReceiver {
  private readonly decoder = new FrameDecoder();
  private readonly unfinished = new Map<number, IncomingMessage>();
  private nextRequest = 1;
  /** Memory held for messages whose last frame has not come, without streams. */
  unfinishedBytes = 0;

  constructor(
    private readonly limits: BlipLimits,
    private readonly events: MessageReceiverEvents,
  ) {}

  get isIdle(): boolean {
    return this.unfinished.size === 0;
  }

  /** @throws {BlipProtocolError} after which the connection must end */
  receive(bytes: Uint8Array): void {
    const frame = this.decoder.decode(bytes);
    if (frame.kind === 'message') this.receiveMessageFrame(frame);
    else if (frame.kind === 'ack') this.events.onAck(frame.number, frame.ofReply, frame.receivedBytes);
  }

  /** Acknowledges a streamed message if its reader has come near enough. */
  acknowledgeIfDue(message: IncomingMessage): void {
    if (message.unackedBytes < ACK_EVERY_BYTES || !message.isReaderReady) return;
    if (!this.unfinished.has(messageKey(message.number, message.isReply))) return;
    message.unackedBytes = 0;
    this.events.sendAck(message.number, message.isReply, message.receivedBytes);
  }

  /** The unfinished reply of that number, if its first frame has come. */
  unfinishedReply(number: number): IncomingMessage | undefined {
    return this.unfinished.get(messageKey(number, true));
  }

  close(): void {
    this.unfinished.clear();
    this.unfinishedBytes = 0;
    this.decoder.close();
  }

  private receiveMessageFrame(frame: MessageFrame): void {
    const { number, type, flags } = frame;
    const isReply = type !== MessageType.request;
    const key = messageKey(number, isReply);
    let message = this.unfinished.size === 0 ? undefined : this.unfinished.get(key);
    const isLast = (flags & FrameFlag.moreComing) === 0;
    if (!message) {
      if (isReply) this.events.checkReply(number);
      else this.checkRequestNumber(number);
      if (isLast) {
        this.receiveWhole(frame);
        return;
      }
      message = this.begin(key, number, type, flags);
    }
    message.receivedBytes += frame.wireBytes;
    message.unackedBytes += frame.wireBytes;
    this.unfinishedBytes -= message.heldBytes;
    message.append(frame.payload, this.openBody);
    this.unfinishedBytes += message.heldBytes;
    if (message.discardedBytes > this.limits.discardedBytes)
      throw new BlipProtocolError('message-too-large', `message ${number} is far larger than allowed`);
    if (isLast) this.finish(key, message);
    else this.acknowledgeIfDue(message);
  }

  /** The common case: a message of one frame. */
  private receiveWhole(frame: MessageFrame): void {
    const message = wholeMessage(frame.number, frame.type, frame.flags, frame.payload);
    if (message.type === MessageType.request) {
      this.events.onRequest(message, message.body.length > this.limitFor(message.properties));
      return;
    }
    const stream = this.events.streamReply(message.number, message.type, message.properties);
    if (stream) {
      stream.push(message.body);
      stream.end();
    }
    this.events.onReply(message, !stream && message.body.length > this.limits.replyBytes);
  }

  private begin(key: number, number: number, type: MessageType, flags: number): IncomingMessage {
    if (this.unfinished.size >= this.limits.unfinishedMessages)
      throw new BlipProtocolError(
        'too-many-unfinished',
        `more than ${this.limits.unfinishedMessages} unfinished messages`,
      );
    const message = new IncomingMessage(number, type, flags);
    this.unfinished.set(key, message);
    return message;
  }

  private finish(key: number, message: IncomingMessage): void {
    const { number, type, flags, properties } = message;
    if (!properties) throw cutOffProperties();
    this.unfinished.delete(key);
    this.unfinishedBytes -= message.heldBytes;
    const whole = messageOf(number, type, flags, properties, message.body);
    if (type === MessageType.request) this.events.onRequest(whole, message.isOversize);
    else {
      message.stream?.end();
      this.events.onReply(whole, message.isOversize);
    }
  }

  private checkRequestNumber(number: number): void {
    if (number !== this.nextRequest)
      throw new BlipProtocolError('number-out-of-order', `request ${number} where ${this.nextRequest} is next`);
    this.nextRequest++;
  }

  private readonly openBody = (message: IncomingMessage): number | BodyStream => {
    const properties = message.properties!;
    if (!message.isReply) return this.limitFor(properties);
    return this.events.streamReply(message.number, message.type, properties) ?? this.limits.replyBytes;
  };

  private limitFor(requestProperties: Properties): number {
    const { bodyBytesByProfile, bodyBytes } = this.limits;
    const profile = requestProperties.get('Profile');
    if (profile === undefined || !Object.hasOwn(bodyBytesByProfile, profile)) return bodyBytes;
    return bodyBytesByProfile[profile]!;
  }
}
