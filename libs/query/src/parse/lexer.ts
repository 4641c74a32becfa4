import { placeOf, QueryError } from '../query-error.js';
import { RESERVED } from './words.js';

export type Token = {
  /** Offsets in the statement: of the first character, and behind the last. */
  readonly start: number;
  readonly end: number;
} & (
  | { readonly kind: 'word'; readonly text: string; readonly upper: string; readonly reserved: boolean }
  /** A name in back-ticks. */
  | { readonly kind: 'quoted'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'symbol'; readonly text: string }
  | { readonly kind: 'end' }
);

const SPACE = /[ \t\r\n]*/y;
const WORD = /[A-Za-z_][A-Za-z0-9_$]*/y;
const NUMBER = /(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)/y;
const BEHIND_NUMBER = /[A-Za-z0-9_]/y;
const PARAMETER = /\$([A-Za-z_][A-Za-z0-9_$]*)/y;
const SYMBOL = /(?:<<|>>|<=|>=|<>|==|!=|\|\||[-+*\/%<>=&|()[\]{},.:;])/y;
/** `1--1` is a difference; white space behind the dashes shows that a comment is meant. */
const COMMENT = /(?:--(?=\s|$)|\/\*|#)/y;

const NO_COMMENTS = 'comments are not part of the dialect';

/** Cuts a statement into tokens, one at a call. */
export class Lexer {
  private position = 0;

  constructor(private readonly text: string) {}

  /** @throws QueryError `query.syntax` */
  next(): Token {
    this.match(SPACE);
    const start = this.position;
    const first = this.text[start];
    if (first === undefined) return { kind: 'end', start, end: start };
    if (first === "'" || first === '"')
      return { kind: 'string', text: this.quoted(first, 'string'), ...this.from(start) };
    if (first === '`') return { kind: 'quoted', text: this.quoted(first, 'name'), ...this.from(start) };
    if (this.match(COMMENT)) this.fail(start, NO_COMMENTS);
    const word = this.match(WORD);
    if (word) {
      const upper = word[0].toUpperCase();
      return { kind: 'word', text: word[0], upper, reserved: RESERVED.has(upper), ...this.from(start) };
    }
    const number = this.match(NUMBER);
    if (number) return this.number(number[0], start);
    const parameter = this.match(PARAMETER);
    if (parameter) return this.parameter(parameter[1]!, start);
    const symbol = this.match(SYMBOL);
    if (symbol) return { kind: 'symbol', text: symbol[0], ...this.from(start) };
    return this.fail(start, unexpected(this.text, start));
  }

  /** Skips to an offset behind text that the caller has read by itself. */
  skipTo(offset: number): void {
    this.position = offset;
  }

  private number(text: string, start: number): Token {
    if (this.match(BEHIND_NUMBER))
      this.fail(this.position - 1, `unexpected ${JSON.stringify(this.text[this.position - 1])} behind a number`);
    return /^[0-9]+$/.test(text)
      ? { kind: 'integer', value: BigInt(text), ...this.from(start) }
      : { kind: 'float', value: Number(text), ...this.from(start) };
  }

  private parameter(name: string, start: number): Token {
    if (RESERVED.has(name.toUpperCase())) this.fail(start, `"${name}" is a reserved word, no name of a parameter`);
    return { kind: 'parameter', name, ...this.from(start) };
  }

  /** The text between quotes, which are doubled inside of it. */
  private quoted(quote: string, what: string): string {
    const start = this.position;
    let text = '';
    for (let from = start + 1; ;) {
      const close = this.text.indexOf(quote, from);
      if (close < 0) this.fail(start, `the ${what} that begins here has no closing ${quote}`);
      text += this.text.slice(from, close);
      this.position = close + 1;
      if (this.text[close + 1] !== quote) return text;
      text += quote;
      from = close + 2;
    }
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.text);
    if (match) this.position = pattern.lastIndex;
    return match;
  }

  private from(start: number): { start: number; end: number } {
    return { start, end: this.position };
  }

  private fail(offset: number, detail: string): never {
    throw new QueryError('query.syntax', detail, placeOf(this.text, offset));
  }
}

function unexpected(text: string, offset: number): string {
  const character = String.fromCodePoint(text.codePointAt(offset)!);
  const hint = /\p{L}/u.test(character) ? '; a name with such letters needs back-ticks' : '';
  return `unexpected ${JSON.stringify(character)}${hint}`;
}
