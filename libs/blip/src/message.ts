import type { Properties } from './properties.js';

/** Message types as they stand in the low three bits of a frame's flags (docs/protocol/blip.md#frames). */
export const MessageType = {
  request: 0,
  response: 1,
  error: 2,
  ackRequest: 4,
  ackResponse: 5,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** Flag bits of a frame beside its type (docs/protocol/blip.md#frames). */
export const FrameFlag = {
  typeMask: 0x07,
  compressed: 0x08,
  urgent: 0x10,
  noReply: 0x20,
  moreComing: 0x40,
} as const;

/** A whole message as it came in. Its body owns its memory and may be kept. */
export interface BlipMessage {
  readonly type: MessageType;
  /** Number of the request in its sender's numbering; a reply carries the number of the request it answers. */
  readonly number: number;
  readonly properties: Properties;
  readonly body: Uint8Array;
  readonly urgent: boolean;
  readonly noReply: boolean;
  /** Whether the first frame came compressed. Says nothing about the body, which is always plain. */
  readonly compressed: boolean;
}

/** An outgoing body. Chunks of an iterable are pulled only as fast as the peer takes them. */
export type OutgoingBody = Uint8Array | AsyncIterable<Uint8Array>;

/** A request to send. `properties` holds `Profile`. The bytes must not change before the message is sent. */
export interface RequestInit {
  readonly properties: Properties;
  readonly body?: OutgoingBody;
  /** Overtakes messages that are not urgent (docs/protocol/blip.md#scheduling). */
  readonly urgent?: boolean;
  /** Worth compressing; the connection's compression policy has the last word. */
  readonly compressed?: boolean;
}

/** A reply to send. `urgent` defaults to the request's. */
export interface ReplyInit {
  readonly properties?: Properties;
  readonly body?: OutgoingBody;
  readonly urgent?: boolean;
  readonly compressed?: boolean;
}

/** Domain and code of an error reply (docs/protocol/blip.md#error-replies) with its human-readable message. */
export interface BlipErrorInfo {
  /** `HTTP` for everything that a Couchbase Lite client should survive. */
  readonly domain: string;
  readonly code: number;
  readonly message: string;
}

/** The peer's answer to a request. */
export interface BlipReply {
  readonly properties: Properties;
  readonly body: Uint8Array;
  /** Set when the peer answered with an error. */
  readonly error?: BlipErrorInfo;
}

/** The peer's answer to a request whose body is taken as a stream. */
export interface StreamedReply {
  readonly properties: Properties;
  readonly error?: BlipErrorInfo;
  /**
   * The body in order. It can be iterated once; the peer is slowed down to the speed of the reader. Leaving the
   * loop early discards the rest. Throws {@link BlipClosedError} when the connection ends before the body does.
   */
  readonly body: AsyncIterable<Uint8Array>;
}
