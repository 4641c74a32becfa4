/**
 * Carries whole frames, in order, between two peers. One frame is one binary WebSocket message
 * (docs/protocol/connection.md#websocket-rules). Receivers are called from the event loop, never from inside `send`,
 * `attach` or `close`.
 */
export interface Transport {
  /** Takes over a frame. Never blocks and never throws; after the end of the connection it does nothing. */
  send(frame: Uint8Array): void;
  /** Bytes taken over that the network has not accepted yet. The receiver's `onDrain` is called when they are gone. */
  readonly bufferedBytes: number;
  /** Whether the network is slower than we are: bytes of an earlier turn of the event loop still wait. */
  readonly congested: boolean;
  /** Names the one receiver. Frames that came earlier are held until then. */
  attach(receiver: TransportReceiver): void;
  /**
   * Closes: frames taken over go out first, then the close frame. `onClose` follows when the peer has answered
   * or the transport gave up waiting.
   */
  close(code: number, reason: string): void;
  /** Drops the connection at once, without a close frame. */
  terminate(): void;
}

/** The user of a transport. */
export interface TransportReceiver {
  /** One frame. The receiver may use and change the bytes until it returns. */
  onFrame(frame: Uint8Array): void;
  /** `bufferedBytes` has come down (to zero or near) after it was above zero. */
  onDrain(): void;
  /** The connection has ended; called once, nothing follows. Code 1006: lost without a close frame. */
  onClose(code: number, reason: string): void;
}
