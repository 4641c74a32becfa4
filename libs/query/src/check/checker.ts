import type {
  Collation,
  ColumnSyntax,
  JoinSyntax,
  PathStep,
  SelectSyntax,
  SourceSyntax,
  Syntax,
  UnnestSyntax,
} from '../ast.js';
import { LIMITS } from '../parse/limits.js';
import { parse } from '../parse/parser.js';
import { children, clauses } from '../parse/walk.js';
import { placeOf, QueryError } from '../query-error.js';
import type { CollectionName, Column, Expression, Match, Source, Statement } from '../statement.js';
import { nameColumns } from './columns.js';
import { resolveCollection, type QueryContext } from './context.js';
import { ExpressionChecker } from './expressions.js';
import { sameAlias, Scope, type Environment } from './scope.js';

/**
 * The checked form of a statement.
 * @throws QueryError `query.syntax`, `query.invalid`, `query.index-missing`
 */
export function prepare(text: string, context: QueryContext): Statement {
  return check(parse(text), text, context);
}

/**
 * @param text the statement that `syntax` was parsed from, for places in errors
 * @throws QueryError `query.invalid`, `query.index-missing`
 */
export function check(syntax: SelectSyntax, text: string, context: QueryContext): Statement {
  return new SelectChecker(syntax, text, context).statement();
}

class SelectChecker {
  private readonly scope: Scope;
  private readonly expressions: ExpressionChecker;
  private readonly sources: Source[] = [];
  private readonly matches: Match[] = [];

  constructor(
    private readonly select: SelectSyntax,
    private readonly text: string,
    private readonly context: QueryContext,
    outer?: Scope,
  ) {
    this.scope = new Scope(outer);
    this.expressions = new ExpressionChecker({
      text,
      scope: this.scope,
      match: (index) => this.matchOf(index),
      exists: (inner) => new SelectChecker(inner, text, context, this.scope).statement(),
    });
  }

  statement(): Statement {
    const { select } = this;
    const parameters = this.parameters();
    this.declareSources();
    this.declareAliases();
    this.joinSources();
    const where = select.where && this.where(select.where);
    const columns = this.columns();
    const groupBy = select.groupBy.map((key) => this.expressions.key(key, this.environment('GROUP BY')));
    const having = select.having && this.expressions.expression(select.having, this.environment('HAVING', 'allowed'));
    const orderBy = select.orderBy.map(({ expression, descending }) => ({
      expression: this.expressions.key(expression, this.environment('ORDER BY', 'allowed')),
      descending,
    }));
    const limit = select.limit && this.count(select.limit, 'LIMIT');
    const offset = select.offset && this.count(select.offset, 'OFFSET');
    return {
      distinct: select.distinct,
      columns,
      sources: this.finishedSources(),
      ...(where && { where }),
      matches: this.matches,
      groupBy,
      ...(having && { having }),
      grouped: groupBy.length > 0 || this.expressions.aggregates,
      orderBy,
      ...(limit && { limit }),
      ...(offset && { offset }),
      parameters,
    };
  }

  private parameters(): string[] {
    const names = new Set<string>();
    const todo = clauses(this.select).reverse();
    for (let syntax; (syntax = todo.pop());) {
      if (syntax.type === 'parameter' && names.add(syntax.name).size > LIMITS.parameters)
        this.fail(syntax, `there are more than ${LIMITS.parameters} parameters`);
      todo.push(...children(syntax).toReversed());
    }
    return [...names];
  }

  private declareSources(): void {
    this.declareCollection(this.select.from);
    for (const join of this.select.joins)
      if (join.type === 'join') this.declareCollection(join.source);
      else this.declareUnnest(join);
  }

  private declareCollection(source: SourceSyntax): void {
    const { names, alias } = source;
    const collection = resolveCollection(names, this.context);
    if (!collection) this.fail(source, `no such collection "${names.join('.')}"`);
    const prefixes = alias === undefined ? names.map((_, index) => names.slice(index)) : [[alias]];
    this.declare(source, { type: 'collection', name: alias ?? names.at(-1)!, prefixes, collection });
  }

  private declareUnnest(unnest: UnnestSyntax): void {
    const { expression, alias } = unnest;
    if (expression.type !== 'path') return this.fail(unnest, 'UNNEST takes the path of a property');
    const lastName = expression.steps.findLast((step) => typeof step === 'string')!;
    const prefixes = [alias === undefined ? expression.steps : [alias]];
    this.declare(unnest, { type: 'unnest', name: alias ?? lastName, prefixes });
  }

  private declare(at: { position: number }, source: Scope['sources'][number]): void {
    for (const prefix of source.prefixes)
      if (this.scope.sources.some((other) => other.prefixes.some((known) => samePath(known, prefix))))
        this.fail(at, `duplicate alias "${prefix.join('.')}"`);
    this.scope.sources.push(source);
  }

  private declareAliases(): void {
    this.select.columns.forEach(({ alias, expression, position }, column) => {
      if (alias === undefined) return;
      if (this.isTaken(alias)) this.fail({ position }, `duplicate alias "${alias}"`);
      this.scope.aliases.push({ alias, expression, column });
    });
  }

  private isTaken(alias: string): boolean {
    return (
      this.scope.aliases.some((other) => sameAlias(other.alias, alias)) ||
      this.scope.sources.some(({ prefixes }) => prefixes.some((prefix) => samePath(prefix, [alias])))
    );
  }

  private joinSources(): void {
    this.sources.push(this.collectionSource(0, 'from'));
    this.select.joins.forEach((join, index) => {
      this.sources.push(join.type === 'join' ? this.join(join, index + 1) : this.unnest(join, index + 1));
    });
  }

  private collectionSource(source: number, join: 'from' | JoinSyntax['kind'], on?: Expression): Source {
    const { name, collection } = this.scope.sources[source]!;
    const withDeleted = false;
    return { type: 'collection', alias: name, collection: collection!, join, ...(on && { on }), withDeleted };
  }

  private join(join: JoinSyntax, source: number): Source {
    if (join.kind === 'cross' && join.on) this.fail(join.on, 'CROSS JOIN takes no ON');
    if (join.kind !== 'cross' && !join.on) this.fail(join.source, 'JOIN needs ON');
    const on = join.on && this.expressions.expression(join.on, this.environment('ON', 'refused', source + 1));
    return this.collectionSource(source, join.kind, on);
  }

  private unnest(unnest: UnnestSyntax, source: number): Source {
    const environment = this.environment('UNNEST', 'refused', source);
    const array = this.expressions.expression(unnest.expression, environment);
    if (array.type !== 'property') this.fail(unnest, 'UNNEST takes the path of a property');
    return { type: 'unnest', alias: this.scope.sources[source]!.name, array };
  }

  /** WHERE without its MATCH terms. */
  private where(where: Syntax): Expression | undefined {
    const [body, collation] = where.type === 'collate' ? [where.operand, where.collation] : [where, undefined];
    const terms = conjunction(body);
    for (const term of terms) if (term.type === 'match') this.match(term);
    if (this.matches.length === 0) return this.condition(where, collation);
    return terms
      .filter(({ type }) => type !== 'match')
      .map((term) => this.condition(term, collation))
      .reduce<Expression | undefined>(
        (left, right) => (left ? { type: 'binary', operator: 'AND', left, right } : right),
        undefined,
      );
  }

  private condition(syntax: Syntax, collation: Collation | undefined): Expression {
    return this.expressions.expression(syntax, this.environment('WHERE'), collation);
  }

  private match(term: Extract<Syntax, { type: 'match' }>): void {
    const source = this.indexedSource(term);
    const index = term.index.at(-1)!;
    if (this.matches.some((other) => other.source === source && other.index === index))
      this.fail(term, `there are two MATCH() of the index "${index}"`);
    const text = this.expressions.expression(term.text, this.environment('the text of MATCH()', 'refused', 0));
    this.matches.push({ source, index, text });
  }

  /** The source of a full-text index: the one named, else the first that has such an index. */
  private indexedSource(term: Extract<Syntax, { type: 'match' }>): number {
    const alias = term.index.slice(0, -1);
    const index = term.index.at(-1)!;
    const named = alias.length === 0 ? undefined : this.scope.findSource(alias);
    if (alias.length > 0 && named?.length !== alias.length)
      this.fail(term, `MATCH(${term.index.join('.')}, …): "${alias.join('.')}" is no alias of a collection`);
    const hasIndex = ({ collection }: { collection?: CollectionName }): boolean => {
      const indexes = collection ? this.context.fullTextIndexes(collection) : [];
      return indexes === 'any' || indexes.includes(index);
    };
    const source = this.scope.sources.findIndex(
      (candidate, position) => (named === undefined || named.source === position) && hasIndex(candidate),
    );
    if (source < 0)
      throw new QueryError(
        'query.index-missing',
        `no full-text index "${index}" on the collection`,
        placeOf(this.text, term.position),
      );
    return source;
  }

  private matchOf(index: readonly string[]): number | undefined {
    const alias = index.slice(0, -1);
    const named = alias.length === 0 ? undefined : this.scope.findSource(alias);
    if (alias.length > 0 && named?.length !== alias.length) return undefined;
    const match = this.matches.findIndex(
      (candidate) => candidate.index === index.at(-1) && (named === undefined || named.source === candidate.source),
    );
    return match < 0 ? undefined : match;
  }

  private columns(): Column[] {
    const columns = this.select.columns.flatMap((column, index) => this.column(column, index));
    const names = nameColumns(columns);
    return columns.map(({ expression }, index) => ({ name: names[index]!, expression }));
  }

  private column(column: ColumnSyntax, index: number): { alias?: string; implied?: string; expression: Expression }[] {
    const { expression: syntax, alias } = column;
    const { sources } = this.scope;
    if (syntax.type === 'star' && syntax.alias === undefined) {
      if (alias !== undefined && sources.length > 1)
        this.fail(column, '* of several sources has one key for each, no alias');
      return sources.map(({ name }, source) => ({
        ...(alias === undefined ? { implied: name } : { alias }),
        expression: { type: 'property', source, path: [] },
      }));
    }
    const environment = { ...this.environment('a column', 'allowed'), aliases: index };
    // Rows of DISTINCT are the same or not under the collation of their columns.
    const expression = this.select.distinct
      ? this.expressions.key(syntax, environment)
      : this.expressions.expression(syntax, environment);
    if (alias !== undefined) return [{ alias, expression }];
    const implied = this.impliedName(syntax, expression, environment);
    return [{ ...(implied !== undefined && { implied }), expression }];
  }

  private impliedName(syntax: Syntax, expression: Expression, environment: Environment): string | undefined {
    if (expression.type === 'meta') return expression.member ?? this.scope.sources[expression.source]!.name;
    const steps = syntax.type === 'star' ? [syntax.alias!] : syntax.type === 'path' ? syntax.steps : [];
    if (steps.length === 0) return undefined;
    const resolved = this.scope.resolve(steps, environment);
    if (resolved.type === 'source' && resolved.rest.length === 0) return this.scope.sources[resolved.source]!.name;
    const last = steps.at(-1);
    return typeof last === 'string' ? last : undefined;
  }

  private count(syntax: Syntax, clause: string): Expression {
    if (syntax.type === 'literal' && typeof syntax.value !== 'bigint') this.fail(syntax, `${clause} takes an integer`);
    return this.expressions.expression(syntax, this.environment(clause, 'refused', 0));
  }

  /** Only rows that match stay, so that an outer join is an inner one for the source of a MATCH. */
  private finishedSources(): Source[] {
    return this.sources.map((source, index) => {
      if (source.type === 'unnest') return source;
      const isMatched = this.matches.some((match) => match.source === index);
      return {
        ...source,
        join: isMatched && source.join === 'left' ? 'inner' : source.join,
        withDeleted: this.expressions.withDeleted.has(index),
      };
    });
  }

  private environment(
    clause: string,
    aggregates: Environment['aggregates'] = 'refused',
    sources = Infinity,
  ): Environment {
    const aliases = sources === Infinity ? Infinity : 0;
    return { clause, aggregates, sources, aliases, variables: [], firstVariable: 0 };
  }

  private fail(at: { position: number }, detail: string): never {
    throw new QueryError('query.invalid', detail, placeOf(this.text, at.position));
  }
}

function samePath(a: readonly PathStep[], b: readonly PathStep[]): boolean {
  return (
    a.length === b.length &&
    a.every((step, index) => {
      const other = b[index]!;
      return typeof step === 'string' && typeof other === 'string' ? sameAlias(step, other) : step === other;
    })
  );
}

/** The terms of a chain of ANDs, in order. */
function conjunction(syntax: Syntax): Syntax[] {
  const terms: Syntax[] = [];
  const todo = [syntax];
  for (let next; (next = todo.pop());)
    if (next.type === 'binary' && next.operator === 'AND') todo.push(next.right, next.left);
    else terms.push(next);
  return terms;
}
