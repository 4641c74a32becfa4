import { EdgeError } from '@edgesync/errors';
import { MAX_APP_NESTING, MAX_NESTING } from './limits.js';
import { isLowSurrogate } from './utf8.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Members up to which earlier keys are compared one by one; a set costs more than that for the usual small object. */
const LINEAR_KEYS = 32;

/**
 * Checks JSON in one pass over the text without building values, and drops white space on the way.
 *
 * Text that is already compact costs no copy: the output is a slice of the input. Two things are only noticed here and
 * left to an exact rewrite ({@link irregular}): duplicate keys, and strings that are not spelt as `JSON.stringify` would.
 */
export class JsonScanner {
  /** Offset of the next character. */
  position = 0;
  /** Whether the output needs a rewrite: a key occurs twice, or a string has an unusual spelling. */
  irregular = false;
  /** The first thing since {@link begin} that no Couchbase Lite app can read, with its place; undefined if there is none. */
  obstacle: string | undefined;
  /** Output before {@link chunkStart}. */
  private output = '';
  private chunkStart = 0;
  /** Keys of the objects being read, innermost last: where they start, and a fingerprint to compare first. */
  private readonly keyStarts: number[] = [];
  private readonly keyPrints: number[] = [];
  private keyCount = 0;

  constructor(readonly text: string) {}

  /** Starts a new output at the current position. */
  begin(): void {
    this.output = '';
    this.chunkStart = this.position;
    this.irregular = false;
    this.obstacle = undefined;
  }

  /** Notes what no Couchbase Lite app can read; see {@link obstacle}. */
  meetObstacle(what: string, position = this.position): void {
    this.obstacle ??= `${what} at offset ${position}`;
  }

  /** Offset in the output that corresponds to {@link position}. */
  get outputPosition(): number {
    return this.output.length + this.position - this.chunkStart;
  }

  /** The output since {@link begin}. */
  take(): string {
    const rest = this.text.slice(this.chunkStart, this.position);
    return this.output === '' ? rest : this.output + rest;
  }

  /** Skips white space, leaving it out of the output; returns the code of the character found (NaN at the end). */
  next(): number {
    const code = this.text.charCodeAt(this.position);
    return code > 0x20 ? code : this.skipSpace();
  }

  private skipSpace(): number {
    const { text } = this;
    const start = this.position;
    let position = start;
    let code = text.charCodeAt(position);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++position);
    if (position !== start) {
      if (start !== this.chunkStart) this.output += text.slice(this.chunkStart, start);
      this.chunkStart = position;
      this.position = position;
    }
    return code;
  }

  /** @throws EdgeError `request.json` unless only white space is left */
  end(): void {
    const position = this.position;
    if (!Number.isNaN(this.next())) throw this.fault('there is text after the end of the value');
    this.position = position;
  }

  /**
   * Reads one value, which starts at the current position.
   * @param depth objects and arrays around it
   * @throws EdgeError `request.json` for bad syntax, `doc.invalid` for too deep nesting
   */
  value(depth: number): void {
    const code = this.text.charCodeAt(this.position);
    switch (code) {
      case QUOTE:
        return this.string();
      case OPEN_BRACE:
        return this.object(depth + 1);
      case OPEN_BRACKET:
        return this.array(depth + 1);
      case 0x74:
        return this.literal('true');
      case 0x66:
        return this.literal('false');
      case 0x6e:
        return this.literal('null');
      default:
        if (code === MINUS || (code >= ZERO && code <= NINE)) return this.number(code);
        throw this.fault('expected a value');
    }
  }

  /**
   * Reads an object, which starts at the current position.
   * @param depth objects and arrays around it, itself included
   * @param readValue reads the values instead of {@link value}, given the member
   */
  object(depth: number, readValue?: MemberReader): void {
    this.checkDepth(depth);
    this.position++;
    if (this.next() === CLOSE_BRACE) {
      this.position++;
      return;
    }
    const firstKey = this.keyCount;
    let seen: Set<string> | undefined;
    for (;;) {
      if (this.text.charCodeAt(this.position) !== QUOTE) throw this.fault('expected a key');
      const keyStart = this.position;
      const keyOutput = readValue === undefined ? 0 : this.outputPosition;
      this.string();
      const keyEnd = this.position;
      if (seen !== undefined || this.keyCount - firstKey >= LINEAR_KEYS)
        seen = this.rememberInSet(seen, firstKey, keyStart, keyEnd);
      else this.remember(firstKey, keyStart, keyEnd);

      if (this.next() !== COLON) throw this.fault('expected ":"');
      this.position++;
      this.next();
      if (readValue === undefined) this.value(depth);
      else readValue(keyStart, keyEnd, keyOutput);

      const code = this.next();
      this.position++;
      if (code === CLOSE_BRACE) break;
      if (code !== COMMA) throw this.fault('expected "," or "}"', this.position - 1);
      this.next();
    }
    this.keyCount = firstKey;
  }

  private remember(firstKey: number, start: number, end: number): void {
    const { text, keyStarts, keyPrints, keyCount } = this;
    const length = end - start;
    // Length, first, middle and last character distinguish most keys of one object.
    const print =
      (length << 24) ^
      (text.charCodeAt(start + 1) << 16) ^
      (text.charCodeAt(start + (length >> 1)) << 8) ^
      text.charCodeAt(end - 2);
    for (let index = firstKey; index < keyCount; index++)
      if (keyPrints[index] === print && text.startsWith(text.slice(start, end), keyStarts[index]))
        this.irregular = true;
    keyStarts[keyCount] = start;
    keyPrints[keyCount] = print;
    this.keyCount = keyCount + 1;
  }

  private rememberInSet(seen: Set<string> | undefined, firstKey: number, start: number, end: number): Set<string> {
    if (seen === undefined) {
      seen = new Set();
      for (let index = firstKey; index < this.keyCount; index++) seen.add(this.stringAt(this.keyStarts[index]!));
    }
    const size = seen.size;
    if (seen.add(this.text.slice(start, end)).size === size) this.irregular = true;
    return seen;
  }

  /** The literal of the string that starts at an offset and was read before. */
  private stringAt(start: number): string {
    const { position, irregular, obstacle } = this;
    this.position = start;
    this.string();
    const literal = this.text.slice(start, this.position);
    this.position = position;
    this.irregular = irregular;
    this.obstacle = obstacle;
    return literal;
  }

  private array(depth: number): void {
    this.checkDepth(depth);
    this.position++;
    if (this.next() === CLOSE_BRACKET) {
      this.position++;
      return;
    }
    for (;;) {
      this.value(depth);
      const code = this.next();
      this.position++;
      if (code === CLOSE_BRACKET) return;
      if (code !== COMMA) throw this.fault('expected "," or "]"', this.position - 1);
      this.next();
    }
  }

  private checkDepth(depth: number): void {
    if (depth > MAX_NESTING)
      throw new EdgeError('doc.invalid', `the JSON is nested more than ${MAX_NESTING} levels deep`);
    if (depth > MAX_APP_NESTING) this.meetObstacle(`more than ${MAX_APP_NESTING} levels of nesting`);
  }

  private literal(word: string): void {
    if (!this.text.startsWith(word, this.position)) throw this.fault('expected a value');
    this.position += word.length;
  }

  private number(first: number): void {
    const { text } = this;
    let position = this.position;
    let code = first;
    if (code === MINUS) code = text.charCodeAt(++position);
    if (code === ZERO) code = text.charCodeAt(++position);
    else if (code > ZERO && code <= NINE) {
      do code = text.charCodeAt(++position);
      while (code >= ZERO && code <= NINE);
    } else throw this.fault('expected a digit', position);
    if (code === DOT) {
      position = this.digits(position + 1);
      code = text.charCodeAt(position);
    }
    if (code === 0x65 || code === 0x45) {
      code = text.charCodeAt(++position);
      if (code === 0x2b || code === MINUS) position++;
      position = this.digits(position);
    }
    this.position = position;
  }

  /** Skips at least one digit from `position` on. */
  private digits(position: number): number {
    const { text } = this;
    const start = position;
    let code = text.charCodeAt(position);
    while (code >= ZERO && code <= NINE) code = text.charCodeAt(++position);
    if (position === start) throw this.fault('expected a digit', position);
    return position;
  }

  private string(): void {
    const { text } = this;
    let position = this.position + 1;
    for (;;) {
      const code = text.charCodeAt(position);
      if (code > BACKSLASH ? code < 0xd800 : code !== QUOTE && code !== BACKSLASH && code >= 0x20) position++;
      else if (code === QUOTE) break;
      else position = this.specialCharacter(code, position);
    }
    this.position = position + 1;
  }

  /** Reads an escape or a character beyond U+D7FF; returns the offset after it. */
  private specialCharacter(code: number, position: number): number {
    if (code === BACKSLASH) return this.escape(position);
    if (Number.isNaN(code)) throw this.fault('the string does not end', position);
    if (code < 0x20) throw this.fault('a string contains an unescaped control character', position);
    if (code >= 0xe000) return position + 1;
    if (code < 0xdc00 && isLowSurrogate(this.text.charCodeAt(position + 1))) return position + 2;
    // Half of a pair has no UTF-8 form; the rewrite spells it as an escape.
    this.irregular = true;
    this.meetObstacle(HALF_PAIR, position);
    return position + 1;
  }

  private escape(position: number): number {
    switch (this.text.charCodeAt(position + 1)) {
      case QUOTE:
      case BACKSLASH:
      case 0x62: // b
      case 0x66: // f
      case 0x6e: // n
      case 0x72: // r
      case 0x74: // t
        return position + 2;
      case 0x2f:
        this.irregular = true;
        return position + 2;
      case 0x75: {
        const digits = this.text.slice(position + 2, position + 6);
        if (!/^[0-9A-Fa-f]{4}$/.test(digits)) throw this.fault('a \\u escape takes four hexadecimal digits', position);
        if (!NEEDED_ESCAPE.test(digits)) this.irregular = true;
        if (!SURROGATE.test(digits)) return position + 6;
        if (SURROGATE_PAIR.test(this.text.slice(position, position + 12))) return position + 12;
        this.meetObstacle(HALF_PAIR, position);
        return position + 6;
      }
      default:
        throw this.fault('unknown escape in a string', position);
    }
  }

  /** A syntax error that names the rule and the place but quotes nothing: bodies stay out of logs. */
  fault(rule: string, position = this.position): EdgeError {
    return new EdgeError('request.json', `invalid JSON at offset ${position}: ${rule}`);
  }
}

const HALF_PAIR = 'half of a surrogate pair';
const SURROGATE = /^d[89a-f]/i;
const SURROGATE_PAIR = /^\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}$/i;

/** Control characters without a short form: the only ones `JSON.stringify` spells as `\u00xx` in well-formed text. */
const NEEDED_ESCAPE = /^00(?:0[0-7be-f]|1[0-9a-f])$/;

/**
 * Reads the value of a member at the scanner's position.
 * @param keyStart offset of the key's opening quote in the input
 * @param keyEnd offset behind its closing quote
 * @param keyOutput offset of the key in the output
 */
export type MemberReader = (keyStart: number, keyEnd: number, keyOutput: number) => void;
