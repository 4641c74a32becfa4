import type { Expression } from '../statement.js';

/** The expressions directly inside one, in order; not those of the statement of EXISTS. */
export function childrenOf(expression: Expression): readonly Expression[] {
  switch (expression.type) {
    case 'literal':
    case 'property':
    case 'variable':
    case 'meta':
    case 'parameter':
    case 'exists':
    case 'rank':
      return [];
    case 'array':
      return expression.items;
    case 'object':
      return expression.members.map(({ value }) => value);
    case 'member':
      return [expression.of];
    case 'negate':
    case 'not':
    case 'test':
    case 'collate':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'in':
      return [expression.operand, ...expression.list];
    case 'in-array':
      return [expression.operand, expression.array];
    case 'like':
      return [expression.operand, expression.pattern];
    case 'between':
      return [expression.operand, expression.low, expression.high];
    case 'case':
      return [
        ...(expression.operand ? [expression.operand] : []),
        ...expression.whens.flatMap(({ when, then }) => [when, then]),
        ...(expression.otherwise ? [expression.otherwise] : []),
      ];
    case 'quantified':
      return [expression.array, expression.satisfies];
    case 'function':
      return expression.arguments;
    case 'aggregate':
      return expression.argument ? [expression.argument] : [];
  }
}

/** An expression and all inside it. */
export function* nodesOf(expression: Expression): Generator<Expression, void, undefined> {
  const todo = [expression];
  for (let next; (next = todo.pop());) {
    yield next;
    todo.push(...childrenOf(next));
  }
}

/** The sources that an expression reads; a rank counts for the source of its match. */
export function sourcesIn(expression: Expression, sourceOfMatch: (match: number) => number): Set<number> {
  const sources = new Set<number>();
  for (const node of nodesOf(expression)) {
    if (node.type === 'property' || node.type === 'meta') sources.add(node.source);
    if (node.type === 'rank') sources.add(sourceOfMatch(node.match));
  }
  return sources;
}

/** Whether an expression has one value for the whole run: it reads no row, no variable, no group. */
export function isConstant(expression: Expression): boolean {
  for (const { type } of nodesOf(expression)) if (VARYING.has(type)) return false;
  return true;
}

const VARYING: ReadonlySet<Expression['type']> = new Set([
  'property',
  'variable',
  'meta',
  'rank',
  'aggregate',
  'exists',
]);

/** The terms of a chain of ANDs, in order. */
export function conjunctsOf(expression: Expression | undefined): Expression[] {
  return expression ? chainOf(expression, 'AND') : [];
}

/** The operands of a chain of one operator, in order. */
export function chainOf(expression: Expression, operator: 'AND' | 'OR'): Expression[] {
  const terms: Expression[] = [];
  const todo = [expression];
  for (let next; (next = todo.pop());)
    if (next.type === 'binary' && next.operator === operator) todo.push(next.right, next.left);
    else terms.push(next);
  return terms;
}

/** Text that is the same for the same expression. */
export function expressionKey(expression: Expression): string {
  return JSON.stringify(expression, (_, value: unknown) =>
    typeof value === 'bigint' ? { integer: `${value}` } : value,
  );
}
