import { allocateBytes } from './byte-pool.js';
import { BlipProtocolError } from './protocol-error.js';
import { varintSize, writeVarint } from './varint.js';

/** Largest property block that either side may send, in bytes (docs/protocol/blip.md#messages). */
export const MAX_PROPERTIES_BYTES = 100 * 1024;

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Above this many properties a set finds duplicates faster than comparing pairs. */
const FEW_PROPERTIES = 16;

/**
 * The ordered properties of a message: names and values are strings without NUL, names are unique and case-sensitive.
 * Kept as one flat list, because messages have a handful of properties and most are built, sent and forgotten.
 */
export class Properties {
  /** `[name, value, name, value, …]` */
  private readonly flat: string[];

  private constructor(flat: string[]) {
    this.flat = flat;
  }

  /** No properties. Nothing can be appended to it. */
  static readonly none = new Properties(Object.freeze([]) as unknown as string[]);

  /** Properties from alternating names and values: `Properties.of('Profile', 'rev', 'id', docId)`. */
  static of(...namesAndValues: string[]): Properties {
    if (namesAndValues.length % 2 !== 0) throw new TypeError('a property name without a value');
    return new Properties(namesAndValues);
  }

  /** Properties from an object, leaving out those that are undefined. */
  static from(record: Readonly<Record<string, string | undefined>>): Properties {
    const flat: string[] = [];
    for (const name in record) {
      const value = record[name];
      if (value !== undefined) flat.push(name, value);
    }
    return new Properties(flat);
  }

  /** Number of properties. */
  get size(): number {
    return this.flat.length / 2;
  }

  /** The value of a property, or undefined. */
  get(name: string): string | undefined {
    const { flat } = this;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return flat[i + 1];
    return undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Adds a property at the end. The caller vouches that the name is new. */
  append(name: string, value: string): this {
    this.flat.push(name, value);
    return this;
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let i = 0; i < this.flat.length; i += 2) yield [this.flat[i]!, this.flat[i + 1]!];
  }

  toRecord(): Record<string, string> {
    return Object.fromEntries(this);
  }

  /**
   * The head of a payload: the length of the property block, then the block `name NUL value NUL …`
   * (docs/protocol/blip.md#messages).
   * @throws {TypeError} on a NUL, a repeated name or more than {@link MAX_PROPERTIES_BYTES}
   */
  encode(): Uint8Array {
    const { flat } = this;
    if (flat.length === 0) return NO_PROPERTIES;
    const repeated = repeatedName(flat);
    if (repeated !== undefined) throw new TypeError(`property ${repeated} is given twice`);
    const text = flat.join('\0') + '\0';
    if (countNuls(text) !== flat.length) throw new TypeError('a property holds a NUL character');
    const { read, written } = utf8Encoder.encodeInto(text, blockScratch);
    if (read < text.length) throw new TypeError(`properties of more than ${MAX_PROPERTIES_BYTES} bytes`);
    const head = allocateBytes(varintSize(written) + written);
    head.set(blockScratch.subarray(0, written), writeVarint(head, 0, written));
    return head;
  }

  /**
   * Reads a property block (without its length).
   * @throws {BlipProtocolError} when it breaks a rule of docs/protocol/blip.md#messages
   */
  static decode(block: Uint8Array): Properties {
    if (block.length === 0) return Properties.none;
    if (block.length > MAX_PROPERTIES_BYTES)
      throw new BlipProtocolError('properties-too-large', `a property block of ${block.length} bytes`);
    if (block[block.length - 1] !== 0)
      throw new BlipProtocolError('properties-malformed', 'a property block that does not end with NUL');
    let text: string;
    try {
      text = utf8Decoder.decode(block);
    } catch {
      throw new BlipProtocolError('properties-malformed', 'a property block that is not UTF-8');
    }
    const flat = text.split('\0');
    flat.pop();
    if (flat.length % 2 !== 0) throw new BlipProtocolError('properties-malformed', 'a property without a value');
    const repeated = repeatedName(flat);
    if (repeated !== undefined) throw new BlipProtocolError('properties-malformed', 'a property that is given twice');
    return new Properties(flat);
  }
}

const NO_PROPERTIES = Uint8Array.of(0);

/** Blocks are encoded here first, because their size is not known before. */
const blockScratch = new Uint8Array(MAX_PROPERTIES_BYTES);

function repeatedName(flat: readonly string[]): string | undefined {
  if (flat.length > 2 * FEW_PROPERTIES) {
    const seen = new Set<string>();
    for (let i = 0; i < flat.length; i += 2) {
      if (seen.has(flat[i]!)) return flat[i];
      seen.add(flat[i]!);
    }
    return undefined;
  }
  for (let i = 2; i < flat.length; i += 2) for (let k = 0; k < i; k += 2) if (flat[i] === flat[k]) return flat[i];
  return undefined;
}

function countNuls(text: string): number {
  let count = 0;
  for (let i = text.indexOf('\0'); i >= 0; i = text.indexOf('\0', i + 1)) count++;
  return count;
}
