import { skipString } from './json-text.js';

/**
 * The form of a body that revision digests are made of (docs/protocol/revisions.md#digests): compact, keys sorted by
 * their UTF-8 bytes at every level, strings and numbers in one spelling, so that peers that make the same edit get the
 * same ID.
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

/** Walks normal-form JSON; each method moves over one value and returns its canonical text, or undefined if it is canonical already. */
class CanonicalWriter {
  private position = 0;
  /** Whether two keys were compared whose spelling does not decide their order. */
  private metAmbiguity = false;
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
      if (sorted && count > 0) sorted = this.isBefore(starts[count - 1]!, start);
      this.position = colon + 1;
      const changed = this.value();
      if (changed !== undefined) (values ??= [])[count] = changed;
      starts.push(start);
      colons.push(colon);
      ends.push(this.position);
    } while (json.charCodeAt(this.position) === COMMA);
    this.position++;
    if (sorted && values === undefined && !this.hasSpecialCharacters) return undefined;

    let text = '';
    for (const index of sorted ? starts.keys() : this.order(starts, colons)) {
      text += text === '' ? '{' : ',';
      const changed = values?.[index];
      if (changed === undefined && !this.hasSpecialCharacters) text += json.slice(starts[index], ends[index]);
      else {
        const literal = json.slice(starts[index], colons[index]);
        text += `${respell(literal) ?? literal}:${changed ?? json.slice(colons[index]! + 1, ends[index])}`;
      }
    }
    return `${text}}`;
  }

  /** Indexes of the members in canonical order. */
  private order(starts: readonly number[], colons: readonly number[]): readonly number[] {
    if (starts.length <= INSERTION_SORT_LIMIT) {
      this.metAmbiguity = false;
      const order: number[] = [];
      for (let index = 0; index < starts.length; index++) {
        let place = index;
        for (; place > 0 && this.isBefore(starts[index]!, starts[order[place - 1]!]!); place--)
          order[place] = order[place - 1]!;
        order[place] = index;
      }
      if (!this.metAmbiguity) return order;
    }
    const keys = starts.map((start, index) => JSON.parse(this.json.slice(start, colons[index])) as string);
    return [...starts.keys()].sort((a, b) => compareCodePoints(keys[a]!, keys[b]!));
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
      if (code > 0x39 || (code < 0x30 && position !== start)) isPlainInteger = false;
      position++;
    }
    this.position = position;
    // Any integer of 18 characters fits 64 bits; "-0" is the only one with two spellings.
    if (isPlainInteger && position - start <= 18 && !json.startsWith('-0', start)) return undefined;
    const text = json.slice(start, position);
    const canonical = canonicalNumber(text);
    return canonical === text ? undefined : canonical;
  }

  /**
   * Whether the key that starts at one offset sorts before that at another. If their spelling does not decide, the
   * answer is no and {@link metAmbiguity} is set.
   */
  private isBefore(start: number, other: number): boolean {
    const { json } = this;
    for (let offset = 1; ; offset++) {
      const code = json.charCodeAt(start + offset);
      const otherCode = json.charCodeAt(other + offset);
      if (isAmbiguous(code) || isAmbiguous(otherCode)) {
        this.metAmbiguity = true;
        return false;
      }
      // The closing quote ends the shorter key, which comes first.
      if (code === QUOTE) return otherCode !== QUOTE;
      if (otherCode === QUOTE) return false;
      if (code !== otherCode) return code < otherCode;
    }
  }
}

/** Objects up to this size are sorted in place of their text; above it, the quadratic cost shows. */
const INSERTION_SORT_LIMIT = 24;

/** Characters whose order as spelt, in UTF-16, may differ from their order in UTF-8. */
function isAmbiguous(code: number): boolean {
  return code === BACKSLASH || code >= 0xd800;
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

/** LiteCore spells backspace, form feed and delete as `\u00xx`. */
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
