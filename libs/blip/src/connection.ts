import type { Scheduler } from '@edgesync/async';
import { EdgeError } from '@edgesync/errors';
import type { BodyStream } from './body-stream.js';
import { NO_BYTES } from './byte-pool.js';
import type { CompressionPolicy } from './limits.js';
import { errorReplyOf } from './replies.js';
import { encodeAck } from './frame-encoder.js';
import type { RequestHandler } from './incoming-request.js';
import { type BlipLimits, DEFAULT_LIMITS } from './limits.js';
import {
  type BlipErrorInfo,
  type BlipMessage,
  type BlipReply,
  FrameFlag,
  MessageType,
  type RequestInit,
  type StreamedReply,
} from './message.js';
import { MessageReceiver } from './message-receiver.js';
import { MessageSender } from './message-sender.js';
import { type OutgoingMessage, outgoingMessage } from './outgoing-message.js';
import type { Properties } from './properties.js';
import { BlipClosedError, BlipProtocolError, CloseCode, type CloseInfo } from './protocol-error.js';
import { type ReplyExpectation, replyOf, StreamExpectation } from './replies.js';
import { RequestDispatcher } from './request-dispatcher.js';
import { StallWatchdog } from './stall-watchdog.js';
import type { Transport } from './transport.js';

export interface BlipConnectionOptions {
  /** Handles the peer's requests, in the order in which they became complete. */
  readonly onRequest: RequestHandler;
  readonly scheduler: Scheduler;
  /** Default `flagged`. */
  readonly compression?: CompressionPolicy;
  readonly limits?: Partial<BlipLimits>;
  /** Translates what a handler threw. Default: by the error catalogue. */
  readonly mapError?: (error: unknown) => BlipErrorInfo;
  /** Receives, for the log, errors of handlers that are not in the catalogue, and errors that ended the connection. */
  readonly onFault?: (error: unknown) => void;
}

/**
 * One BLIP conversation over one transport, from its first frame to its end (docs/protocol/blip.md). Both roles use it
 * alike.
 */
export class BlipConnection implements AsyncDisposable {
  /** How the connection ended. Never rejects. */
  readonly closed: Promise<CloseInfo>;

  private readonly limits: BlipLimits;
  private readonly sender: MessageSender;
  private readonly receiver: MessageReceiver;
  private readonly dispatcher: RequestDispatcher;
  private readonly watchdog: StallWatchdog;
  private readonly waiters = new Waiters();
  private readonly expectations = new Map<number, ReplyExpectation>();
  private lastRequest = 0;
  /** Memory of streams that wait for their readers. */
  private streamedBytes = 0;
  /** Set when the connection begins to end. */
  private ending: CloseInfo | undefined;
  private resolveClosed!: (info: CloseInfo) => void;

  constructor(
    private readonly transport: Transport,
    private readonly options: BlipConnectionOptions,
  ) {
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.limits = limits;
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
    this.sender = new MessageSender(transport, options.compression ?? 'flagged', {
      onSent: () => this.waiters.check(),
      onBodyFailed: (cause) => {
        options.onFault?.(cause);
        this.fail(new BlipProtocolError('body-source-failed', 'a body could not be read to its end'));
      },
    });
    const mapError = options.mapError ?? errorReplyOf;
    this.dispatcher = new RequestDispatcher(options.onRequest, mapError, {
      isOpen: () => this.isOpen,
      send: (reply) => this.enqueue(reply),
      onSettled: () => this.waiters.check(),
      onFault: (error) => options.onFault?.(error),
    });
    this.receiver = new MessageReceiver(limits, {
      onRequest: (request, isOversize) => this.dispatcher.dispatch(request, isOversize),
      onReply: (reply, isOversize) => this.handleReply(reply, isOversize),
      onAck: (number, ofReply, receivedBytes) => this.sender.acknowledge(number, ofReply, receivedBytes),
      sendAck: (number, ofReply, receivedBytes) => transport.send(encodeAck(number, ofReply, receivedBytes)),
      checkReply: (number) => this.checkReply(number),
      streamReply: (number, type, properties) => this.streamReply(number, type, properties),
    });
    this.watchdog = new StallWatchdog(this.sender, options.scheduler, limits.stallMs, () =>
      this.fail(new BlipProtocolError('peer-stalled', `nothing was taken for ${limits.stallMs} ms`)),
    );
    transport.attach({
      onFrame: (frame) => this.handleFrame(frame),
      onDrain: () => this.sender.pump(),
      onClose: (code, reason) => this.handleTransportClose(code, reason),
    });
  }

  /**
   * Sends a request. Resolves with the reply, also an error reply.
   * @throws {BlipClosedError} when the connection ends before the reply
   * @throws {TypeError} when the properties cannot be sent
   */
  request(request: RequestInit): Promise<BlipReply> {
    return new Promise((resolve, reject) => this.sendRequest(request, { resolve, reject }));
  }

  /** Like {@link request} without a promise: `onReply` gets undefined when the connection ends before the reply. */
  send(request: RequestInit, onReply: (reply: BlipReply | undefined) => void): void {
    this.sendRequest(request, { resolve: onReply, reject: () => onReply(undefined) });
  }

  /** Like {@link request}, handing the body over as it arrives. Resolves when the reply's properties are in. */
  requestStream(request: RequestInit): Promise<StreamedReply> {
    return new Promise((resolve, reject) => this.sendRequest(request, new StreamExpectation(resolve, reject)));
  }

  /** Sends a request that wants no reply. */
  notify(request: RequestInit): void {
    if (this.ending) return;
    const message = outgoingMessage(this.lastRequest + 1, MessageType.request | FrameFlag.noReply, request);
    this.lastRequest++;
    this.enqueue(message);
  }

  /** Bytes queued here and in the transport. Who sends many messages should pause above some tens of kilobytes. */
  get queuedBytes(): number {
    return this.sender.queuedBytes + this.transport.bufferedBytes;
  }

  /** Resolves when {@link queuedBytes} is below the given number, or the connection is ending. */
  whenQueuedBelow(bytes: number): Promise<void> {
    return this.waiters.when(() => !this.isOpen || this.queuedBytes < bytes);
  }

  /** Resolves when everything is sent and every request in both directions is answered, or the connection is ending. */
  whenIdle(): Promise<void> {
    return this.waiters.when(
      () =>
        !this.isOpen ||
        (this.sender.isIdle &&
          this.receiver.isIdle &&
          this.expectations.size === 0 &&
          this.dispatcher.unansweredRequests === 0 &&
          this.transport.bufferedBytes === 0),
    );
  }

  /** Whether the connection has not begun to end. */
  get isOpen(): boolean {
    return this.ending === undefined;
  }

  /** Closes, by default with 1000. Unsent messages are dropped, waiting requests rejected. Resolves when closed. */
  close(code: number = CloseCode.normal, reason = ''): Promise<CloseInfo> {
    if (this.isOpen) this.end({ code, reason, by: 'us' });
    return this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private sendRequest(request: RequestInit, expectation: ReplyExpectation): void {
    if (this.ending) {
      const error = new BlipClosedError(this.ending);
      queueMicrotask(() => expectation.reject(error));
      return;
    }
    const message = outgoingMessage(this.lastRequest + 1, MessageType.request, request);
    this.expectations.set(++this.lastRequest, expectation);
    this.enqueue(message);
  }

  private enqueue(message: OutgoingMessage): void {
    this.sender.send(message);
    this.watchdog.watch();
  }

  private handleFrame(frame: Uint8Array): void {
    if (this.ending) return;
    try {
      this.receiver.receive(frame);
      this.checkLimits();
    } catch (error) {
      if (error instanceof BlipProtocolError) this.fail(error);
      else this.fail(new BlipProtocolError('internal', 'internal error'), error);
    }
    this.waiters.check();
  }

  private checkLimits(): void {
    const { unansweredRequests, incomingBytes } = this.limits;
    const heldBytes = this.dispatcher.heldBytes + this.receiver.unfinishedBytes + this.streamedBytes;
    if (this.dispatcher.unansweredRequests > unansweredRequests || heldBytes > incomingBytes)
      throw new BlipProtocolError('too-many-unanswered', 'more requests than can be worked on');
  }

  private checkReply(number: number): void {
    if (!this.expectations.has(number))
      throw new BlipProtocolError('reply-unexpected', `a reply to request ${number}, which waits for none`);
  }

  private streamReply(number: number, type: MessageType, properties: Properties): BodyStream | undefined {
    if (type === MessageType.error) return undefined;
    return this.expectations.get(number)?.open?.(properties, (delta) => {
      this.streamedBytes += delta;
      const message = this.receiver.unfinishedReply(number);
      if (message && delta < 0) this.receiver.acknowledgeIfDue(message);
    });
  }

  private handleReply(message: BlipMessage, isOversize: boolean): void {
    const expectation = this.expectations.get(message.number);
    this.expectations.delete(message.number);
    const reply = replyOf(message);
    if (isOversize) Object.assign(reply, { body: NO_BYTES, error: errorReplyOf(new EdgeError('request.too-large')) });
    this.callBack(() => expectation?.resolve(reply));
  }

  /** Runs a callback of our user, whose faults are not ours. */
  private callBack(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.options.onFault?.(error);
    }
  }

  /** Ends the connection because of a fault, by default the one that the peer receives. */
  private fail(error: BlipProtocolError, cause: unknown = error): void {
    if (this.ending) return;
    this.options.onFault?.(cause);
    this.end({ code: error.closeCode, reason: error.message, by: 'us', error });
  }

  private end(info: CloseInfo): void {
    this.beginEnd(info);
    this.transport.close(info.code, info.reason);
  }

  private handleTransportClose(code: number, reason: string): void {
    if (!this.ending) this.beginEnd({ code, reason, by: code === CloseCode.lost ? 'lost' : 'peer' });
    this.resolveClosed(this.ending!);
  }

  private beginEnd(info: CloseInfo): void {
    this.ending = info;
    this.watchdog.stop();
    this.sender.close();
    this.receiver.close();
    const error = new BlipClosedError(info);
    const cutOff = [...this.expectations.values()];
    this.expectations.clear();
    for (const expectation of cutOff) this.callBack(() => expectation.reject(error));
    this.waiters.check();
  }
}

/** Promises that wait for conditions which someone else makes true. */
class Waiters {
  private waiting: { readonly isDone: () => boolean; readonly resolve: () => void }[] = [];

  /** Resolves when the condition holds at a {@link check}, at once if it does already. */
  when(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push({ isDone, resolve }));
  }

  /** To be called whenever a condition may have become true. */
  check(): void {
    if (this.waiting.length === 0) return;
    const done = this.waiting.filter((waiter) => waiter.isDone());
    if (done.length === 0) return;
    this.waiting = this.waiting.filter((waiter) => !done.includes(waiter));
    for (const waiter of done) waiter.resolve();
  }
}
