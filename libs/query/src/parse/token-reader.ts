import { placeOf, QueryError } from '../query-error.js';
import { Lexer, type Token } from './lexer.js';
import { LIMITS } from './limits.js';
import { FOREIGN } from './words.js';

/** Reads the tokens of a statement and reports what was expected where. */
export class TokenReader {
  private readonly lexer: Lexer;
  private readonly ahead: Token[] = [];
  private previous?: Token;
  /** Keywords that would have been welcome at the current token. */
  private readonly expected: string[] = [];
  private nesting = 0;

  constructor(protected readonly text: string) {
    if (text.length > LIMITS.length)
      throw new QueryError('query.invalid', `the statement is longer than ${LIMITS.length} characters`);
    this.lexer = new Lexer(text);
  }

  protected peek(distance = 0): Token {
    while (this.ahead.length <= distance) this.ahead.push(this.lexer.next());
    return this.ahead[distance]!;
  }

  protected get position(): number {
    return this.peek().start;
  }

  protected advance(): Token {
    const token = this.peek();
    this.ahead.shift();
    this.previous = token;
    this.expected.length = 0;
    return token;
  }

  /** Continues at an offset behind what was peeked at. */
  protected resumeAt(offset: number): void {
    this.ahead.length = 0;
    this.lexer.skipTo(offset);
  }

  protected sees(keyword: string, distance = 0): boolean {
    const token = this.peek(distance);
    return token.kind === 'word' && token.upper === keyword;
  }

  protected seesSymbol(text: string, distance = 0): boolean {
    const token = this.peek(distance);
    return token.kind === 'symbol' && token.text === text;
  }

  /** Takes a keyword if it is next. */
  protected accept(keyword: string): boolean {
    if (this.sees(keyword)) {
      this.advance();
      return true;
    }
    this.expected.push(keyword);
    return false;
  }

  protected acceptSymbol(text: string): boolean {
    if (!this.seesSymbol(text)) return false;
    this.advance();
    return true;
  }

  protected expect(keyword: string): void {
    if (!this.accept(keyword)) this.fail();
  }

  protected expectSymbol(text: string): void {
    if (!this.acceptSymbol(text)) this.fail(`"${text}"`);
  }

  protected seesName(distance = 0): boolean {
    const token = this.peek(distance);
    return token.kind === 'quoted' || (token.kind === 'word' && !token.reserved);
  }

  protected name(what = 'a name'): string {
    if (!this.seesName()) this.fail(what);
    return (this.advance() as Token & { text: string }).text;
  }

  /** `[AS] name`. */
  protected alias(): string | undefined {
    if (this.accept('AS')) return this.name('an alias');
    return this.seesName() ? this.name() : undefined;
  }

  /** One level deeper. */
  protected nested<T>(read: () => T): T {
    if (++this.nesting > LIMITS.nesting)
      this.invalid(`the statement nests deeper than ${LIMITS.nesting} levels`, this.position);
    const result = read();
    this.nesting--;
    return result;
  }

  /** The current token is not what the grammar allows. */
  protected fail(...expected: string[]): never {
    const wanted = [...new Set([...this.expected, ...expected])];
    const found = this.peek();
    throw this.error(
      'query.syntax',
      `expected ${list(wanted)}, found ${spell(found, this.text)}${this.foreign(found)}`,
      found.start,
    );
  }

  protected invalid(detail: string, position: number): never {
    throw this.error('query.invalid', detail, position);
  }

  protected syntax(detail: string, position: number): never {
    throw this.error('query.syntax', detail, position);
  }

  private error(code: 'query.syntax' | 'query.invalid', detail: string, position: number): QueryError {
    return new QueryError(code, detail, placeOf(this.text, position));
  }

  /** Names a feature that the dialect lacks. Its word may have been taken for an alias. */
  private foreign(found: Token): string {
    for (const token of [found, this.previous])
      if (token?.kind === 'word' && FOREIGN.has(token.upper)) return `; the dialect has no ${token.upper}`;
    if (found.kind === 'word' && found.upper === 'SELECT') return '; the dialect has no such subqueries';
    return '';
  }
}

function list(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} or ${items.at(-1)!}`;
}

const SPELT = 40;

function spell(token: Token, text: string): string {
  if (token.kind === 'end') return 'the end of the statement';
  const spelt = text.slice(token.start, token.end);
  return spelt.length > SPELT ? `${spelt.slice(0, SPELT)}…` : spelt;
}
