import { NO_BYTES } from './byte-pool.js';
import { crc32, deflateEngine } from './deflate.js';
import { type DeflateEngine, type FrameInflater, SYNC_TRAILER } from './deflate-engine.js';
import { CHECKSUM_BYTES } from './frame-encoder.js';
import { FrameFlag, MessageType } from './message.js';
import { BlipProtocolError } from './protocol-error.js';
import { VarintReader } from './varint.js';

/** A frame of a message. */
export interface MessageFrame {
  readonly kind: 'message';
  readonly number: number;
  readonly type: MessageType;
  readonly flags: number;
  /** Inflated. Valid until the next frame is decoded. */
  readonly payload: Uint8Array;
  /** Bytes after the header as they came: what ACKs count (docs/protocol/blip.md#flow-control). */
  readonly wireBytes: number;
}

/** An acknowledgement. */
export interface AckFrame {
  readonly kind: 'ack';
  readonly number: number;
  /** Whether it acknowledges a response or error, not a request. */
  readonly ofReply: boolean;
  /** Cumulative count of received bytes. */
  readonly receivedBytes: number;
}

/** A frame of a type that has no meaning; it is passed over (docs/protocol/blip.md#frames). */
export interface UnknownFrame {
  readonly kind: 'unknown';
}

export type DecodedFrame = MessageFrame | AckFrame | UnknownFrame;

/**
 * Decodes the frames of one direction of one connection in order of arrival (docs/protocol/blip.md#frames,
 * docs/protocol/blip.md#checksums, docs/protocol/blip.md#compression).
 */
export class FrameDecoder {
  private checksum = 0;
  private inflater: FrameInflater | undefined;

  constructor(private readonly engine: () => DeflateEngine = deflateEngine) {}

  /**
   * Decodes one frame. Writes over the checksum in `frame`.
   * @throws {BlipProtocolError} after which the decoder is of no more use
   */
  decode(frame: Uint8Array): DecodedFrame {
    const reader = new VarintReader(frame);
    const number = reader.read();
    const flags = reader.read();
    const type = flags & FrameFlag.typeMask;
    switch (type) {
      case MessageType.request:
      case MessageType.response:
      case MessageType.error:
        return this.decodeMessageFrame(frame, reader.offset, number, type, flags);
      case MessageType.ackRequest:
      case MessageType.ackResponse:
        return { kind: 'ack', number, ofReply: type === MessageType.ackResponse, receivedBytes: reader.read() };
      default:
        return { kind: 'unknown' };
    }
  }

  private decodeMessageFrame(
    frame: Uint8Array,
    bodyAt: number,
    number: number,
    type: MessageType,
    flags: number,
  ): MessageFrame {
    const checksumAt = frame.length - CHECKSUM_BYTES;
    if (checksumAt < bodyAt) throw new BlipProtocolError('frame-malformed', 'a frame without a checksum');
    const expected = readChecksum(frame, checksumAt);
    let payload: Uint8Array;
    if (checksumAt === bodyAt) payload = NO_BYTES;
    else if ((flags & FrameFlag.compressed) === 0) payload = frame.subarray(bodyAt, checksumAt);
    else {
      // The trailer that the sender left out is as long as the checksum that stands in its place.
      frame.set(SYNC_TRAILER, checksumAt);
      payload = (this.inflater ??= this.engine().createInflater()).inflate(frame.subarray(bodyAt));
    }
    this.checksum = crc32(payload, this.checksum);
    if (this.checksum !== expected)
      throw new BlipProtocolError('checksum-mismatch', `a wrong checksum in message ${number}`);
    return { kind: 'message', number, type, flags, payload, wireBytes: frame.length - bodyAt };
  }

  close(): void {
    this.inflater?.close();
    this.inflater = undefined;
  }
}

function readChecksum(frame: Uint8Array, at: number): number {
  return ((frame[at]! << 24) | (frame[at + 1]! << 16) | (frame[at + 2]! << 8) | frame[at + 3]!) >>> 0;
}
