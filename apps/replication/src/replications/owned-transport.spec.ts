import { expect, it } from 'vitest';
import type { Transport, TransportReceiver } from '@edgesync/blip';
import { OwnedTransport } from './owned-transport.js';

/** Remembers what it was told. */
class Recorder implements Transport, TransportReceiver {
  readonly bufferedBytes = 0;
  readonly congested = false;
  readonly told: string[] = [];
  receiver: TransportReceiver | undefined;

  send = (): void => void this.told.push('send');
  attach = (receiver: TransportReceiver): void => void (this.receiver = receiver);
  close = (): void => void this.told.push('close');
  terminate = (): void => void this.told.push('terminate');
  onFrame = (): void => void this.told.push('frame');
  onDrain = (): void => void this.told.push('drain');
  onClose = (): void => void this.told.push('closed');
}

it('carries frames both ways while the process owns the replication, and not one more', () => {
  const below = new Recorder();
  const above = new Recorder();
  let isOwner = true;
  const transport = new OwnedTransport(below, () => isOwner);
  transport.attach(above);
  transport.send(Uint8Array.of(1));
  below.receiver!.onFrame(Uint8Array.of(2));
  expect([below.told, above.told]).toEqual([['send'], ['frame']]);
  isOwner = false;
  transport.send(Uint8Array.of(1));
  below.receiver!.onFrame(Uint8Array.of(2));
  below.receiver!.onClose(1006, '');
  expect([below.told, above.told]).toEqual([
    ['send', 'terminate', 'terminate'],
    ['frame', 'closed'],
  ]);
});
