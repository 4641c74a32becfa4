import JSON5 from 'json5';
import type { Invalid, Place } from './shape.js';

/**
 * Parses JSON5, and unquoted keys with hyphens besides (`travel-sample: {…}`): JSON5 refuses them, and Edge Server's
 * documentation shows them. A key that an object has twice is an issue, as one of the two would be lost.
 * @returns `INVALID` if it is not JSON5; also the value of text with keys that are there twice
 */
export function parseJson5(text: string, root: Place): unknown {
  const { text: prepared, quotes } = quoteHyphenatedKeys(text);
  let value: unknown;
  try {
    value = JSON5.parse<unknown>(prepared);
  } catch (error) {
    return refuseSyntax(error, prepared, quotes, root);
  }
  refuseDuplicates(text, root);
  return value;
}

const SPACE = /[\s\ufeff]/;
const LINE_END = /[\n\r\u2028\u2029]/;
const KEY = /(?:[\p{ID_Continue}$\u200c\u200d-]|\\u[0-9A-Fa-f]{4})+/uy;
/** A key that JSON5 takes only in quotes. */
const HYPHENATED = /^[\p{ID_Continue}$\u200c\u200d-]*-[\p{ID_Continue}$\u200c\u200d-]*$/u;
const STRUCTURE = /[{}[\],]/;

/** Whether JSON5 text has comments, which are lost when the value is written again. */
export function hasComments(text: string): boolean {
  for (let offset = 0; offset < text.length;) {
    const char = text[offset]!;
    if (char === '"' || char === "'") offset = skipString(text, offset);
    else if (text.startsWith('//', offset) || text.startsWith('/*', offset)) return true;
    else offset++;
  }
  return false;
}

/**
 * Puts quotes around the object keys that hold hyphens. A hyphen never occurs in a JSON5 key without quotes, so text
 * that JSON5 accepts comes back unchanged; strings, comments and values are never touched.
 * @returns the text, and the offsets in it of the quotes that were put in
 */
export function quoteHyphenatedKeys(text: string): { text: string; quotes: number[] } {
  const quotes: number[] = [];
  let prepared = '';
  let copied = 0;
  for (const { kind, start, end } of tokens(text)) {
    if (kind !== 'key' || !HYPHENATED.test(text.slice(start, end))) continue;
    if (text[skipAllTrivia(text, end)] !== ':') continue;
    prepared += `${text.slice(copied, start)}"${text.slice(start, end)}"`;
    copied = end;
    quotes.push(prepared.length - (end - start) - 2, prepared.length - 1);
  }
  return { text: prepared + text.slice(copied), quotes };
}

/** An object or a list that is open at some point of the text. */
interface Open {
  readonly place: Place;
  /** For an object: its keys so far, with the offset of each. */
  readonly keys?: Map<string, number>;
  /** Where the value that comes next belongs. */
  next: Place;
  index: number;
}

/** Reports every key that an object has more than once. `text` is valid but for hyphens in keys. */
function refuseDuplicates(text: string, root: Place): void {
  const open: Open[] = [];
  for (const { kind, start, end } of tokens(text)) {
    const around = open.at(-1);
    if (kind === '{') {
      const place = around?.next ?? root;
      open.push({ place, keys: new Map(), next: place, index: 0 });
    } else if (kind === '[') {
      const place = around?.next ?? root;
      open.push({ place, next: place.at(0), index: 0 });
    } else if (kind === '}' || kind === ']') open.pop();
    else if (kind === ',' && around && !around.keys) around.next = around.place.at(++around.index);
    else if (kind === 'key' && around?.keys) {
      const key = nameOf(text.slice(start, end));
      around.next = around.place.at(key);
      const first = around.keys.get(key);
      if (first === undefined) around.keys.set(key, start);
      else
        around.next.refuse(
          `is there twice, at ${position(text, first)} and at ${position(text, start)}`,
          'Keep one of the two, or give them different names.',
        );
    }
  }
}

/** The name that a key means: quotes and escapes resolved. */
function nameOf(written: string): string {
  if (HYPHENATED.test(written)) return written;
  return Object.keys(JSON5.parse<object>(`{${written}:0}`))[0]!;
}

function position(text: string, offset: number): string {
  const lines = text.slice(0, offset).split(/\r\n|[\n\r\u2028\u2029]/);
  return `line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
}

interface Token {
  /** `key` stands for an object's key, quoted or not. */
  readonly kind: '{' | '}' | '[' | ']' | ',' | 'key';
  readonly start: number;
  readonly end: number;
}

/** The keys of the text and what structures it; of text that is not JSON5, as far as it looks like it. */
function* tokens(text: string): Generator<Token> {
  const open: string[] = [];
  let atKey = false;
  for (let offset = 0; offset < text.length;) {
    const char = text[offset]!;
    const afterTrivia = skipTrivia(text, offset);
    if (afterTrivia > offset) {
      offset = afterTrivia;
      continue;
    }
    const start = offset;
    if (char === '"' || char === "'") {
      offset = skipString(text, offset);
      if (atKey) yield { kind: 'key', start, end: offset };
      atKey = false;
      continue;
    }
    if (atKey) {
      atKey = false;
      KEY.lastIndex = offset;
      const key = KEY.exec(text)?.[0];
      if (key !== undefined) {
        offset += key.length;
        yield { kind: 'key', start, end: offset };
        continue;
      }
    }
    offset++;
    if (!STRUCTURE.test(char)) continue;
    if (char === '{' || char === '[') open.push(char);
    else if (char === '}' || char === ']') open.pop();
    atKey = char === '{' || (char === ',' && open.at(-1) === '{');
    yield { kind: char as Token['kind'], start, end: offset };
  }
}

/** The offset behind one white-space character or comment that starts at `offset`, or `offset` itself. */
function skipTrivia(text: string, offset: number): number {
  if (SPACE.test(text[offset]!)) return offset + 1;
  if (text.startsWith('/*', offset)) {
    const end = text.indexOf('*/', offset + 2);
    return end < 0 ? text.length : end + 2;
  }
  if (text.startsWith('//', offset)) {
    let end = offset + 2;
    while (end < text.length && !LINE_END.test(text[end]!)) end++;
    return end;
  }
  return offset;
}

function skipAllTrivia(text: string, offset: number): number {
  while (offset < text.length) {
    const next = skipTrivia(text, offset);
    if (next === offset) break;
    offset = next;
  }
  return offset;
}

function skipString(text: string, offset: number): number {
  const quote = text[offset]!;
  for (offset++; offset < text.length && text[offset] !== quote; offset++) if (text[offset] === '\\') offset++;
  return offset + 1;
}

/** JSON5 names the place in the prepared text; the operator looks at the original one. */
function refuseSyntax(error: unknown, prepared: string, quotes: readonly number[], root: Place): Invalid {
  const { message, lineNumber, columnNumber } = error as Error & { lineNumber?: number; columnNumber?: number };
  const what = message.replace(/^JSON5: /, '').replace(/ at \d+:\d+$/, '');
  const fix = 'Correct the JSON5 there; look for a missing comma, colon, quote or bracket just before it.';
  if (lineNumber === undefined || columnNumber === undefined) return root.refuse(`is not valid JSON5: ${what}`, fix);
  let lineStart = 0;
  for (let line = 1; line < lineNumber; line++) lineStart = prepared.indexOf('\n', lineStart) + 1;
  const added = quotes.filter((quote) => quote >= lineStart && quote < lineStart + columnNumber - 1).length;
  return root.refuse(`is not valid JSON5 at line ${lineNumber}, column ${columnNumber - added}: ${what}`, fix);
}
