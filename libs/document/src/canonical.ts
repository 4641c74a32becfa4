import { skipString } from './json-text.js';

/**
 * The form of a body that revision digests are made of (wire E.2): compact, keys sorted by their UTF-8 bytes at every
 * level, strings and numbers in one spelling, so that peers that make the same edit get the same ID.
 * @param json a value in normal form
 */
export function canonicalJson(json: string): string {
  return new CanonicalWriter(json).value() ?? json;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

interface Member {
  /** The key between its quotes, as spelt in the text. */
  readonly key: string;
  /** Canonical `"key":value`. */
  readonly text: string;
}

/** Walks normal-form JSON; each method moves over one value and returns its canonical text, or undefined if it is canonical already. */
class CanonicalWriter {
  private position = 0;
  /** Whether any string may hold a character that LiteCore escapes differently from `JSON.stringify`. */
  private readonly hasSpecialCharacters: boolean;

  constructor(private readonly json: string) {
    this.hasSpecialCharacters = json.includes('\\b') || json.includes('\\f') || json.includes('\x7f');
  }

  value(): string | undefined {
    const code = this.json.charCodeAt(this.position);
    if (code === QUOTE) return this.string();
    if (code === 0x7b) return this.object();
    if (code === 0x5b) return this.array();
    if (code === 0x74 || code === 0x6e) return this.skip(4);
    if (code === 0x66) return this.skip(5);
    return this.number();
  }

  private skip(length: number): undefined {
    this.position += length;
  }

  private string(): string | undefined {
    const start = this.position;
    this.position = skipString(this.json, start);
    return this.hasSpecialCharacters ? respell(this.json.slice(start, this.position)) : undefined;
  }

  private object(): string | undefined {
    const { json } = this;
    if (json.charCodeAt(this.position + 1) === CLOSE_BRACE) return this.skip(2);
    const starts: number[] = [];
    const colons: number[] = [];
    const ends: number[] = [];
    let values: (string | undefined)[] | undefined;
    let sorted = true;
    do {
      const start = ++this.position;
      const colon = skipString(json, start);
      const count = starts.length;
      if (sorted && count > 0) sorted = this.isBefore(starts[count - 1]!, colons[count - 1]!, start, colon);
      this.position = colon + 1;
      const changed = this.value();
      if (changed !== undefined) (values ??= [])[count] = changed;
      starts.push(start);
      colons.push(colon);
      ends.push(this.position);
    } while (json.charCodeAt(this.position) === COMMA);
    this.position++;
    if (sorted && values === undefined && !this.hasSpecialCharacters) return undefined;

    const members: Member[] = starts.map((start, index) => {
      const key = json.slice(start + 1, colons[index]! - 1);
      const changed = values?.[index];
      if (changed === undefined && !this.hasSpecialCharacters) return { key, text: json.slice(start, ends[index]) };
      const literal = json.slice(start, colons[index]);
      return { key, text: `${respell(literal) ?? literal}:${changed ?? json.slice(colons[index]! + 1, ends[index])}` };
    });
    if (!sorted) members.sort(compareMembers);
    let text = '{';
    for (const member of members) text += text.length === 1 ? member.text : `,${member.text}`;
    return `${text}}`;
  }

  private array(): string | undefined {
    const { json } = this;
    if (json.charCodeAt(this.position + 1) === CLOSE_BRACKET) return this.skip(2);
    let text: string | undefined;
    /** Up to where `text` covers the input. */
    let covered = this.position;
    do {
      const start = ++this.position;
      const changed = this.value();
      if (changed === undefined) continue;
      text = (text ?? '') + json.slice(covered, start) + changed;
      covered = this.position;
    } while (json.charCodeAt(this.position) === COMMA);
    this.position++;
    return text === undefined ? undefined : text + json.slice(covered, this.position);
  }

  private number(): string | undefined {
    const { json } = this;
    const start = this.position;
    let position = start;
    let isPlainInteger = true;
    for (;;) {
      const code = json.charCodeAt(position);
      if (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || Number.isNaN(code)) break;
      if ((code < 0x30 && position !== start) || code > 0x39 || code === 0x2e) isPlainInteger = false;
      position++;
    }
    this.position = position;
    // Any integer of 18 characters fits 64 bits; "-0" is the only one with two spellings.
    if (isPlainInteger && position - start <= 18 && !json.startsWith('-0', start)) return undefined;
    const text = json.slice(start, position);
    const canonical = canonicalNumber(text);
    return canonical === text ? undefined : canonical;
  }

  /** Whether the key at one place sorts before that at another. Doubt counts as no: the sort then decides. */
  private isBefore(start: number, end: number, otherStart: number, otherEnd: number): boolean {
    const { json } = this;
    const length = Math.min(end - start, otherEnd - otherStart) - 1;
    for (let offset = 1; offset < length; offset++) {
      const code = json.charCodeAt(start + offset);
      const other = json.charCodeAt(otherStart + offset);
      if (isAmbiguous(code) || isAmbiguous(other)) return false;
      if (code !== other) return code < other;
    }
    return end - start < otherEnd - otherStart;
  }
}

/** Characters whose order as spelt, in UTF-16, may differ from their order in UTF-8. */
function isAmbiguous(code: number): boolean {
  return code === BACKSLASH || code >= 0xd800;
}

const AMBIGUOUS = /[\\\ud800-\uffff]/;

function compareMembers(a: Member, b: Member): number {
  if (AMBIGUOUS.test(a.key) || AMBIGUOUS.test(b.key)) return compareCodePoints(unescape(a.key), unescape(b.key));
  return a.key < b.key ? -1 : 1;
}

function unescape(key: string): string {
  return JSON.parse(`"${key}"`) as string;
}

/** The order of the UTF-8 bytes is the order of the code points. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const difference = a.codePointAt(index)! - b.codePointAt(index)!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** LiteCore spells backspace, form feed and delete as `\\u00xx`. */
function respell(literal: string): string | undefined {
  if (!/\\[bf]|\x7f/.test(literal)) return undefined;
  return literal.replace(/\\(.)|\x7f/g, (match, escaped: string | undefined) => {
    if (escaped === 'b') return '\\u0008';
    if (escaped === 'f') return '\\u000c';
    return match === '\x7f' ? '\\u007f' : match;
  });
}

const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/** An integer within 64 bits has its exact digits, any other number the shortest that read back as the same double. */
function canonicalNumber(text: string): string {
  if (/^-?[0-9]+$/.test(text)) {
    const integer = text.length <= 21 ? BigInt(text) : undefined;
    if (integer !== undefined && integer >= MIN_INT64 && integer <= MAX_UINT64) return integer.toString();
  }
  const value = Number(text);
  // Beyond the range of doubles there is no shorter spelling to agree on.
  if (!Number.isFinite(value)) return text;
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) return BigInt(value).toString();
  return String(value);
}
