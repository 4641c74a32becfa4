import type { Collation } from '../ast.js';
import { Representatives, textOrder } from './collation.js';

export type MatchText = (text: string) => boolean;

/**
 * Compiles a LIKE pattern: `%` stands for any run, `_` for one code point, a backslash before a character for that
 * character. A lone backslash at the end never matches.
 */
export function likePattern(pattern: string): MatchText {
  const parts = parse(pattern);
  if (!parts) return () => false;
  if (parts.length === 1) {
    const [only] = parts;
    return (text) => matchAt(only!, text, 0) === text.length;
  }
  const first = parts[0]!;
  const last = parts.at(-1)!;
  const middle = parts.slice(1, -1).filter((part) => part.length > 0);
  return (text) => {
    let position = matchAt(first, text, 0);
    if (position < 0) return false;
    for (const part of middle) {
      position = find(part, text, position);
      if (position < 0) return false;
    }
    const start = startOfLast(last, text);
    return start >= position && matchAt(last, text, start) === text.length;
  };
}

/** LIKE under a Unicode collation: characters are equal as the collation says, one by one. Memory lasts for its owner. */
export class CollatedLike {
  private readonly representatives: Representatives;

  constructor(collation: Collation) {
    this.representatives = new Representatives(textOrder(collation));
  }

  compile(pattern: string): MatchText {
    const match = likePattern(this.fold(pattern));
    return (text) => match(this.fold(text));
  }

  fold(text: string): string {
    let result = '';
    for (const character of text) result += SPECIAL.has(character) ? character : this.representatives.of(character);
    return result;
  }
}

/** A run of literal text, or a number of characters that may be any. */
type Piece = string | number;
/** The part between two `%`. */
type Part = readonly Piece[];

const SPECIAL = new Set(['%', '_', '\\']);

function parse(pattern: string): Part[] | undefined {
  const parts: Piece[][] = [[]];
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    let character = characters[index]!;
    const part = parts.at(-1)!;
    const before = part.at(-1);
    if (character === '%') {
      parts.push([]);
      continue;
    }
    if (character === '_') {
      if (typeof before === 'number') part[part.length - 1] = before + 1;
      else part.push(1);
      continue;
    }
    if (character === '\\') {
      index++;
      if (index === characters.length) return undefined;
      character = characters[index]!;
    }
    if (typeof before === 'string') part[part.length - 1] = before + character;
    else part.push(character);
  }
  return parts;
}

/** The offset behind a part that starts at `start`, −1 if it does not match there. */
function matchAt(part: Part, text: string, start: number): number {
  let position = start;
  for (const piece of part) {
    if (typeof piece === 'string') {
      if (!text.startsWith(piece, position)) return -1;
      position += piece.length;
    } else {
      for (let count = piece; count > 0; count--) {
        if (position >= text.length) return -1;
        position += widthAt(text, position);
      }
    }
  }
  return position;
}

/** The offset behind the first match of a part at or behind `from`, −1 if there is none. */
function find(part: Part, text: string, from: number): number {
  const [first] = part;
  if (part.length === 1 && typeof first === 'string') {
    const found = text.indexOf(first, from);
    return found < 0 ? -1 : found + first.length;
  }
  for (let start = from; start <= text.length; start += widthAt(text, start)) {
    const end = matchAt(part, text, start);
    if (end >= 0) return end;
  }
  return -1;
}

/** Where the part has to start to end with the text. */
function startOfLast(part: Part, text: string): number {
  let position = text.length;
  for (let index = part.length - 1; index >= 0; index--) {
    const piece = part[index]!;
    if (typeof piece === 'string') position -= piece.length;
    else for (let count = piece; count > 0; count--) position -= position > 1 && isPair(text, position - 2) ? 2 : 1;
  }
  return position;
}

function widthAt(text: string, position: number): number {
  return isPair(text, position) ? 2 : 1;
}

function isPair(text: string, position: number): boolean {
  const high = text.charCodeAt(position);
  if (high < 0xd800 || high > 0xdbff) return false;
  const low = text.charCodeAt(position + 1);
  return low >= 0xdc00 && low <= 0xdfff;
}
