import type { BlipErrorInfo, BlipMessage, ReplyInit } from './message.js';

/** A request from the peer, complete, waiting for its one answer. */
export interface IncomingRequest extends BlipMessage {
  /** The `Profile` property, or an empty string. */
  readonly profile: string;
  /** Whether an answer was given (or never will be, for a request without reply). */
  readonly answered: boolean;
  /**
   * Answers with a response. Does nothing for a request without reply or after the connection has ended.
   * @throws {Error} when the request was answered before
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
