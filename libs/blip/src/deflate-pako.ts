import { Deflate, Inflate } from 'pako';
import { ByteCollector, NO_BYTES } from './byte-pool.js';
import {
  DEFLATE_SETTINGS,
  type DeflateEngine,
  type FrameDeflater,
  type FrameInflater,
  MAX_INFLATED_FRAME_BYTES,
  SYNC_TRAILER,
} from './deflate-engine.js';
import { BlipProtocolError } from './protocol-error.js';

const Z_SYNC_FLUSH = 2;

/** Deflate in plain JavaScript: runs everywhere, at an eighth to a half of the native speed. */
export const pakoEngine: DeflateEngine = {
  name: 'pako',
  createDeflater: () => new PakoDeflater(),
  createInflater: () => new PakoInflater(),
};

class PakoDeflater implements FrameDeflater {
  private output: ByteCollector | undefined;
  private context = this.createContext();

  deflate(payload: Uint8Array): Uint8Array {
    const output = (this.output = new ByteCollector());
    this.context.push(payload, Z_SYNC_FLUSH);
    return output.bytes.subarray(0, output.length - SYNC_TRAILER.length);
  }

  reset(): void {
    this.context = this.createContext();
  }

  close(): void {}

  private createContext(): Deflate {
    const context = new Deflate({ raw: true, ...DEFLATE_SETTINGS, chunkSize: 16 * 1024 });
    context.onData = (chunk) => this.output?.append(chunk);
    return context;
  }
}

class PakoInflater implements FrameInflater {
  private readonly context = new Inflate({ raw: true, windowBits: 15, chunkSize: 16 * 1024 });
  private output = new ByteCollector();

  constructor() {
    this.context.onData = (chunk) => {
      this.output.append(chunk);
      if (this.output.length > MAX_INFLATED_FRAME_BYTES)
        throw new BlipProtocolError('message-too-large', 'a frame that inflates to more than any legal one');
    };
  }

  inflate(bodyWithTrailer: Uint8Array): Uint8Array {
    if (bodyWithTrailer.length === 0) return NO_BYTES;
    this.output = new ByteCollector();
    this.context.push(bodyWithTrailer, Z_SYNC_FLUSH);
    if (this.context.err !== 0 || this.context.ended)
      throw new BlipProtocolError('inflate-failed', 'a compressed frame that is not deflate');
    return this.output.bytes;
  }

  close(): void {}
}
