import type { Scheduler } from '@edgesync/async';
import { CloseCode } from '../protocol-error.js';
import type { Transport, TransportReceiver } from '../transport.js';

export interface LoopbackOptions {
  readonly scheduler: Scheduler;
  /** Time that a frame is on the way. Default 0. */
  readonly latencyMs?: number;
  /** Bytes that may be on the way in one direction, at least one frame; the rest is buffered. Default 64 KiB. */
  readonly inFlightBytes?: number;
}

/** Two connected transports in one process. */
export function loopbackPair(options: LoopbackOptions): [LoopbackTransport, LoopbackTransport] {
  const left = new LoopbackTransport(options);
  const right = new LoopbackTransport(options);
  left.connect(right);
  right.connect(left);
  return [left, right];
}

/** One end of a link with latency and a limited number of bytes on the way. */
export class LoopbackTransport implements Transport {
  private peer!: LoopbackTransport;
  private receiver: TransportReceiver | undefined;
  /** Events that came before the receiver. */
  private readonly early: ((receiver: TransportReceiver) => void)[] = [];
  private readonly buffer: Uint8Array[] = [];
  private inFlight = 0;
  private afterBuffer: (() => void) | undefined;
  private isClosing = false;
  private isEnded = false;
  bufferedBytes = 0;

  constructor(private readonly options: LoopbackOptions) {}

  /** Names the other end. */
  connect(peer: LoopbackTransport): void {
    this.peer = peer;
  }

  get congested(): boolean {
    return this.bufferedBytes > 0;
  }

  attach(receiver: TransportReceiver): void {
    this.later(0, () => {
      this.receiver = receiver;
      for (const event of this.early.splice(0)) event(receiver);
    });
  }

  send(frame: Uint8Array): void {
    if (this.isClosing || this.isEnded) return;
    this.bufferedBytes += frame.length;
    this.buffer.push(frame);
    this.transmit();
  }

  close(code: number, reason: string): void {
    if (this.isClosing || this.isEnded) return;
    this.isClosing = true;
    const sendClose = (): void =>
      this.later(this.latencyMs, () => {
        this.peer.endWith(code, reason);
        this.later(this.latencyMs, () => this.endWith(code, reason));
      });
    if (this.buffer.length === 0) sendClose();
    else this.afterBuffer = sendClose;
  }

  terminate(): void {
    this.later(0, () => this.endWith(CloseCode.lost, ''));
    this.later(this.latencyMs, () => this.peer.endWith(CloseCode.lost, ''));
  }

  private get latencyMs(): number {
    return this.options.latencyMs ?? 0;
  }

  private transmit(): void {
    const limit = this.options.inFlightBytes ?? 64 * 1024;
    while (this.buffer.length > 0 && (this.inFlight === 0 || this.inFlight < limit)) {
      const frame = this.buffer.shift()!;
      this.bufferedBytes -= frame.length;
      this.inFlight += frame.length;
      this.later(this.latencyMs, () => this.deliver(frame));
    }
    if (this.buffer.length > 0) return;
    this.afterBuffer?.();
    this.afterBuffer = undefined;
  }

  private deliver(frame: Uint8Array): void {
    const { length } = frame;
    this.peer.receive((receiver) => receiver.onFrame(frame));
    this.inFlight -= length;
    const hadBuffer = this.bufferedBytes > 0;
    this.transmit();
    if (hadBuffer && this.bufferedBytes === 0) this.receive((receiver) => receiver.onDrain());
  }

  private endWith(code: number, reason: string): void {
    if (this.isEnded) return;
    this.receive((receiver) => receiver.onClose(code, reason));
    this.isEnded = true;
  }

  private receive(event: (receiver: TransportReceiver) => void): void {
    if (this.isEnded) return;
    if (this.receiver) event(this.receiver);
    else this.early.push(event);
  }

  private later(delayMs: number, callback: () => void): void {
    this.options.scheduler.schedule(delayMs, callback);
  }
}
