import { compareBytes } from '@edgesync/document';
import { BundleError, damaged } from './bundle-error.js';
import { doubleText, floatText } from './number-text.js';
import { ByteReader } from './byte-reader.js';

/** The keys that all documents of a database share, by number. */
export class SharedKeys {
  /** The keys as JSON strings, made once. */
  private readonly quoted: readonly string[];

  constructor(readonly keys: readonly string[]) {
    this.quoted = keys.map((key) => JSON.stringify(key));
  }

  /** @throws BundleError `damaged` if the table is shorter than the document needs */
  key(number: number): string {
    return this.keys[number] ?? missingKey(number);
  }

  quotedKey(number: number): string {
    return this.quoted[number] ?? missingKey(number);
  }
}

export const NO_SHARED_KEYS = new SharedKeys([]);

export interface FleeceOptions {
  readonly sharedKeys?: SharedKeys;
  /**
   * Where the data itself begins. Bytes before it are another block that *extern* pointers reach into: the body in
   * front of the `extra` column that was encoded behind it.
   */
  readonly start?: number;
}

/** The address of a value within the data. */
export type Address = number;

export type FleeceType = 'integer' | 'float' | 'special' | 'string' | 'data' | 'array' | 'dict';

const TYPES: readonly FleeceType[] = ['integer', 'integer', 'float', 'special', 'string', 'data', 'array', 'dict'];
const NULL = 0;
const FALSE = 1;
const TRUE = 2;
const UNDEFINED = 3;
const TEXT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Nesting beyond this is no document of ours, and would exhaust the stack. */
const MAX_DEPTH = 500;
/** Values share what they point to, so a kilobyte can stand for gigabytes: the JSON made of one document is bounded. */
const MAX_JSON_LENGTH = 64 * 1024 * 1024;
/** The key of a dict's first pair whose value is the dict it inherits from. */
const PARENT_KEY = -2048;

/**
 * Reads Fleece, the encoding of document bodies in Couchbase Lite databases (docs/protocol/cblite2.md#fleece). The
 * bytes may be damaged: whatever they are, reading ends with a value or a {@link BundleError}.
 */
export class FleeceReader {
  private readonly sharedKeys: SharedKeys;
  private readonly start: number;
  private room = MAX_JSON_LENGTH;

  constructor(
    private readonly bytes: Uint8Array,
    { sharedKeys = NO_SHARED_KEYS, start = 0 }: FleeceOptions = {},
  ) {
    this.sharedKeys = sharedKeys;
    this.start = start;
  }

  /** The root is at the end: the last two bytes are a value or point to it. */
  root(): Address {
    const at = this.bytes.length - 2;
    if (at < this.start || (this.bytes.length - this.start) % 2 !== 0) throw damaged('the data is no Fleece value');
    return this.follow(at, false);
  }

  type(at: Address): FleeceType {
    const type = TYPES[this.byte(at) >> 4];
    if (type === undefined) throw damaged('a value has an unknown type');
    return type;
  }

  isNull(at: Address): boolean {
    return this.byte(at) >> 4 === 3 && ((this.byte(at) >> 2) & 3) === NULL;
  }

  string(at: Address): string {
    if (this.type(at) !== 'string') throw damaged('a string is expected');
    const bytes = this.content(at);
    if (bytes.length < 24) {
      let text = '';
      for (const byte of bytes) {
        if (byte >= 0x80) return decodeUtf8(bytes);
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return decodeUtf8(bytes);
  }

  data(at: Address): Uint8Array {
    if (this.type(at) !== 'data') throw damaged('binary data is expected');
    return this.content(at);
  }

  /** An integer within the exact range of a double. */
  integer(at: Address): number {
    if (this.type(at) !== 'integer') throw damaged('an integer is expected');
    return Number(this.integerText(at));
  }

  items(at: Address): Address[] {
    if (this.type(at) !== 'array') throw damaged('an array is expected');
    const { first, count, width } = this.container(at, 1);
    const items: Address[] = [];
    for (let index = 0; index < count; index++) items.push(this.follow(first + index * width, width === 4));
    return items;
  }

  /** The members of a dict whose keys are strings, shared or not. */
  members(at: Address): Map<string, Address> {
    const members = new Map<string, Address>();
    for (const { key, value } of this.pairs(at, 0))
      members.set(typeof key === 'number' ? this.sharedKeys.key(key) : this.string(key.at), value);
    return members;
  }

  /**
   * Compact JSON with the members of every object in binary order of their keys. Integers are exact, floats keep a
   * point or an exponent, binary data is base64.
   * @throws BundleError `damaged`; `unsupported`: infinity, not a number, nested too deep, too large
   */
  json(at: Address, depth = 0): string {
    if (depth > MAX_DEPTH) throw new BundleError('unsupported', `it is nested deeper than ${MAX_DEPTH} levels`);
    const type = this.type(at);
    const text = this.jsonOf(type, at, depth);
    this.room -= text.length;
    if (this.room < 0) throw new BundleError('unsupported', `it is larger than ${MAX_JSON_LENGTH >> 20} MB`);
    return text;
  }

  private jsonOf(type: FleeceType, at: Address, depth: number): string {
    switch (type) {
      case 'integer':
        return this.integerText(at);
      case 'float':
        return this.floatText(at);
      case 'special':
        return this.specialText(at);
      case 'string':
        return JSON.stringify(this.string(at));
      case 'data':
        return `"${Buffer.from(this.content(at)).toString('base64')}"`;
      case 'array':
        return `[${this.items(at)
          .map((item) => this.json(item, depth + 1))
          .join()}]`;
      case 'dict':
        return this.objectJson(at, depth);
    }
  }

  private objectJson(at: Address, depth: number): string {
    const members: { readonly key: string; readonly text: string }[] = [];
    let sorted = true;
    for (const { key, value } of this.pairs(at, 0)) {
      if (this.isUndefined(value)) continue;
      const name = typeof key === 'number' ? this.sharedKeys.key(key) : this.string(key.at);
      const quoted = typeof key === 'number' ? this.sharedKeys.quotedKey(key) : JSON.stringify(name);
      const last = members.at(-1);
      if (last && compareBytes(last.key, name) >= 0) sorted = false;
      members.push({ key: name, text: `${quoted}:${this.json(value, depth + 1)}` });
    }
    if (!sorted) {
      members.sort((left, right) => compareBytes(left.key, right.key));
      if (members.some(({ key }, index) => key === members[index - 1]?.key)) throw damaged('an object has a key twice');
    }
    let text = '{';
    for (const member of members) text += text.length > 1 ? `,${member.text}` : member.text;
    return `${text}}`;
  }

  /** Pairs of a dict, with those inherited. A key is a shared key's number or the address of a string. */
  private *pairs(
    at: Address,
    generations: number,
  ): Generator<{ readonly key: number | { readonly at: Address }; readonly value: Address }> {
    if (this.type(at) !== 'dict') throw damaged('a dictionary is expected');
    const { first, count, width } = this.container(at, 2);
    for (let index = 0; index < count; index++) {
      const slot = first + index * 2 * width;
      const keyAt = this.follow(slot, width === 4);
      const value = this.follow(slot + width, width === 4);
      if (this.type(keyAt) !== 'integer') {
        yield { key: { at: keyAt }, value };
        continue;
      }
      const key = this.integer(keyAt);
      if (key === PARENT_KEY && index === 0) {
        if (generations > MAX_DEPTH) throw damaged('a dictionary inherits without end');
        yield* this.inherited(at, value, generations);
      } else if (key >= 0) yield { key, value };
      else throw damaged('a dictionary has a negative key');
    }
  }

  /** Pairs of the parent that the dict itself does not override. */
  private *inherited(at: Address, parent: Address, generations: number) {
    const { first, count, width } = this.container(at, 2);
    const own = new Set<string | number>();
    for (let index = 1; index < count; index++) {
      const keyAt = this.follow(first + index * 2 * width, width === 4);
      own.add(this.type(keyAt) === 'integer' ? this.integer(keyAt) : this.string(keyAt));
    }
    for (const pair of this.pairs(parent, generations + 1))
      if (!own.has(typeof pair.key === 'number' ? pair.key : this.string(pair.key.at))) yield pair;
  }

  private isUndefined(at: Address): boolean {
    const byte = this.byte(at);
    return byte >> 4 === 3 && ((byte >> 2) & 3) === UNDEFINED;
  }

  private specialText(at: Address): string {
    switch ((this.byte(at) >> 2) & 3) {
      case FALSE:
        return 'false';
      case TRUE:
        return 'true';
      default:
        return 'null';
    }
  }

  private integerText(at: Address): string {
    const head = this.byte(at);
    if (head < 0x10) return String((((head << 8) | this.byte(at + 1)) << 20) >> 20);
    const length = (head & 7) + 1;
    this.check(at + 1, length);
    const unsigned = (head & 8) !== 0;
    if (length <= 6) {
      let value = 0;
      for (let index = length; index > 0; index--) value = value * 256 + this.bytes[at + index]!;
      const limit = 2 ** (length * 8 - 1);
      return String(unsigned || value < limit ? value : value - limit * 2);
    }
    let value = 0n;
    for (let index = length; index > 0; index--) value = (value << 8n) | BigInt(this.bytes[at + index]!);
    return String(unsigned ? BigInt.asUintN(64, value) : BigInt.asIntN(length * 8, value));
  }

  private floatText(at: Address): string {
    const form = (this.byte(at) >> 2) & 3;
    const length = form === 2 ? 8 : 4;
    this.check(at + 2, length);
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + at + 2, length);
    const value = form === 2 ? view.getFloat64(0, true) : view.getFloat32(0, true);
    if (!Number.isFinite(value)) throw new BundleError('unsupported', 'it holds a number that JSON lacks (infinity)');
    if (form === 3) throw damaged('a number has an unknown form');
    return form === 0 ? floatText(value) : doubleText(value);
  }

  /** The bytes of a string or of binary data. */
  private content(at: Address): Uint8Array {
    const short = this.byte(at) & 0x0f;
    const reader = new ByteReader(this.bytes, at + 1);
    return reader.take(short < 15 ? short : reader.smallVarint());
  }

  /** Where the items of a container lie. */
  private container(at: Address, perItem: number) {
    const head = (this.byte(at) << 8) | this.byte(at + 1);
    let count = head & 0x7ff;
    let first = at + 2;
    if (count === 0x7ff) {
      const reader = new ByteReader(this.bytes, first);
      count += reader.smallVarint();
      first = reader.position + ((reader.position - first) % 2);
    }
    const width = (head & 0x800) === 0 ? 2 : 4;
    this.check(first, count * perItem * width);
    return { first, count, width } as const;
  }

  /** Follows pointers from an item's place to the value. Targets lie strictly before, so this ends. */
  private follow(place: Address, isWide: boolean): Address {
    let at = place;
    let wide = isWide;
    while (this.byte(at) >= 0x80) {
      this.check(at, wide ? 4 : 2);
      at = wide ? this.wideTarget(at) : this.narrowTarget(at);
      // Only a wide pointer may be pointed to.
      wide = true;
    }
    return at;
  }

  private narrowTarget(at: Address): Address {
    const raw = (this.bytes[at]! << 8) | this.bytes[at + 1]!;
    return this.target(at, (raw & 0x3fff) * 2, (raw & 0x4000) !== 0, (raw & 0x7fff) * 2);
  }

  private wideTarget(at: Address): Address {
    const raw =
      this.bytes[at]! * 0x1000000 + ((this.bytes[at + 1]! << 16) | (this.bytes[at + 2]! << 8) | this.bytes[at + 3]!);
    const whole = raw - 0x80000000;
    return this.target(at, (whole % 0x40000000) * 2, whole >= 0x40000000, whole * 2);
  }

  /**
   * The value a pointer names. Files of Couchbase Lite 2 know no extern pointers and use the bit for larger offsets: it
   * counts as one only if the target lies in the block before.
   */
  private target(at: Address, offset: number, extern: boolean, legacyOffset: number): Address {
    if (extern && at >= this.start && offset > 0) {
      const outside = at - offset;
      if (outside >= 0 && outside < this.start) return outside;
    }
    const target = at - (extern ? legacyOffset : offset);
    if (target >= at || target < (at < this.start ? 0 : this.start)) throw damaged('a pointer leads nowhere');
    return target;
  }

  private byte(at: Address): number {
    const byte = this.bytes[at];
    if (byte === undefined) throw damaged('a value lies outside its data');
    return byte;
  }

  private check(at: Address, length: number): void {
    if (at + length > this.bytes.length) throw damaged('a value lies outside its data');
  }
}

function missingKey(number: number): never {
  throw damaged(`the shared key ${number} is not in the database's table`);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return TEXT.decode(bytes);
  } catch (cause) {
    throw new BundleError('unsupported', 'it holds a string that is not valid UTF-8', { cause });
  }
}
