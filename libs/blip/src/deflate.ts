import { constants, createDeflateRaw, createInflateRaw, crc32 as zlibCrc32 } from 'node:zlib';
import {
  DEFLATE_SETTINGS,
  type DeflateEngine,
  type FrameDeflater,
  type FrameInflater,
  MAX_INFLATED_FRAME_BYTES,
  SYNC_TRAILER,
} from './deflate-engine.js';
import { pakoEngine } from './deflate-pako.js';
import { BlipProtocolError } from './protocol-error.js';

/** Continues a CRC-32 (IEEE) over `bytes`; begin with 0 (docs/protocol/blip.md#checksums). */
export function crc32(bytes: Uint8Array, seed: number): number {
  return zlibCrc32(bytes, seed);
}

/**
 * The synchronous face of the handle inside Node's zlib streams, which `deflateRawSync` uses and which Node does not
 * document. It is the only way to keep a context across frames without a thread hop per frame;
 * docs/decisions/deflate-engine.md has the figures. {@link deflateEngineWorks} proves it before it is used.
 */
interface ZlibStreamInternals {
  readonly _handle: {
    onerror: (message: string, errno: number, code: string) => void;
    writeSync(
      flush: number,
      input: Uint8Array,
      inputOffset: number,
      inputLength: number,
      output: Uint8Array,
      outputOffset: number,
      outputLength: number,
    ): void;
  };
  /** After each write: bytes left of the output and of the input. */
  readonly _writeState: Uint32Array;
  on(event: 'error', listener: () => void): void;
  reset(): void;
  close(): void;
}

/** Every call runs to its end before the next one begins, so all contexts share one output buffer. */
const scratch = new Uint8Array(64 * 1024);

class NativeContext {
  private readonly stream: ZlibStreamInternals;
  private fault: string | undefined;

  constructor(stream: unknown) {
    this.stream = stream as ZlibStreamInternals;
    this.stream._handle.onerror = (message) => (this.fault = message);
    this.stream.on('error', () => {});
  }

  /** Runs `input` through the context. The result is valid until the next call on any context. */
  run(input: Uint8Array, maxBytes: number): Uint8Array {
    const { _handle: handle, _writeState: state } = this.stream;
    let earlier: Uint8Array[] | undefined;
    let earlierBytes = 0;
    let consumed = 0;
    for (;;) {
      handle.writeSync(constants.Z_SYNC_FLUSH, input, consumed, input.length - consumed, scratch, 0, scratch.length);
      if (this.fault !== undefined) throw new BlipProtocolError('inflate-failed', `a compressed frame: ${this.fault}`);
      const outputLeft = state[0]!;
      consumed = input.length - state[1]!;
      if (outputLeft > 0) break;
      earlierBytes += scratch.length;
      if (earlierBytes > maxBytes)
        throw new BlipProtocolError('message-too-large', 'a frame that inflates to more than any legal one');
      (earlier ??= []).push(scratch.slice());
    }
    if (consumed < input.length)
      throw new BlipProtocolError('inflate-failed', 'a compressed frame that ends the deflate stream');
    const last = scratch.subarray(0, scratch.length - state[0]!);
    return earlier ? concatenate([...earlier, last], earlierBytes + last.length) : last;
  }

  reset(): void {
    this.stream.reset();
  }

  close(): void {
    this.stream.close();
  }
}

class NativeDeflater implements FrameDeflater {
  // The stream's own output buffer is not used: make it as small as Node allows.
  private readonly context = new NativeContext(createDeflateRaw({ ...DEFLATE_SETTINGS, chunkSize: 64 }));

  deflate(payload: Uint8Array): Uint8Array {
    const deflated = this.context.run(payload, Infinity);
    return deflated.subarray(0, deflated.length - SYNC_TRAILER.length);
  }

  reset(): void {
    this.context.reset();
  }

  close(): void {
    this.context.close();
  }
}

class NativeInflater implements FrameInflater {
  private readonly context = new NativeContext(createInflateRaw({ windowBits: 15, chunkSize: 64 }));

  inflate(bodyWithTrailer: Uint8Array): Uint8Array {
    return this.context.run(bodyWithTrailer, MAX_INFLATED_FRAME_BYTES);
  }

  close(): void {
    this.context.close();
  }
}

/** Node's zlib, driven synchronously. */
export const nativeEngine: DeflateEngine = {
  name: 'native',
  createDeflater: () => new NativeDeflater(),
  createInflater: () => new NativeInflater(),
};

/** Whether an engine round-trips frames through one context, large ones too, and refuses rubbish. */
export function deflateEngineWorks(engine: DeflateEngine): boolean {
  try {
    const deflater = engine.createDeflater();
    const inflater = engine.createInflater();
    const small = Uint8Array.from({ length: 700 }, (_, i) => (i * i) % 251);
    const large = new Uint8Array(3 * scratch.length).fill(7);
    const sizes = [small, small, large, small].map((payload) => {
      const deflated = deflater.deflate(payload).slice();
      const inflated = inflater.inflate(concatenate([deflated, SYNC_TRAILER], deflated.length + SYNC_TRAILER.length));
      if (inflated.length !== payload.length || inflated.some((byte, i) => byte !== payload[i])) throw new Error();
      return deflated.length;
    });
    const historyIsUsed = sizes[1]! < sizes[0]! / 4;
    return historyIsUsed && refusesRubbish(inflater);
  } catch {
    return false;
  }
}

function refusesRubbish(inflater: FrameInflater): boolean {
  try {
    inflater.inflate(new Uint8Array(64).fill(0xff));
    return false;
  } catch (error) {
    return error instanceof BlipProtocolError;
  } finally {
    inflater.close();
  }
}

let chosen: DeflateEngine | undefined;

/** The engine in use: the native one if it works on this runtime. */
export function deflateEngine(): DeflateEngine {
  return (chosen ??= deflateEngineWorks(nativeEngine) ? nativeEngine : pakoEngine);
}

function concatenate(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
