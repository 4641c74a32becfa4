import { FrameFlag, type BlipErrorInfo, type BlipMessage, MessageType, type ReplyInit } from './message.js';
import { Properties } from './properties.js';
import { errorReplyContent } from './replies.js';

/** A request from the peer, complete, waiting for its one answer. */
export interface IncomingRequest extends BlipMessage {
  /** The `Profile` property, or an empty string. */
  readonly profile: string;
  /** Whether an answer was given. Always true for a request that wants none. */
  readonly answered: boolean;
  /**
   * Answers with a response. Does nothing for a request without reply or after the connection has ended.
   * @throws {Error} when the request was answered before
   * @throws {TypeError} when the properties cannot be sent; the request is then still unanswered
   */
  respond(reply?: ReplyInit): void;
  /** Answers with an error, otherwise like {@link respond}. */
  respondError(error: BlipErrorInfo): void;
}

/**
 * Handles one request. It answers now or later through the request. When it throws, or its promise rejects, before it
 * answered, the peer gets the fault as the connection's `mapError` translates it.
 */
export type RequestHandler = (request: IncomingRequest) => void | Promise<void>;

/** Takes the one answer to a request. */
export interface ReplySink {
  reply(request: PeerRequest, flags: number, reply: ReplyInit): void;
}

/** The request object that handlers get. */
export class PeerRequest implements IncomingRequest {
  readonly type = MessageType.request;
  readonly number: number;
  readonly properties: Properties;
  readonly body: Uint8Array;
  readonly urgent: boolean;
  readonly noReply: boolean;
  readonly compressed: boolean;
  readonly profile: string;
  answered: boolean;

  constructor(
    message: BlipMessage,
    private readonly sink: ReplySink,
  ) {
    this.number = message.number;
    this.properties = message.properties;
    this.body = message.body;
    this.urgent = message.urgent;
    this.noReply = message.noReply;
    this.compressed = message.compressed;
    this.profile = message.properties.get('Profile') ?? '';
    this.answered = message.noReply;
  }

  respond(reply: ReplyInit = NO_REPLY_CONTENT): void {
    this.answer(MessageType.response, reply);
  }

  respondError(error: BlipErrorInfo): void {
    this.answer(MessageType.error, errorReplyContent(error));
  }

  private answer(type: MessageType, reply: ReplyInit): void {
    if (this.noReply) return;
    if (this.answered) throw new Error(`request ${this.number} (${this.profile}) is answered twice`);
    const urgent = reply.urgent ?? this.urgent;
    this.sink.reply(this, urgent ? type | FrameFlag.urgent : type, reply);
    this.answered = true;
  }
}

const NO_REPLY_CONTENT: ReplyInit = { properties: Properties.none };

/** Answers BLIP/404 (docs/protocol/blip.md#error-replies). */
export function refuseUnknownProfile(request: IncomingRequest): void {
  request.respondError({ domain: 'BLIP', code: 404, message: `no handler for profile '${request.profile}'` });
}
