/** Bytes of a string in UTF-8. Half of a surrogate pair counts three, as U+FFFD would. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      // A pair is two units and four bytes.
      bytes += 2;
      index++;
    } else bytes += 2;
  }
  return bytes;
}

/** Whether a text takes more than `limit` bytes in UTF-8; measures only where the length leaves it open. */
export function exceedsBytes(text: string, limit: number): boolean {
  if (text.length > limit) return true;
  return text.length * 3 > limit && utf8Length(text) > limit;
}

export function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Code units that UTF-8 orders otherwise than UTF-16: surrogates stand for code points above all others. */
const FIRST_SURROGATE = 0xd800;

/** The order of the UTF-8 bytes of two strings. */
export function compareBytes(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let position = 0; position < length; position++) {
    const a = left.charCodeAt(position);
    const b = right.charCodeAt(position);
    if (a !== b) return a >= FIRST_SURROGATE && b >= FIRST_SURROGATE ? utf8Rank(a) - utf8Rank(b) : a - b;
  }
  return left.length - right.length;
}

function utf8Rank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x2000 : unit + 0x2000;
}
