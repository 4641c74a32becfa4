import { joinText, textOf } from '../evaluate/numbers.js';
import type { PresentValue } from '../values.js';
import { type ScalarFunction, strict, strictUnary } from './strict.js';

const ofText = (call: (text: string) => string | bigint): ScalarFunction =>
  strictUnary((value) => (typeof value === 'string' ? call(value) : null));

/** The number of Unicode code points. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let position = 0; position < text.length; position++) {
    const code = text.charCodeAt(position);
    if (code < 0xd800 || code > 0xdbff) continue;
    const next = text.charCodeAt(position + 1);
    if (next >= 0xdc00 && next <= 0xdfff) count--;
  }
  return count;
}

/** Cuts white space, or the characters given, from one or both ends; what is not text passes unchanged. */
const trim = (atStart: boolean, atEnd: boolean): ScalarFunction =>
  strict((value, cut?: PresentValue) => {
    if (typeof value !== 'string') return value;
    if (cut !== undefined && typeof cut !== 'string') return null;
    const characters = [...value];
    const isCut = cut === undefined ? isSpace : (character: string) => cut.includes(character);
    let start = 0;
    let end = characters.length;
    while (atStart && start < end && isCut(characters[start]!)) start++;
    while (atEnd && end > start && isCut(characters[end - 1]!)) end--;
    return characters.slice(start, end).join('');
  });

function isSpace(character: string): boolean {
  return character.trim() === '';
}

export const TEXT_FUNCTIONS = {
  LENGTH: ofText((text) => BigInt(codePoints(text))),
  LOWER: ofText((text) => text.toLowerCase()),
  UPPER: ofText((text) => text.toUpperCase()),
  TRIM: trim(true, true),
  LTRIM: trim(true, false),
  RTRIM: trim(false, true),
  CONTAINS: strict((text, part) => typeof text === 'string' && typeof part === 'string' && text.includes(part)),
  CONCAT: (...values) => {
    let text = '';
    for (const value of values) {
      if (value === undefined) return undefined;
      text = joinText(text, textOf(value));
    }
    return text;
  },
} satisfies Record<string, ScalarFunction>;
