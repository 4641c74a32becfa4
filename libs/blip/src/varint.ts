import { BlipProtocolError } from './protocol-error.js';

/** Bytes that a number takes as a varint (unsigned LEB128, docs/protocol/blip.md#varints). */
export function varintSize(value: number): number {
  let size = 1;
  while (value >= 0x80) {
    value = Math.floor(value / 0x80);
    size++;
  }
  return size;
}

/** Writes `value` at `at` and returns the offset behind it. */
export function writeVarint(target: Uint8Array, at: number, value: number): number {
  while (value >= 0x80) {
    target[at++] = (value % 0x80) | 0x80;
    value = Math.floor(value / 0x80);
  }
  target[at++] = value;
  return at;
}

/** Reads varints one after the other. */
export class VarintReader {
  constructor(
    private readonly bytes: Uint8Array,
    /** Offset of the next byte. */
    public offset = 0,
  ) {}

  /** @throws {BlipProtocolError} when the bytes end within the number, or it does not fit into 53 bits */
  read(): number {
    const { bytes } = this;
    let value = 0;
    let scale = 1;
    for (let at = this.offset; at < bytes.length && scale <= 2 ** 63; at++, scale *= 0x80) {
      const byte = bytes[at]!;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) break;
      if (byte < 0x80) {
        this.offset = at + 1;
        return value;
      }
    }
    throw new BlipProtocolError('varint-malformed', 'a varint that is cut off or too large');
  }
}
