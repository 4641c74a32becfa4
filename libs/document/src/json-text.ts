import { JsonScanner } from './json-scanner.js';
import { readJsonTree, writeJsonTree } from './json-tree.js';

/**
 * Text in *normal form* is valid JSON, compact, without duplicate keys, every string spelt as `JSON.stringify` spells
 * it, numbers as their author wrote them. {@link checkJson} and `readBody` make it; everything else here expects it.
 */

/**
 * Checks any JSON value and returns it in normal form.
 * @throws EdgeError `request.json`, `doc.invalid` (nested too deep)
 */
export function checkJson(text: string): string {
  const scanner = new JsonScanner(text);
  scanner.next();
  scanner.begin();
  scanner.value(0);
  const compact = scanner.take();
  scanner.end();
  return scanner.irregular ? rewriteJson(compact) : compact;
}

/** The normal form of valid compact JSON, exact and slow: for what the scanner found irregular. */
export function rewriteJson(json: string): string {
  return writeJsonTree(readJsonTree(json));
}

/** One member of an object. */
export interface JsonMember {
  readonly key: string;
  readonly valueText: string;
}

/** Where a member lies in the text. */
interface MemberSpan {
  /** The opening quote of the key. */
  readonly start: number;
  /** The first character of the value. */
  readonly value: number;
  /** Behind the value. */
  readonly end: number;
}

/**
 * The members of an object in order, values as text.
 * @param json an object in normal form
 */
export function* topLevelMembers(json: string): Generator<JsonMember, void, undefined> {
  for (const { start, value, end } of memberSpans(json)) {
    const literal = json.slice(start, value - 1);
    yield { key: JSON.parse(literal) as string, valueText: json.slice(value, end) };
  }
}

/** An object of these members, whose keys differ. */
export function joinMembers(members: readonly JsonMember[]): string {
  return `{${members.map(({ key, valueText }) => `${JSON.stringify(key)}:${valueText}`).join()}}`;
}

/**
 * The text of a member's value, undefined if there is no such member.
 * @param json an object in normal form
 */
export function getMember(json: string, key: string): string | undefined {
  const span = findMember(json, key);
  return span && json.slice(span.value, span.end);
}

/**
 * The object with one member replaced in place, or added at the end.
 * @param json an object in normal form
 * @param valueText a value in normal form
 */
export function setMember(json: string, key: string, valueText: string): string {
  const span = findMember(json, key);
  if (span) return json.slice(0, span.value) + valueText + json.slice(span.end);
  const comma = json === '{}' ? '' : ',';
  return `${json.slice(0, -1)}${comma}${JSON.stringify(key)}:${valueText}}`;
}

/**
 * The object without one member; the same text if there is no such member.
 * @param json an object in normal form
 */
export function removeMember(json: string, key: string): string {
  const span = findMember(json, key);
  return span ? cutSpans(json, [span]) : json;
}

/**
 * The object without the members that lie in `spans`.
 * @param json a compact object
 * @param spans in order, each from a key's quote up to the end of the value
 */
export function cutSpans(json: string, spans: readonly { readonly start: number; readonly end: number }[]): string {
  let kept = '';
  let from = 1;
  for (const { start, end } of [...spans, { start: json.length - 1, end: json.length }]) {
    const isAfterComma = start > from && json.charCodeAt(start - 1) === COMMA;
    const part = json.slice(from, isAfterComma ? start - 1 : start);
    if (part !== '') kept += kept === '' ? part : `,${part}`;
    from = json.charCodeAt(end) === COMMA ? end + 1 : end;
  }
  return `{${kept}}`;
}

function findMember(json: string, key: string): MemberSpan | undefined {
  const literal = JSON.stringify(key);
  if (!json.includes(literal)) return undefined;
  for (const span of memberSpans(json))
    if (span.value - span.start === literal.length + 1 && json.startsWith(literal, span.start)) return span;
  return undefined;
}

function* memberSpans(json: string): Generator<MemberSpan, void, undefined> {
  let position = 1;
  while (json.charCodeAt(position) === QUOTE) {
    const value = skipString(json, position) + 1;
    const end = skipValue(json, value);
    yield { start: position, value, end };
    position = end + 1;
  }
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** The offset behind the string that starts at `start`, in valid JSON. */
export function skipString(json: string, start: number): number {
  let position = start + 1;
  // A native search is quicker per character but costs more to call than a short string has characters.
  for (const near = position + NATIVE_SEARCH_LENGTH; position < near; position++) {
    const code = json.charCodeAt(position);
    if (code === QUOTE) return position + 1;
    if (code === BACKSLASH) position++;
  }
  position = json.indexOf('"', position);
  while (isEscaped(json, position)) position = json.indexOf('"', position + 1);
  return position + 1;
}

const NATIVE_SEARCH_LENGTH = 24;

/** Whether an odd number of backslashes stands before `position`. */
function isEscaped(json: string, position: number): boolean {
  let before = position - 1;
  while (json.charCodeAt(before) === BACKSLASH) before--;
  return (position - before) % 2 === 0;
}

/** The offset behind the value that starts at `start`, in valid compact JSON. */
export function skipValue(json: string, start: number): number {
  let depth = 0;
  let position = start;
  for (;;) {
    const code = json.charCodeAt(position);
    if (code === QUOTE) position = skipString(json, position);
    else if (code === 0x7b || code === 0x5b) {
      depth++;
      position++;
      continue;
    } else if (code === 0x7d || code === 0x5d) {
      // The end of the object around a number or literal, or of a container that was opened here.
      if (depth === 0) return position;
      depth--;
      position++;
    } else if (depth > 0) {
      position++;
      continue;
    } else {
      position++;
      while (!isScalarEnd(json.charCodeAt(position))) position++;
    }
    if (depth === 0) return position;
  }
}

/** Whether a number, `true`, `false` or `null` ends before this character (NaN: the end of the text). */
function isScalarEnd(code: number): boolean {
  return code === COMMA || code === 0x7d || code === 0x5d || Number.isNaN(code);
}
