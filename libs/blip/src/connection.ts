import type { CompressionPolicy } from './compression-policy.js';
import type { RequestHandler } from './incoming-request.js';
import type { BlipLimits } from './limits.js';
import type { BlipErrorInfo, BlipReply, RequestInit, StreamedReply } from './message.js';
import type { CloseInfo } from './protocol-error.js';
import type { Scheduler, Transport } from './transport.js';

export interface BlipConnectionOptions {
  /** Handles the peer's requests, in the order in which they became complete. */
  readonly onRequest: RequestHandler;
  readonly scheduler: Scheduler;
  /** Default `flagged`. */
  readonly compression?: CompressionPolicy;
  readonly limits?: Partial<BlipLimits>;
  /** Translates what a handler threw. Default: by the error catalogue. */
  readonly mapError?: (error: unknown) => BlipErrorInfo;
  /** Told about faults of handlers and about protocol faults, for the log. */
  readonly onFault?: (error: unknown) => void;
}

/** One BLIP conversation over one transport, from its first frame to its end (wire B). */
export declare class BlipConnection implements AsyncDisposable {
  constructor(transport: Transport, options: BlipConnectionOptions);

  /** Sends a request. Resolves with the reply, also an error reply; rejects with BlipClosedError when the connection ends first. */
  request(request: RequestInit): Promise<BlipReply>;
  /** Like {@link request} without a promise: `onReply` gets undefined when the connection ends first. */
  send(request: RequestInit, onReply: (reply: BlipReply | undefined) => void): void;
  /** Like {@link request}, handing the reply's body over as it arrives. Resolves when the reply's properties are in. */
  requestStream(request: RequestInit): Promise<StreamedReply>;
  /** Sends a request that wants no reply. */
  notify(request: RequestInit): void;

  /** Bytes queued here and in the transport. Producers of many messages should pause above some tens of kilobytes. */
  readonly queuedBytes: number;
  /** Resolves when {@link queuedBytes} is below the given number, or the connection has ended. */
  whenQueuedBelow(bytes: number): Promise<void>;
  /** Resolves when everything queued is sent and every request in both directions is answered, or the connection has ended. */
  whenIdle(): Promise<void>;

  /** Whether the connection has not begun to close. */
  readonly isOpen: boolean;
  /** How the connection ended. Never rejects. */
  readonly closed: Promise<CloseInfo>;
  /** Closes with 1000 unless told otherwise. Resolves when closed. Unsent messages are dropped. */
  close(code?: number, reason?: string): Promise<CloseInfo>;
  [Symbol.asyncDispose](): Promise<void>;
}
