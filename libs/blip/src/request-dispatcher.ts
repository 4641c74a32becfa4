import { EdgeError, isEdgeError } from '@edgesync/errors';
import { errorReplyContent } from './replies.js';
import { PeerRequest, type ReplySink, type RequestHandler } from './incoming-request.js';
import { type BlipErrorInfo, type BlipMessage, FrameFlag, MessageType, type ReplyInit } from './message.js';
import { type OutgoingMessage, outgoingMessage } from './outgoing-message.js';

/** The dispatcher's view of its connection. */
export interface DispatcherEvents {
  isOpen(): boolean;
  send(reply: OutgoingMessage): void;
  /** A request is done with. */
  onSettled(): void;
  onFault(error: unknown): void;
}

/** Brings requests to their handler, sees to it that each gets one answer, and counts those that have none yet. */
export class RequestDispatcher implements ReplySink {
  unansweredRequests = 0;
  /** Memory of the bodies of unanswered requests. */
  heldBytes = 0;

  constructor(
    private readonly handler: RequestHandler,
    private readonly mapError: (error: unknown) => BlipErrorInfo,
    private readonly events: DispatcherEvents,
  ) {}

  /** @param isOversize the body was dropped because it was larger than allowed */
  dispatch(message: BlipMessage, isOversize: boolean): void {
    if (!this.events.isOpen()) return;
    const request = new PeerRequest(message, this);
    if (!request.noReply) this.takeOn(request);
    if (isOversize) {
      this.handleFailure(request, new EdgeError('request.too-large'));
      return;
    }
    try {
      const handling = this.handler(request);
      if (handling) this.awaitHandler(request, handling);
    } catch (error) {
      this.handleFailure(request, error);
    }
  }

  reply(request: PeerRequest, flags: number, reply: ReplyInit): void {
    if (!this.events.isOpen()) return;
    const message = outgoingMessage(request.number, flags, reply);
    if (message.complete) {
      this.events.send(message);
      this.settle(request);
    } else void this.replyWithStream(request, message);
  }

  private awaitHandler(request: PeerRequest, handling: Promise<void>): void {
    if (request.noReply) this.takeOn(request);
    handling
      .catch((error: unknown) => this.handleFailure(request, error))
      .finally(() => {
        if (request.noReply) this.settle(request);
      });
  }

  private handleFailure(request: PeerRequest, error: unknown): void {
    if (request.answered || !isEdgeError(error)) this.events.onFault(error);
    if (!request.answered) request.respondError(this.mapError(error));
  }

  /** Until its first piece is there, a body that cannot be read can still be answered with an error. */
  private async replyWithStream(request: PeerRequest, message: OutgoingMessage): Promise<void> {
    let reply = message;
    try {
      await message.pull();
    } catch (error) {
      if (!isEdgeError(error)) this.events.onFault(error);
      const urgency = request.urgent ? FrameFlag.urgent : 0;
      reply = outgoingMessage(request.number, MessageType.error | urgency, errorReplyContent(this.mapError(error)));
    }
    if (!this.events.isOpen()) {
      message.cancel();
      return;
    }
    this.events.send(reply);
    this.settle(request);
  }

  private takeOn(request: PeerRequest): void {
    this.unansweredRequests++;
    this.heldBytes += request.body.length;
  }

  private settle(request: PeerRequest): void {
    this.unansweredRequests--;
    this.heldBytes -= request.body.length;
    this.events.onSettled();
  }
}
