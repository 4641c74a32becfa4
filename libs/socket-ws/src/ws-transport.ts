import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { systemScheduler, type Scheduler } from '@edgesync/async';
import type { Transport, TransportReceiver } from '@edgesync/blip';
import { WebSocket } from 'ws';
import { DEFAULT_SOCKET_TUNING, type SocketTuning } from './tuning.js';

export interface WsTransportOptions {
  readonly scheduler?: Scheduler;
  readonly tuning?: Partial<SocketTuning>;
}

/** A close frame has room for 125 bytes, two of which are the code. */
const MAX_REASON_BYTES = 123;

const SEND_OPTIONS = { binary: true, compress: false };

/** Carries BLIP frames over an open WebSocket, one per binary message (docs/protocol/connection.md#websocket-rules). */
export class WsTransport implements Transport {
  private readonly tuning: SocketTuning;
  private readonly scheduler: Scheduler;
  private readonly keepAlive: KeepAlive;
  private receiver: TransportReceiver | undefined;
  private closedBefore: { code: number; reason: string } | undefined;
  private isCorked = false;
  /** Whether bytes were left over from an earlier turn when this one's first frame came. */
  private hadLeftovers = false;
  private isDraining = false;
  private cancelCloseTimer: (() => void) | undefined;

  /**
   * @param socket an open WebSocket without extensions
   * @param wire the connection beneath it
   */
  constructor(
    private readonly socket: WebSocket,
    private readonly wire: Duplex,
    options: WsTransportOptions = {},
  ) {
    this.scheduler = options.scheduler ?? systemScheduler;
    this.tuning = { ...DEFAULT_SOCKET_TUNING, ...options.tuning };
    this.keepAlive = new KeepAlive(
      this.scheduler,
      this.tuning.pingIntervalMs,
      () => this.ping(),
      () => this.terminate(),
    );
    socket.binaryType = 'nodebuffer';
    socket.pause();
    socket.on('message', (data, isBinary) => this.handleMessage(data as Buffer, isBinary));
    socket.on('ping', () => this.keepAlive.noteTraffic());
    socket.on('pong', () => this.keepAlive.noteTraffic());
    // A close event follows every error and says all that matters.
    socket.on('error', () => {});
    socket.on('close', (code, reason) => this.handleClose(code, reason.toString()));
  }

  /** The sub-protocol both sides agreed on. */
  get protocol(): string {
    return this.socket.protocol;
  }

  /** Bytes that went over the connection since it was made, its handshake included. */
  get wireBytes(): { readonly sent: number; readonly received: number } {
    const { bytesWritten = 0, bytesRead = 0 } = this.wire as Partial<Socket>;
    return { sent: bytesWritten, received: bytesRead };
  }

  get bufferedBytes(): number {
    return this.socket.bufferedAmount;
  }

  get congested(): boolean {
    return this.isCorked ? this.hadLeftovers : this.wire.writableLength > 0;
  }

  attach(receiver: TransportReceiver): void {
    this.receiver = receiver;
    const { closedBefore } = this;
    if (closedBefore) setImmediate(() => receiver.onClose(closedBefore.code, closedBefore.reason));
    else setImmediate(() => this.socket.resume());
  }

  send(frame: Uint8Array): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    if (!this.isCorked) this.cork();
    this.isDraining = true;
    this.socket.send(frame, SEND_OPTIONS, this.handleWritten);
  }

  close(code: number, reason: string): void {
    if (this.socket.readyState !== WebSocket.OPEN) return;
    this.socket.close(code, shorten(reason));
    this.uncork();
    // The answer can only be seen by a socket that is read.
    this.socket.resume();
    this.cancelCloseTimer = this.scheduler.schedule(this.tuning.closeTimeoutMs, () => this.socket.terminate());
  }

  terminate(): void {
    this.socket.terminate();
  }

  /** Frames of one turn of the event loop leave in one system call. */
  private cork(): void {
    this.hadLeftovers = this.wire.writableLength > 0;
    this.isCorked = true;
    this.wire.cork();
    process.nextTick(this.uncork);
  }

  private readonly uncork = (): void => {
    if (!this.isCorked) return;
    this.isCorked = false;
    this.wire.uncork();
  };

  private readonly handleWritten = (): void => {
    if (!this.isDraining || this.bufferedBytes > 0) return;
    this.isDraining = false;
    this.receiver?.onDrain();
  };

  private ping(): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.ping();
  }

  private handleMessage(data: Buffer, isBinary: boolean): void {
    this.keepAlive.noteTraffic();
    if (isBinary) this.receiver?.onFrame(data);
  }

  private handleClose(code: number, reason: string): void {
    this.keepAlive.stop();
    this.cancelCloseTimer?.();
    if (this.receiver) this.receiver.onClose(code, reason);
    else this.closedBefore = { code, reason };
  }
}

/** Cuts a reason to what fits into a close frame, not within a character. */
function shorten(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= MAX_REASON_BYTES) return reason;
  let end = MAX_REASON_BYTES;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}

/**
 * Notices a peer that is gone without a close frame. Every interval in which nothing was received ends with a ping; when
 * the next one stays silent, too, the peer is dead.
 */
class KeepAlive {
  private received = true;
  private isPinged = false;
  private cancelTimer: () => void;

  constructor(
    private readonly scheduler: Scheduler,
    private readonly intervalMs: number,
    private readonly ping: () => void,
    private readonly onDead: () => void,
  ) {
    this.cancelTimer = scheduler.schedule(intervalMs, this.look);
  }

  /** Something came from the peer, if only a pong. */
  noteTraffic(): void {
    this.received = true;
  }

  stop(): void {
    this.cancelTimer();
  }

  private readonly look = (): void => {
    if (this.isPinged && !this.received) {
      this.onDead();
      return;
    }
    this.isPinged = !this.received;
    if (this.isPinged) this.ping();
    this.received = false;
    this.cancelTimer = this.scheduler.schedule(this.intervalMs, this.look);
  };
}
