import { EdgeError } from '@edgesync/errors';

/**
 * Text patches of deltas (docs/protocol/blobs-and-deltas.md#delta-format): `n=` copies n bytes of the old string, `n-`
 * skips n bytes, `n+text|` inserts n bytes. Counts are bytes of UTF-8, and the old string must be used up exactly.
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const COPY = 0x3d;
const SKIP = 0x2d;
const INSERT = 0x2b;
const BAR = 0x7c;

/** @throws EdgeError `delta.invalid` */
export function applyTextPatch(old: string, patch: string): string {
  if (!old.isWellFormed() || !patch.isWellFormed()) throw invalid('a text patch needs valid Unicode');
  const source = encoder.encode(old);
  const script = encoder.encode(patch);
  const parts: Uint8Array[] = [];
  let used = 0;
  let position = 0;
  while (position < script.length) {
    let count = 0;
    const digits = position;
    for (; isDigit(script[position]); position++) {
      count = count * 10 + script[position]! - 0x30;
      if (count > source.length + script.length) throw invalid('a text patch counts more bytes than there are');
    }
    if (position === digits) throw invalid('a text patch operation starts with a count');
    const operation = script[position++];
    if (operation === COPY || operation === SKIP) {
      if (used + count > source.length) throw invalid('a text patch counts more bytes than there are');
      if (operation === COPY) parts.push(source.subarray(used, used + count));
      used += count;
    } else if (operation === INSERT) {
      if (script[position + count] !== BAR) throw invalid('the text inserted by a patch does not end where it should');
      parts.push(script.subarray(position, position + count));
      position += count + 1;
    } else throw invalid('unknown operation in a text patch');
  }
  if (used !== source.length) throw invalid('a text patch does not use up the old string');
  try {
    return decoder.decode(concatenate(parts));
  } catch {
    throw invalid('a text patch splits a character');
  }
}

/**
 * A patch that replaces what differs between the common start and the common end, undefined if there is none that is
 * exact. Its size is for the caller to judge.
 */
export function createTextPatch(old: string, next: string): string | undefined {
  if (!old.isWellFormed() || !next.isWellFormed()) return undefined;
  const from = encoder.encode(old);
  const to = encoder.encode(next);
  const shorter = Math.min(from.length, to.length);
  let prefix = 0;
  while (prefix < shorter && from[prefix] === to[prefix]) prefix++;
  while (prefix > 0 && (isContinuation(from[prefix]) || isContinuation(to[prefix]))) prefix--;
  let suffix = 0;
  while (suffix < shorter - prefix && from[from.length - 1 - suffix] === to[to.length - 1 - suffix]) suffix++;
  while (suffix > 0 && isContinuation(from[from.length - suffix])) suffix--;

  const removed = from.length - prefix - suffix;
  const inserted = to.subarray(prefix, to.length - suffix);
  return [
    prefix > 0 ? `${prefix}=` : '',
    removed > 0 ? `${removed}-` : '',
    inserted.length > 0 ? `${inserted.length}+${decoder.decode(inserted)}|` : '',
    suffix > 0 ? `${suffix}=` : '',
  ].join('');
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

/** Whether a byte is inside a UTF-8 character. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function invalid(reason: string): EdgeError {
  return new EdgeError('delta.invalid', reason);
}
