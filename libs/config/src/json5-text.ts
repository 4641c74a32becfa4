import JSON5 from 'json5';
import type { ConfigIssue } from './config-issue.js';

/**
 * Parses JSON5, and unquoted keys with hyphens besides (`travel-sample: {…}`), which the product's documentation
 * shows although JSON5 refuses them (ref 3.1).
 */
export function parseJson5(text: string, file: string): { value: unknown } | ConfigIssue {
  const { text: prepared, quotes } = quoteHyphenatedKeys(text);
  try {
    return { value: JSON5.parse<unknown>(prepared) };
  } catch (error) {
    return { file, path: '', ...describeSyntaxError(error, prepared, quotes) };
  }
}

const SPACE = /[\s\ufeff]/;
const LINE_END = /[\n\r\u2028\u2029]/;
const KEY = /[\p{ID_Continue}$\u200c\u200d-]+/uy;

/**
 * Puts quotes around the object keys that hold hyphens. A hyphen never occurs in a JSON5 key without quotes, so text
 * that JSON5 accepts comes back unchanged; strings, comments and values are never touched.
 * @returns the text, and the offsets in it of the quotes that were put in
 */
export function quoteHyphenatedKeys(text: string): { text: string; quotes: number[] } {
  const quotes: number[] = [];
  const open: string[] = [];
  let prepared = '';
  let copied = 0;
  let atKey = false;
  for (let offset = 0; offset < text.length;) {
    const char = text[offset]!;
    const afterTrivia = skipTrivia(text, offset);
    if (afterTrivia > offset) {
      offset = afterTrivia;
      continue;
    }
    if (char === '"' || char === "'") {
      offset = skipString(text, offset);
      atKey = false;
      continue;
    }
    if (atKey) {
      KEY.lastIndex = offset;
      const key = KEY.exec(text)?.[0];
      if (key !== undefined && key.includes('-') && text[skipAllTrivia(text, offset + key.length)] === ':') {
        prepared += `${text.slice(copied, offset)}"${key}"`;
        copied = offset + key.length;
        quotes.push(prepared.length - key.length - 2, prepared.length - 1);
      }
      offset += key?.length ?? 0;
      atKey = false;
      if (key !== undefined) continue;
    }
    if (char === '{' || char === '[') open.push(char);
    else if (char === '}' || char === ']') open.pop();
    atKey = char === '{' || (char === ',' && open.at(-1) === '{');
    offset++;
  }
  return { text: prepared + text.slice(copied), quotes };
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

/** JSON5 tells the place in the prepared text; the operator looks at the original one. */
function describeSyntaxError(error: unknown, prepared: string, quotes: readonly number[]) {
  const { message, lineNumber, columnNumber } = error as Error & { lineNumber?: number; columnNumber?: number };
  const what = message.replace(/^JSON5: /, '').replace(/ at \d+:\d+$/, '');
  const fix = 'Correct the JSON5 there; look for a missing comma, colon, quote or bracket just before it.';
  if (lineNumber === undefined || columnNumber === undefined) return { problem: `is not valid JSON5: ${what}`, fix };
  let lineStart = 0;
  for (let line = 1; line < lineNumber; line++) lineStart = prepared.indexOf('\n', lineStart) + 1;
  const added = quotes.filter((quote) => quote >= lineStart && quote < lineStart + columnNumber - 1).length;
  return { problem: `is not valid JSON5 at line ${lineNumber}, column ${columnNumber - added}: ${what}`, fix };
}
