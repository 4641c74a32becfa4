import type { Transport, TransportReceiver } from '@edgesync/blip';

/**
 * Carries frames for as long as this process may. A process that was stopped and goes on after its time neither sends
 * nor takes one more frame, whatever it was in the middle of.
 */
export class OwnedTransport implements Transport {
  /** @param isOwner whether this process may go on at this moment */
  constructor(
    private readonly transport: Transport,
    private readonly isOwner: () => boolean,
  ) {}

  get bufferedBytes(): number {
    return this.transport.bufferedBytes;
  }

  get congested(): boolean {
    return this.transport.congested;
  }

  attach(receiver: TransportReceiver): void {
    this.transport.attach({
      onFrame: (frame) => (this.isOwner() ? receiver.onFrame(frame) : this.transport.terminate()),
      onDrain: () => receiver.onDrain(),
      onClose: (code, reason) => receiver.onClose(code, reason),
    });
  }

  send(frame: Uint8Array): void {
    if (this.isOwner()) this.transport.send(frame);
    else this.transport.terminate();
  }

  close(code: number, reason: string): void {
    this.transport.close(code, reason);
  }

  terminate(): void {
    this.transport.terminate();
  }
}
