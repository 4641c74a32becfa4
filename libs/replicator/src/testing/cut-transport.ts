import type { Transport, TransportReceiver } from '@edgesync/blip';

/** A connection that is lost after so many frames, of both directions together. */
export class CutTransport implements Transport {
  constructor(
    private readonly transport: Transport,
    private framesLeft: number,
  ) {}

  get bufferedBytes(): number {
    return this.transport.bufferedBytes;
  }

  get congested(): boolean {
    return this.transport.congested;
  }

  attach(receiver: TransportReceiver): void {
    this.transport.attach({
      onFrame: (frame) => {
        if (this.pass()) receiver.onFrame(frame);
      },
      onDrain: () => receiver.onDrain(),
      onClose: (code, reason) => receiver.onClose(code, reason),
    });
  }

  send(frame: Uint8Array): void {
    if (this.pass()) this.transport.send(frame);
  }

  close(code: number, reason: string): void {
    this.transport.close(code, reason);
  }

  terminate(): void {
    this.transport.terminate();
  }

  /** Whether one more frame gets through. */
  private pass(): boolean {
    if (this.framesLeft-- > 0) return true;
    this.transport.terminate();
    return false;
  }
}
