import { EdgeError } from '@edgesync/errors';
import type { BinaryOperator } from '../ast.js';
import { SCALAR_FUNCTIONS } from '../functions/index.js';
import type { Expression, MetaMember } from '../statement.js';
import { ArrayValue, ObjectValue, type Value } from '../values.js';
import { containsCollated, lowerAscii } from './collation.js';
import { comparison, equality, isAtMost, type Comparison } from './comparisons.js';
import { follow, type Evaluate, type Frame } from './frame.js';
import { inArray, inList } from './membership.js';
import { like } from './like-operator.js';
import { add, divide, joinText, multiply, negate, remainder, subtract, textOf, truth } from './numbers.js';
import { quantified } from './quantifiers.js';
import { chainOf, isConstant } from './tree.js';

/** Where expressions find what is not in them. */
export interface ExpressionContext {
  /** The index of a property in the rows of its source. */
  property(source: number, path: Extract<Expression, { type: 'property' }>['path']): number;
  meta(source: number, member: MetaMember): number;
  rank(match: number): { source: number; slot: number };
  isUnnest(source: number): boolean;
  aggregate(expression: Extract<Expression, { type: 'aggregate' }>): number;
  exists(expression: Extract<Expression, { type: 'exists' }>): number;
  /** A number for a constant of the run. */
  constant(): number;
}

export type ConditionTest = (frame: Frame) => boolean | undefined;

const META_MEMBERS: readonly MetaMember[] = ['id', 'sequence', 'deleted', 'expiration', 'revisionID'];

/** Compiles expressions to closures. */
export class ExpressionCompiler {
  /** For the parts of a constant: the whole is kept, not they. */
  private readonly parts: ExpressionCompiler;

  /** @param context undefined for constants, which read nothing */
  constructor(private readonly context: ExpressionContext | undefined) {
    this.parts = context ? new ExpressionCompiler(undefined) : this;
  }

  compile(expression: Expression): Evaluate {
    if (expression.type === 'literal') {
      const { value } = expression;
      return () => value;
    }
    if (!this.context || !isConstant(expression)) return this.build(expression);
    const index = this.context.constant();
    const evaluate = this.parts.build(expression);
    return (frame) => frame.constant(index, evaluate);
  }

  /** An expression as a condition: undefined for MISSING. */
  condition(expression: Expression): ConditionTest {
    const evaluate = this.compile(expression);
    return isBoolean(expression) ? (evaluate as ConditionTest) : (frame) => truth(evaluate(frame));
  }

  private build(expression: Expression): Evaluate {
    switch (expression.type) {
      case 'literal':
        return this.compile(expression);
      case 'parameter': {
        const { name } = expression;
        return (frame) => frame.parameters.get(name);
      }
      case 'property':
        return this.property(expression);
      case 'meta':
        return this.meta(expression);
      case 'variable': {
        const { depth, path } = expression;
        if (path.length === 0) return (frame) => frame.variables[depth];
        return (frame) => follow(frame.variables[depth], path);
      }
      case 'rank': {
        const { source, slot } = this.context!.rank(expression.match);
        return (frame) => frame.rows[source]![slot];
      }
      case 'aggregate': {
        const index = this.context!.aggregate(expression);
        return (frame) => frame.aggregates[index];
      }
      case 'exists': {
        const index = this.context!.exists(expression);
        return (frame) => frame.hasRows(index);
      }
      case 'member': {
        const of = this.compile(expression.of);
        const { path } = expression;
        return (frame) => follow(of(frame), path);
      }
      case 'array': {
        const items = expression.items.map((item) => this.compile(item));
        return (frame) => ArrayValue.of(items.map((item) => item(frame)));
      }
      case 'object': {
        const members = expression.members.map(({ name, value }) => [name, this.compile(value)] as const);
        return (frame) => ObjectValue.of(members.map(([name, value]) => [name, value(frame)]));
      }
      case 'negate': {
        const operand = this.compile(expression.operand);
        return (frame) => negate(operand(frame));
      }
      case 'not': {
        const operand = this.condition(expression.operand);
        return (frame) => not(operand(frame));
      }
      case 'binary':
        return this.binary(expression);
      case 'test':
        return this.test(expression);
      case 'in': {
        const operand = this.compile(expression.operand);
        const items = expression.list.map((item) => this.compile(item));
        return negatable(expression, inList(operand, items, expression.list.every(isConstant)));
      }
      case 'in-array':
        return negatable(expression, inArray(this.compile(expression.operand), this.compile(expression.array)));
      case 'like':
        return negatable(
          expression,
          like(this.compile(expression.operand), this.compile(expression.pattern), expression.collation),
        );
      case 'between':
        return negatable(expression, this.between(expression));
      case 'case':
        return this.case(expression);
      case 'quantified':
        return quantified(expression, this.compile(expression.array), this.condition(expression.satisfies));
      case 'collate':
        return this.compile(expression.operand);
      case 'function':
        return this.function(expression);
    }
  }

  private property({ source, path }: Extract<Expression, { type: 'property' }>): Evaluate {
    if (this.context!.isUnnest(source)) {
      if (path.length === 0) return (frame) => frame.rows[source]![0];
      return (frame) => follow(frame.rows[source]![0], path);
    }
    const slot = this.context!.property(source, path);
    return (frame) => frame.rows[source]![slot];
  }

  private meta({ source, member }: Extract<Expression, { type: 'meta' }>): Evaluate {
    if (member !== undefined) {
      const slot = this.context!.meta(source, member);
      return (frame) => frame.rows[source]![slot];
    }
    const slots = META_MEMBERS.map((name) => [name, this.context!.meta(source, name)] as const);
    const [[, id]] = slots as [readonly [MetaMember, number]];
    return (frame) => {
      const row = frame.rows[source]!;
      // The absent side of an outer join has no ID.
      return row[id] === undefined ? undefined : ObjectValue.of(slots.map(([name, slot]) => [name, row[slot]]));
    };
  }

  private binary(expression: Extract<Expression, { type: 'binary' }>): Evaluate {
    const { operator, collation } = expression;
    if (operator === 'AND' || operator === 'OR') return this.logic(expression, operator);
    const left = this.compile(expression.left);
    const right = this.compile(expression.right);
    if (isComparison(operator)) return comparison(operator, left, right, collation);
    const combine = OPERATIONS[operator];
    return (frame) => combine(left(frame), right(frame));
  }

  /** AND: false wins, then MISSING. OR: true wins, then MISSING. */
  private logic(expression: Expression, operator: 'AND' | 'OR'): Evaluate {
    const terms = chainOf(expression, operator).map((term) => this.condition(term));
    const decisive = operator === 'OR';
    return (frame) => {
      let result: boolean | undefined = !decisive;
      for (const term of terms) {
        const value = term(frame);
        if (value === decisive) return decisive;
        if (value === undefined) result = undefined;
      }
      return result;
    };
  }

  private test({ test, negated, operand }: Extract<Expression, { type: 'test' }>): Evaluate {
    const evaluate = this.compile(operand);
    switch (test) {
      case 'MISSING':
        return (frame) => (evaluate(frame) === undefined) !== negated;
      case 'VALUED':
        return (frame) => (evaluate(frame) != null) !== negated;
      case 'NULL':
        return (frame) => {
          const value = evaluate(frame);
          return value === undefined ? undefined : (value === null) !== negated;
        };
    }
  }

  private between({ operand, low, high }: Extract<Expression, { type: 'between' }>): ConditionTest {
    const value = this.compile(operand);
    const from = this.compile(low);
    const to = this.compile(high);
    return (frame) => {
      const between = value(frame);
      const isAbove = isAtMost(from(frame), between);
      if (isAbove === false) return false;
      const isBelow = isAtMost(between, to(frame));
      return isBelow === false ? false : isAbove && isBelow;
    };
  }

  private case({ operand, whens, otherwise }: Extract<Expression, { type: 'case' }>): Evaluate {
    const last: Evaluate = otherwise ? this.compile(otherwise) : () => null;
    const branches = whens.map(({ when, then }) => ({
      when: operand ? this.compile(when) : this.condition(when),
      then: this.compile(then),
    }));
    if (!operand)
      return (frame) => {
        for (const { when, then } of branches) if (when(frame) === true) return then(frame);
        return last(frame);
      };
    const of = this.compile(operand);
    return (frame) => {
      const value = of(frame);
      for (const { when, then } of branches) if (equality(value, when(frame)) === true) return then(frame);
      return last(frame);
    };
  }

  private function({ name, arguments: parts, collation }: Extract<Expression, { type: 'function' }>): Evaluate {
    const call = SCALAR_FUNCTIONS[name];
    if (!call) throw new EdgeError('query.invalid', `unknown function ${name}()`);
    const values = parts.map((part) => this.compile(part));
    const [first, second, third] = values as [Evaluate, Evaluate, Evaluate];
    if (name === 'CONTAINS' && collation) {
      const contains = collation.unicode
        ? containsCollated(collation)
        : collation.ignoreCase
          ? (text: string, part: string) => lowerAscii(text).includes(lowerAscii(part))
          : undefined;
      if (contains)
        return (frame) => {
          const text = first(frame);
          const part = second(frame);
          return typeof text === 'string' && typeof part === 'string' ? contains(text, part) : call(text, part);
        };
    }
    switch (values.length) {
      case 0:
        return () => call();
      case 1:
        return (frame) => call(first(frame));
      case 2:
        return (frame) => call(first(frame), second(frame));
      case 3:
        return (frame) => call(first(frame), second(frame), third(frame));
      default:
        return (frame) => call(...values.map((value) => value(frame)));
    }
  }
}

const OPERATIONS: Readonly<
  Record<Exclude<BinaryOperator, Comparison | 'AND' | 'OR'>, (left: Value, right: Value) => Value>
> = {
  '+': add,
  '-': subtract,
  '*': multiply,
  '/': divide,
  '%': remainder,
  '||': (left, right) =>
    left === undefined || right === undefined ? undefined : joinText(textOf(left), textOf(right)),
};

const COMPARISONS: ReadonlySet<BinaryOperator> = new Set(['=', '!=', '<', '<=', '>', '>=', 'IS', 'IS NOT']);

function isComparison(operator: BinaryOperator): operator is Comparison {
  return COMPARISONS.has(operator);
}

function not(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

/** NOT of any value but MISSING, null included. */
function negatable({ negated }: { readonly negated: boolean }, evaluate: Evaluate): Evaluate {
  return negated ? (frame) => not(truth(evaluate(frame))) : evaluate;
}

/** Whether an expression is a boolean or MISSING whatever it reads. */
function isBoolean(expression: Expression): boolean {
  switch (expression.type) {
    case 'not':
    case 'test':
    case 'in':
    case 'like':
    case 'between':
    case 'quantified':
    case 'exists':
      return true;
    case 'binary':
      return isComparison(expression.operator) || expression.operator === 'AND' || expression.operator === 'OR';
    default:
      return false;
  }
}
