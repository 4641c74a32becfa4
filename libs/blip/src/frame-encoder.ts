import { allocateBytes } from './byte-pool.js';
import { crc32 } from './deflate.js';
import { DeflaterPool } from './deflater-pool.js';
import { FrameFlag, MessageType } from './message.js';
import { varintSize, writeVarint } from './varint.js';

/** Bytes of the checksum behind every frame except ACKs. */
export const CHECKSUM_BYTES = 4;

/** Total size of a frame (docs/protocol/blip.md#scheduling). */
export const MAX_FRAME_BYTES = 16 * 1024;
/** Total size of a frame while an urgent message waits behind it. */
export const SMALL_FRAME_BYTES = 4 * 1024;

/**
 * Bytes that deflate may add to data that does not compress: five per stored block of at least 2 KiB, and five for the
 * flush, with a wide margin.
 */
const DEFLATE_EXPANSION_BYTES = 256;

/** Something that a frame takes its payload from. */
export interface PayloadSource {
  /** Copies the next `count` bytes to `target` at `at`. */
  takeInto(target: Uint8Array, at: number, count: number): void;
}

const sharedPool = new DeflaterPool<FrameEncoder>();

/** Every payload is used up before the next one is assembled, so that all connections share one place for it. */
const assembly = new Uint8Array(MAX_FRAME_BYTES);

/**
 * Encodes the frames of one direction of one connection, in the order in which they must be sent
 * (docs/protocol/blip.md#frames, docs/protocol/blip.md#checksums, docs/protocol/blip.md#compression).
 */
export class FrameEncoder {
  private checksum = 0;

  constructor(private readonly deflaters: DeflaterPool<FrameEncoder> = sharedPool) {}

  /** The most payload that a frame of `frameBytes` may take. */
  static payloadCapacity(messageNumber: number, frameBytes: number, compress: boolean): number {
    const overhead = varintSize(messageNumber) + 1 + CHECKSUM_BYTES;
    return frameBytes - overhead - (compress ? DEFLATE_EXPANSION_BYTES : 0);
  }

  /**
   * One frame with the next `payloadBytes` of `source`. The flag `compressed` is set here.
   * @param flags type and flags of the frame
   */
  encode(
    messageNumber: number,
    flags: number,
    source: PayloadSource,
    payloadBytes: number,
    compress: boolean,
  ): Uint8Array {
    if (compress && payloadBytes > 0) return this.encodeCompressed(messageNumber, flags, source, payloadBytes);
    const payloadAt = varintSize(messageNumber) + 1;
    const frame = allocateBytes(payloadAt + payloadBytes + CHECKSUM_BYTES);
    frame[writeVarint(frame, 0, messageNumber)] = flags;
    source.takeInto(frame, payloadAt, payloadBytes);
    const checksumAt = payloadAt + payloadBytes;
    this.checksum = crc32(frame.subarray(payloadAt, checksumAt), this.checksum);
    writeChecksum(frame, checksumAt, this.checksum);
    return frame;
  }

  private encodeCompressed(number: number, flags: number, source: PayloadSource, payloadBytes: number): Uint8Array {
    source.takeInto(assembly, 0, payloadBytes);
    const payload = assembly.subarray(0, payloadBytes);
    this.checksum = crc32(payload, this.checksum);
    const deflated = this.deflaters.deflate(this, payload);
    const bodyAt = varintSize(number) + 1;
    const frame = allocateBytes(bodyAt + deflated.length + CHECKSUM_BYTES);
    frame[writeVarint(frame, 0, number)] = flags | FrameFlag.compressed;
    frame.set(deflated, bodyAt);
    writeChecksum(frame, bodyAt + deflated.length, this.checksum);
    return frame;
  }

  close(): void {
    this.deflaters.release(this);
  }
}

/**
 * An ACK frame (docs/protocol/blip.md#flow-control).
 * @param ofReply whether the acknowledged message is a response or error, not a request
 * @param receivedBytes cumulative bytes after the headers of all frames of the message
 */
export function encodeAck(messageNumber: number, ofReply: boolean, receivedBytes: number): Uint8Array {
  const frame = allocateBytes(varintSize(messageNumber) + 1 + varintSize(receivedBytes));
  const type = ofReply ? MessageType.ackResponse : MessageType.ackRequest;
  const flagsAt = writeVarint(frame, 0, messageNumber);
  frame[flagsAt] = type | FrameFlag.urgent | FrameFlag.noReply;
  writeVarint(frame, flagsAt + 1, receivedBytes);
  return frame;
}

function writeChecksum(frame: Uint8Array, at: number, checksum: number): void {
  frame[at] = checksum >>> 24;
  frame[at + 1] = checksum >>> 16;
  frame[at + 2] = checksum >>> 8;
  frame[at + 3] = checksum;
}
