import { damaged } from './bundle-error.js';
import { ByteReader, pushVarint } from './byte-reader.js';

/** Longer digests occur in no client: Couchbase Lite makes 20 bytes, Sync Gateway 16. */
const MAX_DIGEST_BYTES = 40;
const CURRENT = 0x80;
const SOURCE_BYTES = 16;

/** Whether the bytes of a `version` column are a version vector rather than a rev-tree ID. */
export function isVector(bytes: Uint8Array): boolean {
  return bytes[0] === 0;
}

/** `03 10c4…` → `3-10c4…`. */
export function readTreeRevId(bytes: Uint8Array): string {
  const reader = new ByteReader(bytes);
  const generation = reader.smallVarint();
  const digest = reader.take(bytes.length - reader.position);
  if (generation === 0 || digest.length === 0 || digest.length > MAX_DIGEST_BYTES)
    throw damaged('a revision ID is malformed');
  return `${generation}-${Buffer.from(digest).toString('hex')}`;
}

export function writeTreeRevId(rev: string): Uint8Array {
  const hyphen = rev.indexOf('-');
  const bytes: number[] = [];
  pushVarint(bytes, Number(rev.slice(0, hyphen)));
  return Uint8Array.from([...bytes, ...Buffer.from(rev.slice(hyphen + 1), 'hex')]);
}

/**
 * A version vector in wire form, current version first, merged ones behind commas, the rest behind a semicolon.
 * @param ownSource the source ID that stands for "this database" in the bytes
 */
export function readVector(bytes: Uint8Array, ownSource: string): string {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== 0) throw damaged('a version vector is malformed');
  const current: string[] = [];
  const rest: string[] = [];
  let time = 0n;
  while (!reader.done) {
    const first = current.length + rest.length === 0;
    const encoded = reader.varint();
    time = first ? unpackTime(encoded) : BigInt.asUintN(64, time - unpackTime(BigInt.asIntN(64, encoded)));
    const flags = reader.byte();
    const length = flags & ~CURRENT;
    if (length !== 0 && length !== SOURCE_BYTES) throw damaged('a version has a malformed source');
    const source = length === 0 ? ownSource : sourceText(reader.take(SOURCE_BYTES));
    if (time === 0n) throw damaged('a version has no time');
    const version = `${time.toString(16)}@${source}`;
    if (first || (flags & CURRENT) !== 0) current.push(version);
    else rest.push(version);
  }
  if (current.length === 0) throw damaged('a version vector is empty');
  return vectorText(current, rest);
}

/**
 * The form {@link readVector} reads; every source is written out. Times up to 2^62 nanoseconds, the year 2116: the form
 * has no room for larger differences.
 */
export function writeVector(vector: string): Uint8Array {
  const [currentText = '', restText = ''] = vector.split(';');
  const entries = [
    ...versions(currentText).map((version) => ({ version, current: true })),
    ...versions(restText).map((version) => ({ version, current: false })),
  ];
  const bytes: number[] = [0];
  let last: bigint | undefined;
  for (const { version, current } of entries) {
    const at = version.indexOf('@');
    const time = BigInt(`0x${version.slice(0, at)}`);
    pushVarint(bytes, BigInt.asUintN(64, packTime(last === undefined ? time : BigInt.asIntN(64, last - time))));
    bytes.push((current ? CURRENT : 0) | SOURCE_BYTES, ...Buffer.from(version.slice(at + 1), 'base64'));
    last = time;
  }
  return Uint8Array.from(bytes);
}

/** 16 bytes as a source ID. */
export function sourceText(bytes: Uint8Array): string {
  if (bytes.length !== SOURCE_BYTES) throw damaged('a database UUID is malformed');
  return Buffer.from(bytes).toString('base64').slice(0, 22);
}

/** A zero counter, the low 16 bits, is left out: an even number stands for the time without it. */
const unpackTime = (encoded: bigint): bigint => ((encoded & 1n) === 1n ? encoded >> 1n : encoded << 15n);

const packTime = (time: bigint): bigint => ((time & 0xffffn) === 0n ? time >> 15n : (time << 1n) | 1n);

const versions = (text: string): string[] =>
  text
    .split(',')
    .map((version) => version.trim())
    .filter((version) => version !== '');

function vectorText(current: readonly string[], rest: readonly string[]): string {
  const head = current.join(', ');
  if (rest.length > 0) return `${head}; ${rest.join(', ')}`;
  return current.length > 1 ? `${head};` : head;
}
