import { utf8Length } from '@edgesync/document';
import { EdgeError } from '@edgesync/errors';

/** Version of the framing below. The layouts of the payloads have versions of their own. */
export const CONTRACT_VERSION = 1;

/** The purpose of a message. The numbers are on the wire. */
export const MessageKind = {
  request: 1,
  reply: 2,
  fault: 3,
  event: 4,
  /** The sender of a large value may start, and learns where to. */
  proceed: 5,
  /** One piece of a large value, its end, and the sign that its source is slow but alive. */
  chunk: 6,
  end: 7,
  idle: 8,
  /** The receiver has taken chunks, or wants no more of them. */
  credit: 9,
  cancel: 10,
} as const;
export type MessageKind = (typeof MessageKind)[keyof typeof MessageKind];

/** The reply is a large value: this message only says where credit goes, the message itself follows in chunks. */
export const FLAG_STREAMED = 1;

/** The typed part of a message and the raw texts and bytes that go with it. */
export interface Content {
  readonly meta: unknown;
  readonly bodies: readonly (string | Uint8Array)[];
}

/*
 * Layout, numbers big-endian:
 *   0  contract version   1  kind   2  payload version   3  flags
 *   4  length of the metadata, 32 bits   8  number of bodies, 32 bits
 *  12  length of each body, 32 bits, then the metadata (JSON in UTF-8), then the bodies.
 */
const FIXED_BYTES = 12;
/** Texts up to this length are written straight into the message; three bytes per unit are set aside for them. */
const INLINE_UNITS = 65_536;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
let scratch = new Uint8Array(256 * 1_024);
/** The scratch buffer is not kept at more than this. */
const SCRATCH_LIMIT = 4 * 1_024 * 1_024;

const NOTHING: readonly string[] = [];

/**
 * Writes a message.
 * @param version the payload's
 */
export function encodeMessage(
  kind: MessageKind,
  version: number,
  meta: unknown,
  bodies: readonly (string | Uint8Array)[] = NOTHING,
  flags = 0,
): Uint8Array {
  let position = FIXED_BYTES + bodies.length * 4;
  ensure(position);
  const metaLength = meta === undefined ? 0 : writeText(JSON.stringify(meta), position);
  position += metaLength;
  for (let index = 0; index < bodies.length; index++) {
    const body = bodies[index]!;
    const length = typeof body === 'string' ? writeText(body, position) : writeBytes(body, position);
    putUint32(scratch, FIXED_BYTES + index * 4, length);
    position += length;
  }
  writeFixed(scratch, kind, version, flags, metaLength, bodies.length);
  const message = scratch.slice(0, position);
  if (scratch.byteLength > SCRATCH_LIMIT) scratch = new Uint8Array(SCRATCH_LIMIT);
  return message;
}

/** Writes a large message piece by piece, so that it never exists as a whole. Joined, the pieces are the message. */
export function* encodePieces(
  kind: MessageKind,
  version: number,
  { meta, bodies }: Content,
): Generator<Uint8Array, void, undefined> {
  const metaBytes = encoder.encode(JSON.stringify(meta));
  const head = new Uint8Array(FIXED_BYTES + bodies.length * 4);
  writeFixed(head, kind, version, 0, metaBytes.byteLength, bodies.length);
  bodies.forEach((body, index) =>
    putUint32(head, FIXED_BYTES + index * 4, typeof body === 'string' ? utf8Length(body) : body.byteLength),
  );
  yield head;
  yield metaBytes;
  for (const body of bodies) yield typeof body === 'string' ? encoder.encode(body) : body;
}

/** Whether a message with this content is surely larger than `bytes`. Others have to be written to know. */
export function surelyExceeds({ bodies }: Content, bytes: number): boolean {
  let units = FIXED_BYTES + bodies.length * 4;
  for (const body of bodies) if ((units += body.length) > bytes) return true;
  return false;
}

/** A message as it was read: metadata not checked yet, bodies still bytes. */
export class Message {
  constructor(
    readonly kind: MessageKind,
    readonly version: number,
    readonly flags: number,
    readonly meta: unknown,
    readonly bodyCount: number,
    private readonly bytes: Uint8Array,
    private readonly bodiesAt: number,
  ) {}

  /** All bodies as texts. */
  texts(): string[] {
    return this.views().map((view) => (view.byteLength === 0 ? '' : decoder.decode(view)));
  }

  /** All bodies as they are in the message, whose memory they share. */
  views(): Uint8Array[] {
    const { buffer, byteOffset } = this.bytes;
    const views = new Array<Uint8Array>(this.bodyCount);
    let position = byteOffset + this.bodiesAt;
    for (let index = 0; index < this.bodyCount; index++) {
      const length = getUint32(this.bytes, FIXED_BYTES + index * 4);
      views[index] = new Uint8Array(buffer, position, length);
      position += length;
    }
    return views;
  }

  /** Everything after the metadata: the bytes of a message with one body. */
  rest(): Uint8Array {
    return this.bytes.subarray(this.bodiesAt);
  }
}

/** Reads a message. @throws EdgeError `bus.version`, `bus.invalid` */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.byteLength < FIXED_BYTES) throw new EdgeError('bus.invalid', 'the message is cut short');
  if (bytes[0] !== CONTRACT_VERSION)
    throw new EdgeError(
      'bus.version',
      `the message has version ${bytes[0]} of the contract, this process speaks ${CONTRACT_VERSION}`,
    );
  const kind = bytes[1]!;
  if (kind < MessageKind.request || kind > MessageKind.cancel)
    throw new EdgeError('bus.invalid', `no such kind of message: ${kind}`);
  const metaLength = getUint32(bytes, 4);
  const bodyCount = getUint32(bytes, 8);
  const metaAt = FIXED_BYTES + bodyCount * 4;
  const bodiesAt = metaAt + metaLength;
  let end = bodiesAt;
  if (end <= bytes.byteLength)
    for (let index = 0; index < bodyCount; index++) end += getUint32(bytes, FIXED_BYTES + index * 4);
  if (end !== bytes.byteLength) throw new EdgeError('bus.invalid', 'the lengths in the message do not add up');
  return new Message(
    kind as MessageKind,
    bytes[2]!,
    bytes[3]!,
    metaLength === 0 ? undefined : parseMeta(bytes.subarray(metaAt, bodiesAt)),
    bodyCount,
    bytes,
    bodiesAt,
  );
}

/**
 * Makes sure that a payload has the version this process knows.
 * @throws EdgeError `bus.version`, naming the payload
 */
export function checkPayloadVersion(name: string, actual: number, known: number): void {
  if (actual !== known)
    throw new EdgeError('bus.version', `${name} came in version ${actual}, this process speaks ${known}`);
}

function parseMeta(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw new EdgeError('bus.invalid', 'the metadata is not JSON');
  }
}

function writeText(text: string, at: number): number {
  if (text.length > INLINE_UNITS) return writeBytes(encoder.encode(text), at);
  ensure(at + text.length * 3);
  return encoder.encodeInto(text, scratch.subarray(at)).written;
}

function writeBytes(bytes: Uint8Array, at: number): number {
  ensure(at + bytes.byteLength);
  scratch.set(bytes, at);
  return bytes.byteLength;
}

function ensure(size: number): void {
  if (size <= scratch.byteLength) return;
  const larger = new Uint8Array(Math.max(size, scratch.byteLength * 2));
  larger.set(scratch);
  scratch = larger;
}

function writeFixed(
  target: Uint8Array,
  kind: number,
  version: number,
  flags: number,
  metaLength: number,
  bodyCount: number,
): void {
  target[0] = CONTRACT_VERSION;
  target[1] = kind;
  target[2] = version;
  target[3] = flags;
  putUint32(target, 4, metaLength);
  putUint32(target, 8, bodyCount);
}

function putUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

function getUint32(source: Uint8Array, at: number): number {
  return (source[at]! * 0x1000000 + ((source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!)) >>> 0;
}
