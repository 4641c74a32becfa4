import { EdgeError } from '@edgesync/errors';
import type { Collation } from '../ast.js';
import { compareBytes } from '@edgesync/document';
import { type CompareText } from './compare.js';

/**
 * How text compares under a collation. Text of ASCII alone follows the table of the engine, which is close to the root
 * order of ICU; all other text, and text under a locale, follows ICU.
 * @throws EdgeError `query.invalid` for a locale that does not exist
 */
export function textOrder(collation: Collation): CompareText {
  const { unicode, ignoreCase, ignoreAccents, locale } = collation;
  if (!unicode) return ignoreCase ? (left, right) => compareBytes(lowerAscii(left), lowerAscii(right)) : compareBytes;
  const { compare } = new Intl.Collator(localeOf(locale), {
    sensitivity: SENSITIVITY[`${ignoreCase}-${ignoreAccents}`],
  });
  if (locale !== undefined) return compare;
  return (left, right) =>
    isAscii(left) && isAscii(right) ? compareAscii(left, right, ignoreCase) : compare(left, right);
}

const SENSITIVITY = {
  'false-false': 'variant',
  'true-false': 'accent',
  'false-true': 'case',
  'true-true': 'base',
} as const;

/** The root order goes by the name of English, which does not change it. */
const ROOT = 'en';

function localeOf(locale: string | undefined): string {
  if (locale === undefined) return ROOT;
  try {
    const tag = locale.replaceAll('_', '-');
    if (Intl.Collator.supportedLocalesOf(tag).length > 0) return tag;
  } catch {
    // Not well-formed: the same as unknown.
  }
  throw new EdgeError('query.invalid', `no collation for the locale ${JSON.stringify(locale)}`);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const BEFORE_LETTERS = '\t\n\v\f\r `^_-,;:!?.\'"()[]{}@*/\\&#%+<=>|~$0123456789';

/** The place of each ASCII character in the order, upper case with lower case. */
const PLACE = new Uint8Array(128);
for (const [index, character] of [...BEFORE_LETTERS].entries()) PLACE[character.charCodeAt(0)] = index + 1;
for (const [index, letter] of [...LETTERS].entries()) {
  PLACE[letter.charCodeAt(0)] = BEFORE_LETTERS.length + 1 + index;
  PLACE[letter.toUpperCase().charCodeAt(0)] = BEFORE_LETTERS.length + 1 + index;
}

/** Case decides only between strings that are otherwise equal; lower case comes first. */
function compareAscii(left: string, right: string, ignoreCase: boolean): number {
  const length = Math.min(left.length, right.length);
  let byCase = 0;
  for (let position = 0; position < length; position++) {
    const a = left.charCodeAt(position);
    const b = right.charCodeAt(position);
    if (a === b) continue;
    const difference = PLACE[a]! - PLACE[b]!;
    if (difference !== 0) return difference;
    if (byCase === 0) byCase = b - a;
  }
  return left.length - right.length || (ignoreCase ? 0 : byCase);
}

function isAscii(text: string): boolean {
  for (let position = 0; position < text.length; position++) if (text.charCodeAt(position) > 0x7f) return false;
  return true;
}

export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/**
 * Finds one representative for all strings that a collation holds equal, so that they meet in a Map. It remembers
 * what it has seen and lives for one run.
 */
export class Representatives {
  private readonly seen = new Map<string, string>();
  private readonly sorted: string[] = [];

  constructor(private readonly compare: CompareText) {}

  of(text: string): string {
    let representative = this.seen.get(text);
    if (representative === undefined) {
      representative = this.find(text);
      this.seen.set(text, representative);
    }
    return representative;
  }

  /** Each character replaced by its representative. */
  ofCharacters(text: string): string {
    let result = '';
    for (const character of text) result += this.of(character);
    return result;
  }

  private find(text: string): string {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.compare(text, this.sorted[middle]!);
      if (order === 0) return this.sorted[middle]!;
      if (order < 0) high = middle;
      else low = middle + 1;
    }
    this.sorted.splice(low, 0, text);
    return text;
  }
}

/** Whether text contains another, code point by code point as a collation compares them. */
export function containsCollated(collation: Collation): (text: string, part: string) => boolean {
  const representatives = new Representatives(textOrder(collation));
  return (text, part) => representatives.ofCharacters(text).includes(representatives.ofCharacters(part));
}
