import { skipString, skipValue } from '@edgesync/document';

/**
 * A value while a statement runs.
 *
 * - `undefined` is MISSING, `null` is JSON null.
 * - An integer is a `bigint`, a float is a `number`: `1` and `1.0` stay apart, and integers stay exact.
 *   SQLite hands them over in the same shapes (`safeIntegers`).
 * - Arrays and objects may still be JSON text: they are parsed when their content matters.
 */
export type Value = undefined | PresentValue;

/** Any value but MISSING: what an array or object may hold. */
export type PresentValue = null | boolean | bigint | number | string | ArrayValue | ObjectValue;

/** An array: its items, or the JSON text they come from. MISSING items do not exist. */
export class ArrayValue {
  readonly kind = 'array';

  private constructor(
    private parsed: readonly PresentValue[] | undefined,
    private text: string | undefined,
  ) {}

  static of(items: readonly Value[]): ArrayValue {
    return new ArrayValue(
      items.filter((item) => item !== undefined),
      undefined,
    );
  }

  /** @param json an array in normal form */
  static fromJson(json: string): ArrayValue {
    return new ArrayValue(undefined, json);
  }

  get items(): readonly PresentValue[] {
    return (this.parsed ??= readItems(this.text!));
  }

  /** Compact JSON, as the client wrote it if it comes from a document. */
  get json(): string {
    return (this.text ??= `[${this.parsed!.map(encode).join()}]`);
  }

  /** The item at an index, which counts from the end if it is negative. */
  item(index: number): Value {
    return this.items[index < 0 ? this.items.length + index : index];
  }
}

/** An object: its members in their order, or the JSON text they come from. */
export class ObjectValue {
  readonly kind = 'object';
  private lookups = 0;

  private constructor(
    private parsed: ReadonlyMap<string, PresentValue> | undefined,
    private text: string | undefined,
  ) {}

  static of(members: Iterable<readonly [string, Value]>): ObjectValue {
    const present = new Map<string, PresentValue>();
    for (const [name, value] of members) if (value !== undefined) present.set(name, value);
    return new ObjectValue(present, undefined);
  }

  /** @param json an object in normal form */
  static fromJson(json: string): ObjectValue {
    return new ObjectValue(undefined, json);
  }

  get members(): ReadonlyMap<string, PresentValue> {
    return (this.parsed ??= readMembers(this.text!));
  }

  /** Compact JSON, as the client wrote it if it comes from a document. */
  get json(): string {
    return (this.text ??= writeMembers(this.parsed!));
  }

  member(name: string): Value {
    // A few look-ups are cheaper in the text than building the map.
    if (this.parsed || this.lookups++ >= LOOKUPS_IN_TEXT) return this.members.get(name);
    return findMember(this.text!, name);
  }
}

const LOOKUPS_IN_TEXT = 3;

export function isArray(value: Value): value is ArrayValue {
  return value instanceof ArrayValue;
}

export function isObject(value: Value): value is ObjectValue {
  return value instanceof ObjectValue;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;

/**
 * The value of a piece of JSON; `null` (SQL NULL, no such property) is MISSING.
 * @param json a value in normal form
 */
export function decode(json: string | null): Value {
  return json === null ? undefined : decodePresent(json);
}

function decodePresent(json: string): PresentValue {
  switch (json.charCodeAt(0)) {
    case QUOTE:
      return json.includes('\\') ? (JSON.parse(json) as string) : json.slice(1, -1);
    case 0x7b:
      return ObjectValue.fromJson(json);
    case 0x5b:
      return ArrayValue.fromJson(json);
    case 0x74:
      return true;
    case 0x66:
      return false;
    case 0x6e:
      return null;
    default:
      return decodeNumber(json);
  }
}

const LARGEST_INTEGER = 2n ** 64n - 1n;
const SMALLEST_INTEGER = -(2n ** 63n);
/** No 64-bit integer has more digits; a longer spelling is a double, as in the engine. */
const MAX_INTEGER_LENGTH = 20;

/** A number as spelt in JSON: an integer of 64 bits, else a double. */
export function decodeNumber(text: string): bigint | number {
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code === 0x2e || code === 0x65 || code === 0x45) return Number(text);
  }
  if (text.length > MAX_INTEGER_LENGTH) return Number(text);
  const integer = BigInt(text);
  return integer > LARGEST_INTEGER || integer < SMALLEST_INTEGER ? Number(text) : integer;
}

/** Compact JSON. What JSON cannot spell (infinity, NaN) is `null`. */
export function encode(value: PresentValue): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'bigint':
      return value.toString();
    case 'number':
      return encodeDouble(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return value === null ? 'null' : value.json;
  }
}

/** The shortest digits that read back as the same double, with a point or exponent: `2.0`, `1e+300`. */
export function encodeDouble(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  const text = Object.is(value, -0) ? '-0' : String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

function readItems(json: string): PresentValue[] {
  const items: PresentValue[] = [];
  for (let start = 1; start < json.length - 1;) {
    const end = skipValue(json, start);
    items.push(decodePresent(json.slice(start, end)));
    start = end + 1;
  }
  return items;
}

function readMembers(json: string): Map<string, PresentValue> {
  const members = new Map<string, PresentValue>();
  for (let start = 1; json.charCodeAt(start) === QUOTE;) {
    const colon = skipString(json, start);
    const end = skipValue(json, colon + 1);
    members.set(decodePresent(json.slice(start, colon)) as string, decodePresent(json.slice(colon + 1, end)));
    start = json.charCodeAt(end) === COMMA ? end + 1 : end;
  }
  return members;
}

function findMember(json: string, name: string): Value {
  const literal = literalOf(name);
  for (let start = 1; json.charCodeAt(start) === QUOTE;) {
    const isFound = json.startsWith(literal, start) && json.charCodeAt(start + literal.length) === COLON;
    const value = isFound ? start + literal.length + 1 : skipString(json, start) + 1;
    const end = skipValue(json, value);
    if (isFound) return decodePresent(json.slice(value, end));
    start = json.charCodeAt(end) === COMMA ? end + 1 : end;
  }
  return undefined;
}

/** A statement looks for few names, and for each in every row. */
const MAX_LITERALS = 1000;
const literals = new Map<string, string>();

function literalOf(name: string): string {
  let literal = literals.get(name);
  if (literal === undefined) {
    literal = JSON.stringify(name);
    if (literals.size >= MAX_LITERALS) literals.clear();
    literals.set(name, literal);
  }
  return literal;
}

function writeMembers(members: ReadonlyMap<string, PresentValue>): string {
  let text = '';
  for (const [name, value] of members) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${encode(value)}`;
  return `{${text}}`;
}
