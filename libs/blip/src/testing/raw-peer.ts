import type { DecodedFrame } from '../frame-decoder.js';
import { FrameDecoder } from '../frame-decoder.js';
import { FrameEncoder } from '../frame-encoder.js';
import type { LoopbackTransport } from './loopback-transport.js';
import { FrameFlag } from '../message.js';
import { Properties } from '../properties.js';
import { concatBytes, fromText } from './bytes.js';

/** A peer that keeps no rules: it sends the given frames and records what it gets. */
export class RawPeer {
  readonly frames: DecodedFrame[] = [];
  closedWith: { code: number; reason: string } | undefined;
  private readonly encoder = new FrameEncoder();
  private readonly decoder = new FrameDecoder();

  constructor(readonly transport: LoopbackTransport) {
    transport.attach({
      onFrame: (bytes) => {
        const frame = this.decoder.decode(bytes);
        this.frames.push(frame.kind === 'message' ? { ...frame, payload: frame.payload.slice() } : frame);
      },
      onDrain: () => {},
      onClose: (code, reason) => (this.closedWith = { code, reason }),
    });
  }

  /** Sends one frame with a correct checksum. */
  sendPayload(number: number, flags: number, payload: Uint8Array): void {
    const source = { takeInto: (target: Uint8Array, at: number) => target.set(payload, at) };
    const compress = (flags & FrameFlag.compressed) !== 0;
    this.transport.send(this.encoder.encode(number, flags & ~FrameFlag.compressed, source, payload.length, compress));
  }

  /** Sends a message of one frame. */
  sendMessage(number: number, flags: number, properties: Record<string, string> = {}, body = ''): void {
    this.sendPayload(number, flags, concatBytes(Properties.from(properties).encode(), fromText(body)));
  }

  /** Sends bytes as they are. */
  sendBytes(...bytes: number[]): void {
    this.transport.send(Uint8Array.from(bytes));
  }
}
