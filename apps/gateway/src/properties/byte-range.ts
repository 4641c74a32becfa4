import { EdgeError } from '@edgesync/errors';

export interface ByteRange {
  readonly start: number;
  /** The last byte, inclusive. */
  readonly end: number;
}

/**
 * Reads a `Range` header (RFC 9110, 14).
 * @returns undefined if the whole content is to be sent: no header, another unit, several ranges, or malformed
 * @throws EdgeError `request.range` if the range lies outside of the content
 */
export function readRange(header: string | undefined, length: number): ByteRange | undefined {
  const match = header === undefined ? null : /^\s*bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header);
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  if (match[1] === '') return checked(Math.max(length - Number(match[2]), 0), length - 1, length);
  const start = Number(match[1]);
  const end = match[2] === '' ? length - 1 : Number(match[2]);
  if (match[2] !== '' && end < start) return undefined;
  return checked(start, Math.min(end, length - 1), length);
}

function checked(start: number, end: number, length: number): ByteRange {
  if (start >= length || end < start) throw new EdgeError('request.range');
  return { start, end };
}
