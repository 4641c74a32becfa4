import type { BinaryOperator, BitOperator, Collation, LiteralValue, PathStep, SelectSyntax, Syntax } from '../ast.js';
import { findFunction } from '../functions/signatures.js';
import { LIMITS } from './limits.js';
import { TokenReader } from './token-reader.js';

type Operator = BinaryOperator | BitOperator;
type Node = Syntax extends infer S ? (S extends { position: number } ? Omit<S, 'position'> : never) : never;
type QuantifiedNode = Extract<Syntax, { type: 'quantified' }>;

/** Levels of binary operators that group to the left, from loosest to tightest (docs/sqlpp.md#operators). */
const LEVELS: readonly Readonly<Record<string, Operator>>[] = [
  { '<': '<', '<=': '<=', '>': '>', '>=': '>=' },
  { '<<': '<<', '>>': '>>', '&': '&', '|': '|' },
  { '+': '+', '-': '-' },
  { '*': '*', '/': '/', '%': '%' },
  { '||': '||' },
];
const EQUALITIES: Readonly<Record<string, Operator>> = { '=': '=', '==': '=', '!=': '!=', '<>': '!=' };
const TESTS = ['NULL', 'MISSING', 'VALUED'] as const;

const LARGEST = 2n ** 63n - 1n;
const SMALLEST = -(2n ** 63n);

/** Recursive descent over expressions. */
export abstract class ExpressionParser extends TokenReader {
  /** The SELECT of EXISTS. */
  protected abstract select(): SelectSyntax;

  protected expression(): Syntax {
    return this.nested(() => {
      const { position } = this;
      const operand = this.or();
      if (!this.accept('COLLATE')) return operand;
      return { type: 'collate', operand, collation: this.collation(), position };
    });
  }

  protected expressions(): Syntax[] {
    const items = [this.expression()];
    while (this.acceptSymbol(',')) items.push(this.expression());
    return items;
  }

  private or(): Syntax {
    return this.chain('OR', () => this.chain('AND', () => this.relation()));
  }

  private chain(operator: 'AND' | 'OR', operand: () => Syntax): Syntax {
    const { position } = this;
    let left = operand();
    while (this.accept(operator)) left = { type: 'binary', operator, left, right: operand(), position };
    return left;
  }

  /** One comparison of any kind. Only equalities may be chained. */
  private relation(): Syntax {
    const { position } = this;
    const operand = this.level(0);
    const relation = this.test(operand) ?? this.negatable(operand);
    if (relation) return { ...relation, position };
    return this.binaries(operand, () => this.equality(), 0, position);
  }

  /** `IS [NOT] NULL`, `NOT NULL` and their like. */
  private test(operand: Syntax): Node | undefined {
    if (this.sees('NOT') && this.sees('NULL', 1)) {
      this.advance();
      this.advance();
      return { type: 'test', test: 'NULL', negated: true, operand };
    }
    if (!this.sees('IS')) return undefined;
    const negated = this.sees('NOT', 1);
    const test = TESTS.find((word) => this.sees(word, negated ? 2 : 1));
    if (!test) return undefined;
    for (let count = negated ? 3 : 2; count > 0; count--) this.advance();
    return { type: 'test', test, negated, operand };
  }

  private negatable(operand: Syntax): Node | undefined {
    const negated = this.sees('NOT') && ['IN', 'LIKE', 'BETWEEN'].some((word) => this.sees(word, 1));
    if (negated) this.advance();
    if (this.accept('IN')) return this.in(operand, negated);
    if (this.accept('LIKE')) return { type: 'like', negated, operand, pattern: this.level(0) };
    if (!this.accept('BETWEEN')) return undefined;
    const low = this.level(0);
    this.expect('AND');
    return { type: 'between', negated, operand, low, high: this.level(0) };
  }

  private in(operand: Syntax, negated: boolean): Node {
    if (this.acceptSymbol('(')) return { type: 'in', negated, operand, list: this.listUntil(')') };
    if (this.acceptSymbol('[')) return { type: 'in', negated, operand, list: this.listUntil(']') };
    if (this.peek().kind !== 'parameter' && !this.seesName()) this.fail('a list', 'a property', 'a parameter');
    return { type: 'in-array', negated, operand, array: this.unit() };
  }

  private equality(): Operator | undefined {
    if (this.accept('IS')) return this.accept('NOT') ? 'IS NOT' : 'IS';
    return this.symbolOf(EQUALITIES);
  }

  private symbolOf(operators: Readonly<Record<string, Operator>>): Operator | undefined {
    const token = this.peek();
    if (token.kind !== 'symbol' || !Object.hasOwn(operators, token.text)) return undefined;
    this.advance();
    return operators[token.text];
  }

  private level(index: number): Syntax {
    const operators = LEVELS[index];
    if (!operators) return this.unit();
    const { position } = this;
    return this.binaries(this.level(index + 1), () => this.symbolOf(operators), index + 1, position);
  }

  /** A chain of operators that group to the left, behind its first operand. */
  private binaries(first: Syntax, next: () => Operator | undefined, operands: number, position: number): Syntax {
    let left = first;
    for (let count = 2, operator; (operator = next()); count++) {
      if (count > LIMITS.chain) this.invalid(`there are more than ${LIMITS.chain} operands in a row`, this.position);
      left = { type: 'binary', operator, left, right: this.level(operands), position };
    }
    return left;
  }

  /** An operand, with a path behind it. */
  private unit(): Syntax {
    const { position } = this;
    const of = this.base();
    if (of.type === 'path' || of.type === 'star' || !this.acceptSymbol('.')) return of;
    return { type: 'member', of, steps: this.steps(), position };
  }

  private base(): Syntax {
    const token = this.peek();
    const position = token.start;
    switch (token.kind) {
      case 'string':
        this.advance();
        return { type: 'literal', value: token.text, position };
      case 'integer':
      case 'float':
        this.advance();
        return { type: 'literal', value: token.kind === 'integer' ? saturate(token.value) : token.value, position };
      case 'parameter':
        this.advance();
        return { type: 'parameter', name: token.name, position };
      case 'quoted':
        return this.named(position);
      case 'symbol':
        return this.symbol(token.text, position);
      case 'word':
        return token.reserved ? this.reserved(token.upper, position) : this.word(token.upper, position);
      default:
        return this.fail('an expression');
    }
  }

  private symbol(text: string, position: number): Syntax {
    switch (text) {
      case '(': {
        this.advance();
        if (this.sees('SELECT')) this.fail('an expression');
        const inner = this.expression();
        this.expectSymbol(')');
        return inner;
      }
      case '[':
        this.advance();
        return { type: 'array', items: this.listUntil(']'), position };
      case '{':
        return this.object(position);
      case '*':
        this.advance();
        return { type: 'star', position };
      case '-':
        return this.minus(position);
      case '+':
        this.advance();
        return { type: 'unary', operator: '+', operand: this.nested(() => this.unit()), position };
      default:
        return this.fail('an expression');
    }
  }

  /** A minus right before digits belongs to the number, so that the smallest integer can be written. */
  private minus(position: number): Syntax {
    const minus = this.advance();
    const token = this.peek();
    if ((token.kind === 'integer' || token.kind === 'float') && token.start === minus.end) {
      this.advance();
      return { type: 'literal', value: token.kind === 'integer' ? saturate(-token.value) : -token.value, position };
    }
    return { type: 'unary', operator: '-', operand: this.nested(() => this.unit()), position };
  }

  private reserved(upper: string, position: number): Syntax {
    switch (upper) {
      case 'TRUE':
      case 'FALSE':
        return this.literal(upper === 'TRUE', position);
      case 'NULL':
        return this.literal(null, position);
      case 'MISSING':
        return this.literal(undefined, position);
      case 'NOT':
        // Its operand reaches as far as a comparison does, wherever it stands.
        this.advance();
        return { type: 'unary', operator: 'NOT', operand: this.nested(() => this.relation()), position };
      case 'CASE':
        return this.case(position);
      case 'ANY':
      case 'EVERY':
        return this.quantified(position);
      default:
        return this.fail('an expression');
    }
  }

  private literal(value: LiteralValue, position: number): Syntax {
    this.advance();
    return { type: 'literal', value, position };
  }

  private word(upper: string, position: number): Syntax {
    if (
      upper === 'SOME' &&
      ((this.seesName(1) && this.sees('IN', 2)) || (this.sees('AND', 1) && this.sees('EVERY', 2)))
    )
      return this.quantified(position);
    if (upper === 'EXISTS' && this.seesSymbol('(', 1) && this.sees('SELECT', 2)) return this.exists(position);
    return this.named(position);
  }

  /** A function if a parenthesis follows, else a path. */
  private named(position: number): Syntax {
    const name = this.name();
    if (this.acceptSymbol('(')) return this.function(name, position);
    if (this.seesSymbol('.') && this.seesSymbol('*', 1)) {
      this.advance();
      this.advance();
      return { type: 'star', alias: name, position };
    }
    return { type: 'path', steps: [name, ...this.moreSteps()], position };
  }

  /** Steps behind a dot. */
  protected steps(): PathStep[] {
    return [this.name('a property name'), ...this.moreSteps()];
  }

  private moreSteps(): PathStep[] {
    const steps: PathStep[] = [];
    while (this.seesSymbol('.') || this.seesSymbol('[')) steps.push(this.step());
    return steps;
  }

  /** `.name` or `[index]`. */
  protected step(): PathStep {
    if (this.acceptSymbol('.')) return this.name('a property name');
    this.expectSymbol('[');
    return this.index();
  }

  private index(): number {
    const negative = this.acceptSymbol('-');
    const token = this.peek();
    if (token.kind !== 'integer') return this.fail('an integer');
    this.advance();
    this.expectSymbol(']');
    const index = Number(saturate(token.value));
    return negative ? -index || 0 : index;
  }

  private function(name: string, position: number): Syntax {
    switch (name.toUpperCase()) {
      case 'META': {
        const alias = this.seesSymbol(')') ? undefined : this.dotted();
        this.expectSymbol(')');
        return { type: 'meta', ...(alias && { alias }), position };
      }
      case 'MATCH': {
        const index = this.dotted();
        this.expectSymbol(',');
        const text = this.expression();
        this.expectSymbol(')');
        return { type: 'match', index, text, position };
      }
      case 'RANK': {
        const index = this.dotted();
        this.expectSymbol(')');
        return { type: 'rank', index, position };
      }
      default:
        if (!findFunction(name)) this.syntax(`the dialect has no function ${name}()`, position);
        return { type: 'function', name, arguments: this.listUntil(')'), position };
    }
  }

  protected dotted(): string[] {
    const names = [this.name()];
    while (this.acceptSymbol('.')) names.push(this.name());
    return names;
  }

  private listUntil(close: string): Syntax[] {
    if (this.acceptSymbol(close)) return [];
    if (this.sees('SELECT')) this.fail('an expression');
    const items = this.expressions();
    this.expectSymbol(close);
    return items;
  }

  private object(position: number): Syntax {
    this.advance();
    const members: { name: string; value: Syntax }[] = [];
    if (this.acceptSymbol('}')) return { type: 'object', members, position };
    do {
      const token = this.peek();
      if (token.kind !== 'string') return this.fail('a string');
      this.advance();
      this.expectSymbol(':');
      members.push({ name: token.text, value: this.expression() });
    } while (this.acceptSymbol(','));
    this.expectSymbol('}');
    return { type: 'object', members, position };
  }

  private case(position: number): Syntax {
    this.advance();
    const operand = this.sees('WHEN') ? undefined : this.expression();
    const whens: { when: Syntax; then: Syntax }[] = [];
    this.expect('WHEN');
    do {
      const when = this.expression();
      this.expect('THEN');
      whens.push({ when, then: this.expression() });
    } while (this.accept('WHEN'));
    const otherwise = this.accept('ELSE') ? this.expression() : undefined;
    this.expect('END');
    return { type: 'case', ...(operand && { operand }), whens, ...(otherwise && { otherwise }), position };
  }

  private quantified(position: number): Syntax {
    let quantifier: QuantifiedNode['quantifier'] = this.sees('EVERY') ? 'every' : 'any';
    this.advance();
    if (quantifier === 'any' && this.accept('AND')) {
      this.expect('EVERY');
      quantifier = 'any-and-every';
    }
    const variable = this.variable();
    this.expect('IN');
    const array = this.expression();
    this.expect('SATISFIES');
    const satisfies = this.expression();
    this.expect('END');
    return { type: 'quantified', quantifier, variable, array, satisfies, position };
  }

  private variable(): string {
    const { position } = this;
    const name = this.name('a variable');
    if (!/^\w+$/.test(name)) this.invalid(`\`${name}\` cannot be a variable: use letters, digits and _`, position);
    return name;
  }

  private exists(position: number): Syntax {
    this.advance();
    this.advance();
    const select = this.nested(() => this.select());
    this.expectSymbol(')');
    return { type: 'exists', select, position };
  }

  private collation(): Collation {
    const found = { unicode: false, ignoreCase: false, ignoreAccents: false };
    if (!this.acceptSymbol('(')) return this.collate(found);
    let collation: Collation = this.collate(found);
    while (!this.acceptSymbol(')')) collation = this.collate(collation);
    return collation;
  }

  private collate(before: Collation): Collation {
    if (this.accept('UNICODE')) return { ...before, unicode: true, ...this.locale() };
    if (this.accept('NOUNICODE')) return { ...before, unicode: false };
    if (this.accept('NOCASE')) return { ...before, ignoreCase: true };
    if (this.accept('CASE')) return { ...before, ignoreCase: false };
    if (this.accept('NODIAC')) return { ...before, ignoreAccents: true };
    if (this.accept('DIAC')) return { ...before, ignoreAccents: false };
    return this.fail();
  }

  /** `:de` behind UNICODE. */
  private locale(): { locale?: string } {
    if (!this.seesSymbol(':')) return {};
    const start = this.peek().end;
    const match = /^[A-Za-z]+(?:[-_][A-Za-z0-9]+)*/.exec(this.text.slice(start, start + LIMITS.nesting));
    if (!match) this.fail('a locale');
    this.resumeAt(start + match![0].length);
    const tag = match![0].replaceAll('_', '-');
    try {
      return { locale: Intl.getCanonicalLocales(tag)[0]! };
    } catch {
      return this.invalid(`"${tag}" is not a locale`, start);
    }
  }
}

/** Beyond 64 bits literals stay at the bound. */
function saturate(value: bigint): bigint {
  return value > LARGEST ? LARGEST : value < SMALLEST ? SMALLEST : value;
}
