import type { SelectSyntax, Syntax } from '../ast.js';

/** The direct parts of an expression. */
export function children(syntax: Syntax): readonly Syntax[] {
  switch (syntax.type) {
    case 'array':
      return syntax.items;
    case 'object':
      return syntax.members.map(({ value }) => value);
    case 'member':
      return [syntax.of];
    case 'unary':
    case 'test':
    case 'collate':
      return [syntax.operand];
    case 'binary':
      return [syntax.left, syntax.right];
    case 'in':
      return [syntax.operand, ...syntax.list];
    case 'in-array':
      return [syntax.operand, syntax.array];
    case 'like':
      return [syntax.operand, syntax.pattern];
    case 'between':
      return [syntax.operand, syntax.low, syntax.high];
    case 'case':
      return [
        ...(syntax.operand ? [syntax.operand] : []),
        ...syntax.whens.flatMap(({ when, then }) => [when, then]),
        ...(syntax.otherwise ? [syntax.otherwise] : []),
      ];
    case 'quantified':
      return [syntax.array, syntax.satisfies];
    case 'exists':
      return clauses(syntax.select);
    case 'function':
      return syntax.arguments;
    case 'match':
      return [syntax.text];
    case 'literal':
    case 'path':
    case 'star':
    case 'parameter':
    case 'meta':
    case 'rank':
      return [];
  }
}

/** The expressions of a SELECT, in the order written. */
export function clauses(select: SelectSyntax): Syntax[] {
  return [
    ...select.columns.map(({ expression }) => expression),
    ...select.joins.flatMap((join) => (join.type === 'unnest' ? [join.expression] : join.on ? [join.on] : [])),
    ...(select.where ? [select.where] : []),
    ...select.groupBy,
    ...(select.having ? [select.having] : []),
    ...select.orderBy.map(({ expression }) => expression),
    ...(select.limit ? [select.limit] : []),
    ...(select.offset ? [select.offset] : []),
  ];
}

/** The deepest expression of a tree. It does not recurse: the tree may be deeper than the stack. */
export function deepest(tree: SelectSyntax | Syntax): { depth: number; position: number } {
  let result = { depth: 0, position: 0 };
  const todo = (tree.type === 'select' ? clauses(tree) : [tree]).map((syntax) => ({ syntax, depth: 1 }));
  for (let next; (next = todo.pop());) {
    const { syntax, depth } = next;
    if (depth > result.depth) result = { depth, position: syntax.position };
    for (const child of children(syntax)) todo.push({ syntax: child, depth: depth + 1 });
  }
  return result;
}
