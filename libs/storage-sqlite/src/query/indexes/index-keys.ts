import { compareBytes } from '@edgesync/document';
import { isArray, type PresentValue, type Value } from '@edgesync/query';

/** A value as a column of an index holds it. */
export type IndexKey = number | bigint | string | Buffer;

/**
 * SQLite orders these as the evaluator orders values: MISSING below all numbers, numbers and booleans, text, and blobs
 * for null, arrays and objects. Equal values have equal keys.
 */
export function indexKey(value: Value): IndexKey {
  switch (typeof value) {
    case 'undefined':
      return MISSING_KEY;
    case 'boolean':
      return value ? 1 : 0;
    case 'bigint':
      return value > LARGEST_INTEGER || value < SMALLEST_INTEGER ? Number(value) : value;
    case 'number':
      return value === -Infinity ? -Number.MAX_VALUE : value;
    case 'string':
      return value;
    default:
      return value === null ? NULL_KEY : containerKey(value);
  }
}

/** Below every number: no document has this value, see {@link isExact}. */
export const MISSING_KEY = -Infinity;
/** The first blob: behind all text. */
export const NULL_KEY = Buffer.of(0);
/** Behind null, and before every container. */
export const AFTER_NULL = Buffer.of(1);

const LARGEST_INTEGER = 2n ** 63n - 1n;
const SMALLEST_INTEGER = -(2n ** 63n);

/**
 * Whether no value of another order has the key of this one. The others are integers beyond 64 bits with sign,
 * −Infinity, and text that is not well-formed.
 */
export function isExact(value: Value): boolean {
  switch (typeof value) {
    case 'bigint':
      return value <= LARGEST_INTEGER && value >= SMALLEST_INTEGER;
    case 'number':
      return value !== -Infinity;
    case 'string':
      return value.isWellFormed();
    case 'object':
      // In normal form only surrogates that stand alone are escaped so.
      return value === null || !value.json.includes('\\ud');
    default:
      return true;
  }
}

/** Whether two keys of the same column are the same. */
export function sameKey(left: IndexKey, right: IndexKey): boolean {
  return left === right || compareKeys(left, right) === 0;
}

const END = 0;
const TAGS = { false: 0x10, true: 0x11, number: 0x20, string: 0x30, null: 0x40, array: 0x50, object: 0x60 } as const;
const ARRAY = 1;
const OBJECT = 2;

/** Bytes in the order of containers: item by item, member by member in the order of their names. */
function containerKey(value: Extract<PresentValue, object>): Buffer {
  const bytes: number[] = [isArray(value) ? ARRAY : OBJECT];
  writeContent(value, bytes);
  return Buffer.from(bytes);
}

function writeContent(value: Extract<PresentValue, object>, bytes: number[]): void {
  if (isArray(value)) for (const item of value.items) writeInside(item, bytes);
  else
    for (const [name, member] of [...value.members].sort(([a], [b]) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    )) {
      writeText(name, bytes);
      writeInside(member, bytes);
    }
  bytes.push(END);
}

function writeInside(value: PresentValue, bytes: number[]): void {
  switch (typeof value) {
    case 'boolean':
      bytes.push(value ? TAGS.true : TAGS.false);
      return;
    case 'string':
      return writeText(value, bytes);
    case 'object':
      if (value === null) bytes.push(TAGS.null);
      else {
        bytes.push(isArray(value) ? TAGS.array : TAGS.object);
        writeContent(value, bytes);
      }
      return;
    default:
      writeNumber(value, bytes);
  }
}

/** UTF-8 with an end that is below every character; a NUL is marked. */
function writeText(text: string, bytes: number[]): void {
  bytes.push(TAGS.string);
  for (const byte of Buffer.from(text)) {
    bytes.push(byte);
    if (byte === 0) bytes.push(0xff);
  }
  bytes.push(0, 1);
}

const scratch = new DataView(new ArrayBuffer(8));

/** The double in an order of bytes, and how far an integer is from its double. */
function writeNumber(value: number | bigint, bytes: number[]): void {
  const double = Number(value) + 0;
  const rest = typeof value === 'bigint' ? Number(value - BigInt(double)) : 0;
  scratch.setFloat64(0, double);
  const flip = double < 0 ? 0xff : 0;
  bytes.push(TAGS.number);
  for (let index = 0; index < 8; index++)
    bytes.push(index === 0 && flip === 0 ? scratch.getUint8(0) ^ 0x80 : scratch.getUint8(index) ^ flip);
  bytes.push((rest + 0x8000) >> 8, (rest + 0x8000) & 0xff);
}

/** The order that SQLite gives keys. */
export function compareKeys(left: IndexKey, right: IndexKey): number {
  const difference = classOf(left) - classOf(right);
  if (difference !== 0) return difference;
  if (typeof left === 'string') return compareBytes(left, right as string);
  if (typeof left === 'object') return Buffer.compare(left, right as Buffer);
  return left < (right as number | bigint) ? -1 : left > (right as number | bigint) ? 1 : 0;
}

function classOf(key: IndexKey): number {
  return typeof key === 'string' ? 1 : typeof key === 'object' ? 2 : 0;
}
