import { damaged } from './bundle-error.js';

/** A read position in bytes that may be damaged: every read is checked. */
export class ByteReader {
  constructor(
    readonly bytes: Uint8Array,
    public position = 0,
  ) {}

  get done(): boolean {
    return this.position >= this.bytes.length;
  }

  byte(): number {
    const byte = this.bytes[this.position];
    if (byte === undefined) throw damaged('the data ends early');
    this.position++;
    return byte;
  }

  take(length: number): Uint8Array {
    const end = this.position + length;
    if (end > this.bytes.length) throw damaged('the data ends early');
    const taken = this.bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  /** An unsigned integer, most significant byte first, of at most 6 bytes. */
  bigEndian(length: number): number {
    let value = 0;
    for (const byte of this.take(length)) value = value * 256 + byte;
    return value;
  }

  /** Seven bits per byte, low bits first, at most 64 bits. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (value > 0xffff_ffff_ffff_ffffn) break;
        return value;
      }
    }
    throw damaged('a variable-length integer is too long');
  }

  /** {@link varint} for lengths and sequences. */
  smallVarint(): number {
    const value = this.varint();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged('an integer is out of range');
    return Number(value);
  }
}

/** Appends {@link ByteReader.varint}'s form. */
export function pushVarint(bytes: number[], value: bigint | number): void {
  let rest = BigInt(value);
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
}
