import { EdgeError } from '@edgesync/errors';
import type { Analyzer } from './analyzer.js';

/** A word to look for, or the beginning of one. */
export interface Term {
  readonly token: string;
  readonly prefix: boolean;
}

/** Terms that follow each other in one property: any, or that of the index given. */
export interface Phrase {
  readonly type: 'phrase';
  readonly terms: readonly Term[];
  readonly property?: number;
}

/** The query language of MATCH as a tree. */
export type TextQuery =
  | Phrase
  /** Each phrase at most `distance` tokens from the one before, on either side, in the same property. */
  | { readonly type: 'near'; readonly phrases: readonly Phrase[]; readonly distances: readonly number[] }
  | { readonly type: 'and' | 'or' | 'not'; readonly left: TextQuery; readonly right: TextQuery };

type Operator = 'near' | 'and' | 'or' | 'not';

/** How tightly an operator binds. */
const BINDING: Readonly<Record<Operator, number>> = { near: 4, not: 3, and: 2, or: 1 };
const DEFAULT_DISTANCE = 10;
const OPERATOR = /^(AND|OR|NOT|NEAR(?:\/(\d+))?)(?=[\s"()]|$)/;
const MAX_NESTING = 100;

/**
 * Reads the query language: words are ANDed; `OR`, `AND`, `NOT` in capitals; `"a phrase"`; `pre*`; `a NEAR b`,
 * `a NEAR/2 b`; `property:word`; parentheses. All other punctuation separates words. A stop word demands nothing.
 * @param properties the names of the index's properties
 * @returns undefined if nothing is left to look for: no document matches
 * @throws EdgeError `query.runtime` for malformed text
 */
export function parseTextQuery(text: string, analyzer: Analyzer, properties: readonly string[]): TextQuery | undefined {
  return new TextQueryParser(text, analyzer, properties).parse();
}

/** An operand that a stop word or punctuation left empty. */
type Operand = TextQuery | undefined;

class TextQueryParser {
  private position = 0;
  private nesting = 0;

  constructor(
    private readonly text: string,
    private readonly analyzer: Analyzer,
    private readonly properties: readonly string[],
  ) {}

  parse(): TextQuery | undefined {
    const query = this.expression(0);
    if (this.position < this.text.length) throw malformed('a parenthesis is not open');
    return query;
  }

  /** Operators that bind tighter than `floor`, grouped to the left. */
  private expression(floor: number): Operand {
    let left = this.operand();
    for (;;) {
      this.skipSpace();
      if (this.position === this.text.length || this.text[this.position] === ')') return left;
      const start = this.position;
      const { operator, distance } = this.operator();
      if (BINDING[operator] <= floor) {
        this.position = start;
        return left;
      }
      left = combine(operator, distance, left, this.expression(BINDING[operator]));
    }
  }

  /** Without an operator between two operands: AND. */
  private operator(): { operator: Operator; distance: number } {
    const match = OPERATOR.exec(this.text.slice(this.position, this.position + MAX_OPERATOR_LENGTH));
    if (!match) return { operator: 'and', distance: 0 };
    this.position += match[0].length;
    const operator = match[1]!.replace(/\/.*/, '').toLowerCase() as Operator;
    return { operator, distance: match[2] === undefined ? DEFAULT_DISTANCE : Number(match[2]) };
  }

  private operand(): Operand {
    this.skipSpace();
    const character = this.text[this.position];
    if (character === undefined || character === ')') {
      if (this.isEmptyHere()) return undefined;
      throw malformed('an operand is missing');
    }
    if (character === '(') return this.parentheses();
    if (character === '"') return this.phrase();
    if (OPERATOR.test(this.text.slice(this.position, this.position + MAX_OPERATOR_LENGTH)))
      throw malformed('an operator has no operand on its left');
    return this.word();
  }

  /** Whether the whole text, or a pair of parentheses, holds nothing. */
  private isEmptyHere(): boolean {
    const before = this.text.slice(0, this.position).trimEnd();
    return before === '' || (before.endsWith('(') && this.nesting > 0);
  }

  private parentheses(): Operand {
    if (++this.nesting > MAX_NESTING) throw malformed('parentheses are nested too deep');
    this.position++;
    const inner = this.expression(0);
    if (this.text[this.position] !== ')') throw malformed('a parenthesis is not closed');
    this.position++;
    this.nesting--;
    return inner;
  }

  private phrase(): Operand {
    const end = this.text.indexOf('"', this.position + 1);
    if (end < 0) throw malformed('a quotation mark is not closed');
    const terms = this.terms(this.text.slice(this.position + 1, end));
    this.position = end + 1;
    return terms.length === 0 ? undefined : { type: 'phrase', terms };
  }

  /** All up to white space or a mark of the language: one word, or several that punctuation separates. */
  private word(): Operand {
    const property = this.properties.findIndex((name) => this.startsWithProperty(name));
    if (property >= 0) {
      this.position += this.properties[property]!.length + 1;
      this.skipSpace();
    }
    const rest = this.text.slice(this.position);
    const length = rest.search(/[\s"()]/);
    const run = length < 0 ? rest : rest.slice(0, length);
    this.position += run.length;
    // As in the engine, a property takes a word and no phrase: what begins with a quotation mark here is not read.
    if (property >= 0 && run === '') {
      this.position = this.text.length;
      return undefined;
    }
    return this.terms(run)
      .map((term, index): TextQuery => ({
        type: 'phrase',
        terms: [term],
        ...(property >= 0 && index === 0 && { property }),
      }))
      .reduce<Operand>((left, right) => combine('and', 0, left, right), undefined);
  }

  private startsWithProperty(name: string): boolean {
    const here = this.text.slice(this.position, this.position + name.length + 1);
    return here.toLowerCase() === `${name.toLowerCase()}:`;
  }

  private terms(text: string): Term[] {
    const normal = text.normalize('NFC');
    return Array.from(this.analyzer.words(normal, true), ({ token, end }) => ({ token, prefix: normal[end] === '*' }));
  }

  private skipSpace(): void {
    while (/\s/.test(this.text[this.position] ?? '')) this.position++;
  }
}

/** `NEAR/` with a distance that fits into 32 bits. */
const MAX_OPERATOR_LENGTH = 16;

function combine(operator: Operator, distance: number, left: Operand, right: Operand): Operand {
  if (!left || !right) return operator === 'not' ? left : (left ?? right);
  if (operator !== 'near') return { type: operator, left, right };
  if (right.type !== 'phrase' || (left.type !== 'phrase' && left.type !== 'near'))
    throw malformed('NEAR stands between words or phrases');
  return left.type === 'near'
    ? { type: 'near', phrases: [...left.phrases, right], distances: [...left.distances, distance] }
    : { type: 'near', phrases: [left, right], distances: [distance] };
}

function malformed(reason: string): EdgeError {
  return new EdgeError('query.runtime', `malformed text to MATCH: ${reason}`);
}
