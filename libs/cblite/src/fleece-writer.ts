import { compareBytes, isJsonArray, type JsonObject, JsonScalar, type JsonTree } from '@edgesync/document';
import { pushVarint } from './byte-reader.js';

/** As many keys a database shares at most. */
const MAX_SHARED_KEYS = 2048;
const SHAREABLE = /^[A-Za-z0-9_-]{0,16}$/;

/** The table of shared keys of a bundle under construction. It only grows, and a key in it must be written by number. */
export class SharedKeyTable {
  private readonly numbers = new Map<string, number>();

  get keys(): readonly string[] {
    return [...this.numbers.keys()];
  }

  /** The number of a key, which enters the table if it may. */
  number(key: string): number | undefined {
    const known = this.numbers.get(key);
    if (known !== undefined || this.numbers.size >= MAX_SHARED_KEYS || !SHAREABLE.test(key)) return known;
    this.numbers.set(key, this.numbers.size);
    return this.numbers.size - 1;
  }
}

/**
 * Writes one JSON value as Fleece (docs/protocol/cblite2.md#fleece). Integers within 64 bits stay integers, every other
 * number becomes a double.
 */
export function writeFleece(value: JsonTree, sharedKeys?: SharedKeyTable): Uint8Array {
  return new FleeceWriter(sharedKeys).finish(value);
}

/** A value as a container's item: bytes that fit the item, or the address of bytes written before. */
type Item = { readonly inline: readonly number[] } | { readonly at: number };

const NARROW_REACH = 0x3fff * 2;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;
const INTEGER = /^-?[0-9]+$/;
const LONG_COUNT = 0x7ff;

class FleeceWriter {
  private bytes = new Uint8Array(256);
  private length = 0;
  /** Addresses of short strings, which are written once. */
  private readonly strings = new Map<string, number>();

  constructor(private readonly sharedKeys: SharedKeyTable | undefined) {}

  finish(value: JsonTree): Uint8Array {
    const item = this.item(value);
    if ('inline' in item) this.push(item.inline);
    else if (this.length - item.at <= NARROW_REACH) this.push(narrowPointer(this.length - item.at));
    else {
      // A narrow pointer to a wide one.
      this.push(widePointer(this.length - item.at));
      this.push(narrowPointer(4));
    }
    return this.bytes.slice(0, this.length);
  }

  private item(value: JsonTree): Item {
    if (typeof value === 'string') return this.string(value);
    if (value instanceof JsonScalar) return this.scalar(value.text);
    if (isJsonArray(value))
      return this.container(
        0x60,
        value.length,
        value.map((item) => this.item(item)),
      );
    return this.dict(value);
  }

  private dict(object: JsonObject): Item {
    const members = [...object].map(([key, value]) => ({ key, number: this.sharedKeys?.number(key), value }));
    members.sort((left, right) =>
      left.number !== undefined && right.number !== undefined
        ? left.number - right.number
        : Number(left.number === undefined) - Number(right.number === undefined) || compareBytes(left.key, right.key),
    );
    const items = members.flatMap(({ key, number, value }) => [
      number === undefined ? this.string(key) : { inline: shortInteger(number) },
      this.item(value),
    ]);
    return this.container(0x70, members.length, items);
  }

  private container(tag: number, count: number, items: readonly Item[]): Item {
    const header = count < LONG_COUNT ? [tag | (count >> 8), count & 0xff] : longHeader(tag, count);
    if (count === 0) return { inline: header };
    const first = this.length + header.length;
    const wide = items.some((item, index) => 'at' in item && first + index * 2 - item.at > NARROW_REACH);
    if (wide) header[0]! |= 8;
    const at = this.length;
    this.push(header);
    for (const item of items) {
      if ('at' in item) this.push(wide ? widePointer(this.length - item.at) : narrowPointer(this.length - item.at));
      else this.push(wide ? [...item.inline, 0, 0] : item.inline);
    }
    return { at };
  }

  private string(text: string): Item {
    const known = this.strings.get(text);
    if (known !== undefined) return { at: known };
    const content = Buffer.from(text, 'utf8');
    if (content.length < 2) return { inline: [0x40 | content.length, content[0] ?? 0] };
    const header = content.length < 15 ? [0x40 | content.length] : [0x4f];
    if (content.length >= 15) pushVarint(header, content.length);
    const at = this.append(header, content);
    if (content.length < 16) this.strings.set(text, at);
    return { at };
  }

  private scalar(text: string): Item {
    if (text === 'null') return { inline: [0x30, 0] };
    if (text === 'false') return { inline: [0x34, 0] };
    if (text === 'true') return { inline: [0x38, 0] };
    if (INTEGER.test(text)) {
      const value = BigInt(text);
      if (value >= MIN_INT64 && value <= MAX_UINT64) return this.integer(value);
    }
    return this.double(Number(text));
  }

  private integer(value: bigint): Item {
    if (value >= -2048n && value <= 2047n) return { inline: shortInteger(Number(value)) };
    let length = 2;
    while (length < 8 && BigInt.asIntN(length * 8, value) !== value) length++;
    const unsigned = value > 0x7fff_ffff_ffff_ffffn;
    const content: number[] = [];
    let rest = BigInt.asUintN(64, value);
    for (let index = 0; index < length; index++, rest >>= 8n) content.push(Number(rest & 0xffn));
    return { at: this.append([0x10 | (unsigned ? 8 : 0) | (length - 1)], content) };
  }

  private double(value: number): Item {
    const short = Math.fround(value) === value;
    const content = new DataView(new ArrayBuffer(short ? 4 : 8));
    if (short) content.setFloat32(0, value, true);
    else content.setFloat64(0, value, true);
    return { at: this.append([short ? 0x24 : 0x28, 0], new Uint8Array(content.buffer)) };
  }

  /** Writes a value at an even address, which is returned. */
  private append(header: readonly number[], content: ArrayLike<number>): number {
    const at = this.length;
    this.push(header);
    this.push(content);
    if (this.length % 2 !== 0) this.push([0]);
    return at;
  }

  private push(added: ArrayLike<number>): void {
    const end = this.length + added.length;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.bytes.length * 2));
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(added, this.length);
    this.length = end;
  }
}

const shortInteger = (value: number): number[] => [(value >> 8) & 0x0f, value & 0xff];

const narrowPointer = (offset: number): number[] => [0x80 | (offset >> 9), (offset >> 1) & 0xff];

function widePointer(offset: number): number[] {
  const half = offset / 2;
  return [0x80 | (half >> 24), (half >> 16) & 0xff, (half >> 8) & 0xff, half & 0xff];
}

function longHeader(tag: number, count: number): number[] {
  const varint: number[] = [];
  pushVarint(varint, count - LONG_COUNT);
  if (varint.length % 2 !== 0) varint.push(0);
  return [tag | 0x07, 0xff, ...varint];
}
