import type { CollectionName, Expression, Statement } from '../statement.js';

/** The collections that a statement reads, each once: what access rights and live queries depend on. */
export function statementCollections(statement: Statement): CollectionName[] {
  const found = new Map<string, CollectionName>();
  const visit = ({ sources, ...clauses }: Statement): void => {
    for (const source of sources)
      if (source.type === 'collection')
        found.set(`${source.collection.scope}.${source.collection.collection}`, source.collection);
    for (const nested of nestedStatements([sources, clauses])) visit(nested);
  };
  visit(statement);
  return [...found.values()];
}

/** The statements of EXISTS in any part of a statement. */
function nestedStatements(part: unknown): Statement[] {
  const found: Statement[] = [];
  const todo: unknown[] = [part];
  for (let next; todo.length > 0;) {
    next = todo.pop();
    if (typeof next !== 'object' || next === null) continue;
    const expression = next as Partial<Extract<Expression, { type: 'exists' }>>;
    if (expression.type === 'exists' && expression.statement) found.push(expression.statement);
    else todo.push(...(Object.values(next) as unknown[]));
  }
  return found;
}

export interface StatementParameters {
  readonly required: readonly string[];
  /** Their names begin with `opt_`; they are MISSING unless given. */
  readonly optional: readonly string[];
}

const OPTIONAL = 'opt_';

export function statementParameters({ parameters }: Statement): StatementParameters {
  return {
    required: parameters.filter((name) => !name.startsWith(OPTIONAL)),
    optional: parameters.filter((name) => name.startsWith(OPTIONAL)),
  };
}
