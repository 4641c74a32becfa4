/**
 * WebSocket close codes in use (docs/protocol/connection.md#close-codes). Couchbase Lite comes back by itself only
 * after 4001 or a lost connection; after every other code it stops.
 */
export const CloseCode = {
  /** Finished normally. */
  normal: 1000,
  /** The peer broke the rules of the protocol. */
  protocolError: 1002,
  /** The connection was lost without a close frame. Never sent. */
  lost: 1006,
  /** The peer went over a limit on purpose or by error. */
  policyViolation: 1008,
  /** A message is larger than we accept. */
  tooBig: 1009,
  /** Come back later: restart, overload, stalled connection. */
  transient: 4001,
  /** Stop for good. */
  permanent: 4002,
} as const;

const CLOSE_CODES = {
  'varint-malformed': CloseCode.protocolError,
  'frame-malformed': CloseCode.protocolError,
  'frame-too-large': CloseCode.tooBig,
  'checksum-mismatch': CloseCode.protocolError,
  'inflate-failed': CloseCode.protocolError,
  'properties-malformed': CloseCode.protocolError,
  'properties-too-large': CloseCode.tooBig,
  'number-out-of-order': CloseCode.protocolError,
  'reply-unexpected': CloseCode.protocolError,
  'ack-malformed': CloseCode.protocolError,
  'message-too-large': CloseCode.tooBig,
  'too-many-unfinished': CloseCode.policyViolation,
  'too-many-unanswered': CloseCode.transient,
  'peer-stalled': CloseCode.transient,
  'body-source-failed': CloseCode.transient,
  internal: CloseCode.transient,
} as const;

/** The rule of the protocol or of our limits that was broken. */
export type ProtocolRule = keyof typeof CLOSE_CODES;

/** A fault that ends the connection. It knows the close code that goes with it. */
export class BlipProtocolError extends Error {
  override readonly name = 'BlipProtocolError';
  readonly closeCode: number;

  constructor(
    readonly rule: ProtocolRule,
    message: string,
  ) {
    super(message);
    this.closeCode = CLOSE_CODES[rule];
  }
}

/** How a connection ended. */
export interface CloseInfo {
  readonly code: number;
  readonly reason: string;
  /** Which side began: `lost` when the connection broke without a close frame. */
  readonly by: 'us' | 'peer' | 'lost';
  /** The fault that made us close, if one did. */
  readonly error?: BlipProtocolError;
}

/** A request was cut off by the end of the connection, or was made after it. */
export class BlipClosedError extends Error {
  override readonly name = 'BlipClosedError';

  constructor(readonly info: CloseInfo) {
    super(`the connection closed with ${info.code}${info.reason && `: ${info.reason}`}`);
  }
}
