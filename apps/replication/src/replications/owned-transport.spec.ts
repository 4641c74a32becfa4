import { expect, it } from 'vitest';
import type { Transport, TransportReceiver } from '@edgesync/blip';
import { OwnedTransport } from './owned-transport.js';

/** Records calls. */
class Recorder implements Transport, TransportReceiver {
  readonly bufferedBytes = 0;
  readonly congested = false;
  readonly calls: string[] = [];
  receiver: TransportReceiver | undefined;

  send = (): void => void this.calls.push('send');
  attach = (receiver: TransportReceiver): void => void (this.receiver = receiver);
  close = (): void => void this.calls.push('close');
  terminate = (): void => void this.calls.push('terminate');
  onFrame = (): void => void this.calls.push('frame');
  onDrain = (): void => void this.calls.push('drain');
  onClose = (): void => void this.calls.push('closed');
}

it('carries frames both ways while the process owns the replication, and not one more', () => {
  const below = new Recorder();
  const above = new Recorder();
  let isOwner = true;
  const transport = new OwnedTransport(below, () => isOwner);
  transport.attach(above);
  transport.send(Uint8Array.of(1));
  below.receiver!.onFrame(Uint8Array.of(2));
  expect([below.calls, above.calls]).toEqual([['send'], ['frame']]);
  isOwner = false;
  transport.send(Uint8Array.of(1));
  below.receiver!.onFrame(Uint8Array.of(2));
  below.receiver!.onClose(1006, '');
  expect([below.calls, above.calls]).toEqual([
    ['send', 'terminate', 'terminate'],
    ['frame', 'closed'],
  ]);
});
