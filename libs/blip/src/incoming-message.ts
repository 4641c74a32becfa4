import type { BodyStream } from './body-stream.js';
import { ByteCollector, copyBytes, NO_BYTES } from './byte-pool.js';
import { STREAM_READ_AHEAD_BYTES } from './limits.js';
import { FrameFlag, type BlipMessage, MessageType } from './message.js';
import { MAX_PROPERTIES_BYTES, Properties } from './properties.js';
import { BlipProtocolError } from './protocol-error.js';
import { VarintReader } from './varint.js';

/** Bytes that hold the length of any legal property block. */
const LENGTH_BYTES = 10;

/** A message with more than one frame, while it arrives. */
export class IncomingMessage {
  /** Set once the whole property block is in. */
  properties: Properties | undefined;
  /**
   * Bytes of frames after their headers, and how many of them we have not acknowledged
   * (docs/protocol/blip.md#flow-control).
   */
  receivedBytes = 0;
  unackedBytes = 0;
  /** Content bytes that went over the limit and were dropped. */
  discardedBytes = 0;
  /** Whether the body was larger than allowed. */
  isOversize = false;
  /** Memory in use for this message. */
  heldBytes = 0;
  /** Set when the body is read while it arrives. */
  stream: BodyStream | undefined;

  private collector: ByteCollector | undefined = new ByteCollector();
  private bodyLimit = Infinity;

  constructor(
    readonly number: number,
    readonly type: MessageType,
    readonly flags: number,
  ) {}

  get isReply(): boolean {
    return this.type !== MessageType.request;
  }

  /** Whether the reader of a streamed body is near enough to ask the sender for more. */
  get isReaderReady(): boolean {
    return this.stream === undefined || this.stream.heldBytes < STREAM_READ_AHEAD_BYTES;
  }

  /**
   * Adds the payload of one frame.
   * @param openBody called once, when the properties are in, to decide about the body: its limit in bytes, or its stream
   * @throws {BlipProtocolError}
   */
  append(payload: Uint8Array, openBody: (message: IncomingMessage) => number | BodyStream): void {
    if (this.properties) {
      this.appendBody(payload);
      return;
    }
    const head = this.collector!;
    head.append(payload);
    this.heldBytes = head.length;
    const split = splitPayload(head.bytes);
    if (!split) return;
    this.properties = split.properties;
    this.collector = undefined;
    this.heldBytes = 0;
    const decision = openBody(this);
    if (typeof decision === 'number') {
      this.bodyLimit = decision;
      this.collector = new ByteCollector();
    } else this.stream = decision;
    this.appendBody(split.body);
  }

  /** The body, when it was collected. */
  get body(): Uint8Array {
    return this.collector?.bytes ?? NO_BYTES;
  }

  private appendBody(piece: Uint8Array): void {
    if (this.stream) {
      if (!this.stream.push(piece)) this.discardedBytes += piece.length;
      return;
    }
    if (this.isOversize || this.collector!.length + piece.length > this.bodyLimit) {
      this.isOversize = true;
      this.discardedBytes += this.collector!.length + piece.length;
      this.collector = new ByteCollector();
      this.heldBytes = 0;
      return;
    }
    this.collector!.append(piece);
    this.heldBytes = this.collector!.length;
  }
}

/**
 * Splits a payload into properties and body, which shares its memory.
 * @returns undefined when the property block is not complete
 * @throws {BlipProtocolError} when the block is malformed or too long
 */
export function splitPayload(payload: Uint8Array): { properties: Properties; body: Uint8Array } | undefined {
  const reader = new VarintReader(payload);
  if (!hasWholeVarint(payload)) return undefined;
  const blockBytes = reader.read();
  if (blockBytes > MAX_PROPERTIES_BYTES)
    throw new BlipProtocolError('properties-too-large', `a property block of ${blockBytes} bytes`);
  const bodyAt = reader.offset + blockBytes;
  if (payload.length < bodyAt) return undefined;
  const properties = blockBytes === 0 ? Properties.none : Properties.decode(payload.subarray(reader.offset, bodyAt));
  return { properties, body: payload.subarray(bodyAt) };
}

/** The message in a single frame. */
export function wholeMessage(number: number, type: MessageType, flags: number, payload: Uint8Array): BlipMessage {
  const split = splitPayload(payload);
  if (!split) throw cutOffProperties();
  return messageOf(number, type, flags, split.properties, copyBytes(split.body));
}

export function messageOf(
  number: number,
  type: MessageType,
  flags: number,
  properties: Properties,
  body: Uint8Array,
): BlipMessage {
  return {
    type,
    number,
    properties,
    body,
    urgent: (flags & FrameFlag.urgent) !== 0,
    noReply: (flags & FrameFlag.noReply) !== 0,
    compressed: (flags & FrameFlag.compressed) !== 0,
  };
}

export function cutOffProperties(): BlipProtocolError {
  return new BlipProtocolError('properties-malformed', 'a message that ends before its properties do');
}

function hasWholeVarint(bytes: Uint8Array): boolean {
  const end = Math.min(bytes.length, LENGTH_BYTES);
  for (let at = 0; at < end; at++) if (bytes[at]! < 0x80) return true;
  return bytes.length >= LENGTH_BYTES;
}
