import type { PathStep } from '../ast.js';
import type { Slot } from '../rows.js';
import type { Expression, MetaMember, Statement } from '../statement.js';
import type { ExpressionContext } from './expressions.js';
import { expressionKey } from './tree.js';

type AggregateExpression = Extract<Expression, { type: 'aggregate' }>;

/** Gives everything that expressions read a number: slots of rows, aggregates, constants, statements of EXISTS. */
export class Layout implements ExpressionContext {
  readonly slots: readonly Slot[][];
  readonly aggregates: AggregateExpression[] = [];
  readonly nested: Statement[] = [];
  private readonly numbers = new Map<string, number>();
  private constants = 0;

  constructor(private readonly statement: Statement) {
    this.slots = statement.sources.map(() => []);
  }

  property(source: number, path: readonly PathStep[]): number {
    return this.slot(source, { type: 'property', path });
  }

  meta(source: number, member: MetaMember): number {
    return this.slot(source, { type: 'meta', member });
  }

  rank(match: number): { source: number; slot: number } {
    const { source } = this.statement.matches[match]!;
    return { source, slot: this.slot(source, { type: 'rank', match }) };
  }

  isUnnest(source: number): boolean {
    return this.statement.sources[source]!.type === 'unnest';
  }

  aggregate(expression: AggregateExpression): number {
    return this.number(`aggregate ${expressionKey(expression)}`, () => this.aggregates.push(expression) - 1);
  }

  exists({ statement }: Extract<Expression, { type: 'exists' }>): number {
    return this.nested.push(statement) - 1;
  }

  constant(): number {
    return this.constants++;
  }

  private slot(source: number, slot: Slot): number {
    return this.number(`slot ${source} ${JSON.stringify(slot)}`, () => this.slots[source]!.push(slot) - 1);
  }

  private number(key: string, add: () => number): number {
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = add();
      this.numbers.set(key, number);
    }
    return number;
  }
}
