import type { PathStep, Syntax } from '../ast.js';
import { findFunction } from '../functions/signatures.js';
import { parseArrayPath, parseExpression } from '../parse/parser.js';
import { children } from '../parse/walk.js';
import { placeOf, QueryError } from '../query-error.js';
import type { Expression } from '../statement.js';
import { ExpressionChecker } from './expressions.js';
import { Scope, type Environment } from './scope.js';

/**
 * An expression of an index, or its WHERE: the document (the item, in an array index) is source 0. It may read
 * properties and `META().id`, which change with the document alone.
 * @throws QueryError
 */
export function checkIndexExpression(text: string): Expression {
  const syntax = parseExpression(text);
  refuseForeign(syntax, text);
  const scope = new Scope();
  scope.sources.push({ type: 'collection', name: '_', prefixes: [] });
  const unreachable = (): never => {
    throw new QueryError('query.invalid', 'an index takes an expression of one document');
  };
  const checker = new ExpressionChecker({ text, scope, match: unreachable, exists: unreachable });
  const expression = checker.key(syntax, ENVIRONMENT);
  if (expression.type === 'literal' || expression.type === 'collate')
    fail(syntax, `an index cannot be on ${expression.type === 'literal' ? 'a constant' : 'a collation'}`, text);
  return expression;
}

const ENVIRONMENT: Environment = {
  clause: 'an index',
  aggregates: 'refused',
  sources: 1,
  aliases: 0,
  variables: [],
  firstVariable: 0,
};

/**
 * The path of an array index: the arrays inside each other that it walks through. `contacts[].phones` is
 * `[['contacts'], ['phones']]`.
 * @throws QueryError
 */
export function checkArrayPath(text: string): PathStep[][] {
  return parseArrayPath(text);
}

function refuseForeign(syntax: Syntax, text: string): void {
  const todo = [syntax];
  for (let next; (next = todo.pop());) {
    const foreign = foreignPart(next);
    if (foreign) fail(next, `an index cannot use ${foreign}`, text);
    // The member decides whether META() may be read.
    if (next.type !== 'member' || next.of.type !== 'meta') todo.push(...children(next));
  }
}

function foreignPart(syntax: Syntax): string | undefined {
  switch (syntax.type) {
    case 'parameter':
      return `the parameter $${syntax.name}`;
    case 'match':
    case 'rank':
      return `${syntax.type.toUpperCase()}()`;
    case 'exists':
      return 'EXISTS';
    case 'function':
      return findFunction(syntax.name)?.type === 'aggregate' ? `${syntax.name.toUpperCase()}()` : undefined;
    case 'meta':
      return 'META() but its id';
    case 'member':
      return syntax.of.type === 'meta' && String(syntax.steps[0]).toLowerCase() !== 'id'
        ? 'META() but its id'
        : undefined;
    case 'path':
      return syntax.steps.length === 1 && FOREIGN_SHORTCUTS.has(syntax.steps[0]!) ? 'META() but its id' : undefined;
    default:
      return undefined;
  }
}

const FOREIGN_SHORTCUTS: ReadonlySet<PathStep> = new Set(['_sequence', '_deleted', '_expiration', '_revisionID']);

function fail(at: Syntax, detail: string, text: string): never {
  throw new QueryError('query.invalid', detail, placeOf(text, at.position));
}
