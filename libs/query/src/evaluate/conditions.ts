import type { Condition, Constant, KeyTerm, Parameters } from '../plan.js';
import type { BinaryOperator } from '../ast.js';
import type { Expression, Source, Statement } from '../statement.js';
import { chainOf, conjunctsOf, isConstant, nodesOf, sourcesIn } from './tree.js';

/** Computes a constant; see {@link Constant.value}. */
export type ConstantValue = (expression: Expression, parameters: Parameters) => ReturnType<Constant['value']>;

/** The terms that all rows of a result fulfil, and what they say about each source. */
export class ConditionAnalysis {
  /** WHERE and the ON of inner joins, taken apart. */
  readonly conjuncts: readonly Expression[];
  /** By source: the terms of the ON of a left join. */
  readonly outerTerms: readonly (readonly Expression[])[];

  constructor(
    private readonly statement: Statement,
    private readonly constantValue: ConstantValue,
  ) {
    const ofInnerJoins = statement.sources.flatMap((source) => (isOuter(source) ? [] : conjunctsOf(onOf(source))));
    this.conjuncts = [...ofInnerJoins, ...conjunctsOf(statement.where)];
    this.outerTerms = statement.sources.map((source) => (isOuter(source) ? conjunctsOf(onOf(source)) : []));
  }

  sourcesIn(expression: Expression): Set<number> {
    return sourcesIn(expression, (match) => this.statement.matches[match]!.source);
  }

  /** The last source that an expression reads; −1 if it reads none. */
  lastSourceIn(expression: Expression): number {
    return Math.max(-1, ...this.sourcesIn(expression));
  }

  /** Conditions that narrow the rows of a collection source. */
  conditionsOf(source: number): Condition[] {
    if (this.statement.sources[source]!.type === 'unnest') return [];
    const own = this.conjuncts
      .flatMap((term) => this.condition(term, ofSource(source)))
      // Where a left join finds no row, its side is MISSING: only what no MISSING fulfils may narrow it.
      .filter((condition) => !isOuter(this.statement.sources[source]!) || refusesAbsence(condition));
    const ofJoin = this.outerTerms[source]!.flatMap((term) => this.condition(term, ofSource(source)));
    return [...own, ...ofJoin, ...this.conditionsOfItems(ofSource(source), 0)];
  }

  /** The equalities that connect a source with those before it. */
  keysOf(source: number): KeyTerm[] {
    const { sources } = this.statement;
    if (source === 0 || sources[source]!.type === 'unnest') return [];
    const terms = isOuter(sources[source]!) ? this.outerTerms[source]! : this.conjuncts;
    return terms.flatMap((term) => {
      if (term.type !== 'binary' || term.operator !== '=' || term.collation) return [];
      const { left, right } = term;
      if (this.readsOnly(left, source) && this.readsBefore(right, source)) return [{ operand: left, value: right }];
      if (this.readsOnly(right, source) && this.readsBefore(left, source)) return [{ operand: right, value: left }];
      return [];
    });
  }

  private readsOnly(expression: Expression, source: number): boolean {
    const sources = this.sourcesIn(expression);
    return sources.size === 1 && sources.has(source) && !hasExists(expression);
  }

  private readsBefore(expression: Expression, source: number): boolean {
    const sources = this.sourcesIn(expression);
    return sources.size > 0 && [...sources].every((other) => other < source);
  }

  /** Conditions on the items of arrays that belong to `owner`, from the UNNESTs of them. */
  private conditionsOfItems(owner: Owner, depth: number): Condition[] {
    return this.statement.sources.flatMap((source, index): Condition[] => {
      if (source.type !== 'unnest' || !owner.owns(source.array)) return [];
      const item = ofItem(index, depth);
      const items = [
        ...this.conjuncts.flatMap((term) => this.condition(term, item)),
        ...this.conditionsOfItems(item, depth + 1),
      ];
      return items.length === 0 ? [] : [{ type: 'any', array: owner.translate(source.array), depth, items }];
    });
  }

  /** Conditions of a term on an owner: none, one or two. */
  private condition(term: Expression, owner: Owner): Condition[] {
    const reads = (expression: Expression): boolean => owner.owns(expression);
    switch (term.type) {
      case 'binary':
        return term.operator === 'OR' ? this.alternatives(term, owner) : this.comparison(term, owner);
      case 'between': {
        const { negated, operand, low, high } = term;
        if (negated || !reads(operand) || !isConstant(low) || !isConstant(high)) return [];
        const translated = owner.translate(operand);
        return [
          { type: 'compare', operator: '>=', operand: translated, value: this.constant(low) },
          { type: 'compare', operator: '<=', operand: translated, value: this.constant(high) },
        ];
      }
      case 'in':
        if (term.negated || !reads(term.operand) || !term.list.every(isConstant)) return [];
        return [
          { type: 'in', operand: owner.translate(term.operand), values: term.list.map((item) => this.constant(item)) },
        ];
      case 'in-array':
        if (term.negated) return [];
        if (reads(term.operand) && isConstant(term.array))
          return [{ type: 'in-array', operand: owner.translate(term.operand), array: this.constant(term.array) }];
        return reads(term.array) && isConstant(term.operand) ? this.contains(term.array, term.operand, owner) : [];
      case 'like':
        if (term.negated || term.collation?.unicode || !reads(term.operand) || !isConstant(term.pattern)) return [];
        return [{ type: 'like', operand: owner.translate(term.operand), pattern: this.constant(term.pattern) }];
      case 'test':
        if (!reads(term.operand)) return [];
        return [{ type: 'test', test: term.test, negated: term.negated, operand: owner.translate(term.operand) }];
      case 'function': {
        const [array, value] = term.arguments;
        if (term.name !== 'ARRAY_CONTAINS' || !reads(array!) || !isConstant(value!)) return [];
        return this.contains(array!, value!, owner);
      }
      case 'quantified': {
        if (term.quantifier !== 'any' || !reads(term.array)) return [];
        const depth = owner.depth(term.depth);
        const item = ofVariable(term.depth, depth);
        const items = conjunctsOf(term.satisfies).flatMap((part) => this.condition(part, item));
        return items.length === 0 ? [] : [{ type: 'any', array: owner.translate(term.array), depth, items }];
      }
      default:
        return [];
    }
  }

  private contains(array: Expression, value: Expression, owner: Owner): Condition[] {
    const depth = owner.depth(0);
    const item: Expression = { type: 'variable', depth, path: [] };
    const isValue: Condition = { type: 'compare', operator: '=', operand: item, value: this.constant(value) };
    return [{ type: 'any', array: owner.translate(array), depth, items: [isValue] }];
  }

  private alternatives(term: Expression, owner: Owner): Condition[] {
    const alternatives = chainOf(term, 'OR').map((part) =>
      conjunctsOf(part).flatMap((conjunct) => this.condition(conjunct, owner)),
    );
    return alternatives.every((conditions) => conditions.length > 0) ? [{ type: 'or', alternatives }] : [];
  }

  private comparison(term: Extract<Expression, { type: 'binary' }>, owner: Owner): Condition[] {
    const operator = MIRRORED[term.operator];
    if (operator === undefined || term.collation) return [];
    const { left, right } = term;
    if (owner.owns(left) && isConstant(right))
      return [
        {
          type: 'compare',
          operator: term.operator as Compared,
          operand: owner.translate(left),
          value: this.constant(right),
        },
      ];
    if (owner.owns(right) && isConstant(left))
      return [{ type: 'compare', operator, operand: owner.translate(right), value: this.constant(left) }];
    return [];
  }

  private constant(expression: Expression): Constant {
    return { expression, value: (parameters) => this.constantValue(expression, parameters) };
  }
}

type Compared = Extract<Condition, { type: 'compare' }>['operator'];

/** The operator with its sides exchanged. */
const MIRRORED: Readonly<Partial<Record<BinaryOperator, Compared>>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** The subject of conditions: a source, the item of an unnest, or the variable of a quantifier. */
interface Owner {
  /** Whether an expression reads this, and nothing else that varies. */
  owns(expression: Expression): boolean;
  /** The expression as conditions spell it: items of an unnest are variables. */
  translate(expression: Expression): Expression;
  /** The depth that a quantifier over something inside this has in conditions. */
  depth(written: number): number;
}

function ofSource(source: number): Owner {
  return {
    owns: (expression) => readsOnly(expression, (node) => isOfSource(node, source)),
    translate: (expression) => expression,
    depth: (written) => written,
  };
}

/** Only plain paths of an item are of use to an index over its array. */
function ofItem(source: number, depth: number): Owner {
  return {
    owns: (expression) => expression.type === 'property' && expression.source === source,
    translate: (expression) => ({
      ...(expression as Extract<Expression, { type: 'property' }>),
      type: 'variable',
      depth,
    }),
    depth: () => depth + 1,
  };
}

/** @param written the depth in the statement; @param depth the one in conditions */
function ofVariable(written: number, depth: number): Owner {
  return {
    owns: (expression) => expression.type === 'variable' && expression.depth === written,
    translate: (expression) => ({ ...(expression as Extract<Expression, { type: 'variable' }>), depth }),
    depth: () => depth + 1,
  };
}

function isOfSource(node: Expression, source: number): boolean {
  return (node.type === 'property' || node.type === 'meta') && node.source === source;
}

function readsOnly(expression: Expression, isOwn: (node: Expression) => boolean): boolean {
  let found = false;
  for (const node of nodesOf(expression)) {
    if (isOwn(node)) found = true;
    else if (node.type !== 'variable' && !isConstantNode(node)) return false;
  }
  return found && !hasFreeVariable(expression);
}

/** Whether a node in itself varies; what is inside it is looked at separately. */
function isConstantNode(node: Expression): boolean {
  return !['property', 'meta', 'rank', 'aggregate', 'exists'].includes(node.type);
}

/** Whether a variable occurs whose quantifier lies outside of the expression. */
function hasFreeVariable(expression: Expression): boolean {
  const bound = new Set<number>();
  for (const node of nodesOf(expression)) if (node.type === 'quantified') bound.add(node.depth);
  for (const node of nodesOf(expression)) if (node.type === 'variable' && !bound.has(node.depth)) return true;
  return false;
}

function hasExists(expression: Expression): boolean {
  for (const { type } of nodesOf(expression)) if (type === 'exists') return true;
  return false;
}

/** Whether no absent row fulfils a condition. */
function refusesAbsence(condition: Condition): boolean {
  switch (condition.type) {
    case 'or':
      return condition.alternatives.every((conditions) => conditions.some(refusesAbsence));
    case 'any':
      return isPath(condition.array);
    case 'test':
      return (
        isPath(condition.operand) && (condition.test === 'NULL' || (condition.test === 'MISSING') === condition.negated)
      );
    default:
      return isPath(condition.operand);
  }
}

/** A path is MISSING where its source is absent; a function of it need not be. */
function isPath({ type }: Expression): boolean {
  return type === 'property' || type === 'meta';
}

function isOuter(source: Source): boolean {
  return source.type === 'collection' && source.join === 'left';
}

function onOf(source: Source): Expression | undefined {
  return source.type === 'collection' ? source.on : undefined;
}
