import type { Collation, PathStep, SelectSyntax, Syntax } from '../ast.js';
import { findFunction, type AggregateName, type Arity } from '../functions/signatures.js';
import { LIMITS } from '../parse/limits.js';
import { placeOf, QueryError, type QueryErrorCode } from '../query-error.js';
import type { Expression, MetaMember, Statement } from '../statement.js';
import type { Environment, Resolved, Scope } from './scope.js';

type Of<Type extends Syntax['type']> = Extract<Syntax, { type: Type }>;

const COMPARISONS: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=', 'IS', 'IS NOT']);
const BIT_OPERATORS: ReadonlySet<string> = new Set(['<<', '>>', '&', '|']);
const META_MEMBERS: readonly MetaMember[] = ['id', 'sequence', 'deleted', 'expiration', 'revisionID'];
const SHORTCUTS: Readonly<Record<string, MetaMember>> = {
  _id: 'id',
  _sequence: 'sequence',
  _deleted: 'deleted',
  _expiration: 'expiration',
  _revisionID: 'revisionID',
};

/** Replacing aliases may multiply a statement; a tree of this many nodes is refused. */
const MAX_NODES = 300_000;

/** The surroundings that the expressions of a statement share. */
export interface Setting {
  readonly text: string;
  readonly scope: Scope;
  /** The index in `matches` of a full-text index, for RANK. */
  match(index: readonly string[]): number | undefined;
  /** The SELECT of an EXISTS. */
  exists(select: SelectSyntax): Statement;
}

/** Turns syntax into expressions: resolves names, replaces aliases, checks functions and where they stand. */
export class ExpressionChecker {
  /** Sources whose tombstones are candidates, because the statement mentions their deletion. */
  readonly withDeleted = new Set<number>();
  /** Whether an aggregate occurs. */
  aggregates = false;
  private depth = 0;
  private nodes = 0;

  constructor(private readonly setting: Setting) {}

  /** @throws QueryError */
  expression(syntax: Syntax, environment: Environment, collation?: Collation): Expression {
    if (++this.depth > LIMITS.depth || ++this.nodes > MAX_NODES)
      this.fail(syntax, 'the statement is too large once its aliases are replaced');
    const expression = this.lower(syntax, environment, collation);
    this.depth--;
    return expression;
  }

  /** A sort or group key, which keeps its collation. */
  key(syntax: Syntax, environment: Environment): Expression {
    if (syntax.type === 'collate') {
      const operand = this.expression(syntax.operand, environment, syntax.collation);
      return isDefault(syntax.collation) ? operand : { type: 'collate', operand, collation: syntax.collation };
    }
    if (syntax.type === 'path' && syntax.steps.length === 1) {
      const resolved = this.setting.scope.resolve(syntax.steps, environment);
      if (resolved.type === 'column')
        return this.key(resolved.alias.expression, { ...environment, aliases: resolved.alias.column });
    }
    return this.expression(syntax, environment);
  }

  /** The meaning of a path. */
  resolve(
    syntax: Syntax,
    steps: readonly PathStep[],
    environment: Environment,
  ): Exclude<Resolved, { type: 'refused' }> {
    const resolved = this.setting.scope.resolve(steps, environment);
    return resolved.type === 'refused' ? this.fail(syntax, resolved.reason) : resolved;
  }

  fail(syntax: { readonly position: number }, detail: string, code: QueryErrorCode = 'query.invalid'): never {
    throw new QueryError(code, detail, placeOf(this.setting.text, syntax.position));
  }

  private lower(syntax: Syntax, environment: Environment, collation: Collation | undefined): Expression {
    const one = (part: Syntax): Expression => this.expression(part, environment, collation);
    switch (syntax.type) {
      case 'literal':
        return { type: 'literal', value: syntax.value };
      case 'array':
        return { type: 'array', items: syntax.items.map(one) };
      case 'object':
        return { type: 'object', members: syntax.members.map(({ name, value }) => ({ name, value: one(value) })) };
      case 'path':
        return this.path(syntax, syntax.steps, environment);
      case 'star':
        return this.star(syntax, environment);
      case 'parameter':
        return { type: 'parameter', name: syntax.name };
      case 'member':
        return this.member(syntax, environment, collation);
      case 'unary':
        return this.unary(syntax, one(syntax.operand));
      case 'binary':
        return this.binary(syntax, environment, collation);
      case 'test':
        return { type: 'test', test: syntax.test, negated: syntax.negated, operand: one(syntax.operand) };
      case 'in':
        return { type: 'in', negated: syntax.negated, operand: one(syntax.operand), list: syntax.list.map(one) };
      case 'in-array':
        return { type: 'in-array', negated: syntax.negated, operand: one(syntax.operand), array: one(syntax.array) };
      case 'like':
        return {
          type: 'like',
          negated: syntax.negated,
          operand: one(syntax.operand),
          pattern: one(syntax.pattern),
          ...collated(collation ?? explicit(syntax.operand) ?? explicit(syntax.pattern)),
        };
      case 'between':
        return {
          type: 'between',
          negated: syntax.negated,
          operand: one(syntax.operand),
          low: one(syntax.low),
          high: one(syntax.high),
        };
      case 'case':
        return {
          type: 'case',
          ...(syntax.operand && { operand: one(syntax.operand) }),
          whens: syntax.whens.map(({ when, then }) => ({ when: one(when), then: one(then) })),
          ...(syntax.otherwise && { otherwise: one(syntax.otherwise) }),
        };
      case 'quantified':
        return this.quantified(syntax, environment, collation);
      case 'exists':
        return { type: 'exists', statement: this.setting.exists(syntax.select) };
      case 'collate':
        return this.expression(syntax.operand, environment, syntax.collation);
      case 'function':
        return this.function(syntax, environment, collation);
      case 'meta':
        return this.meta(syntax, environment);
      case 'match':
        return this.fail(syntax, 'MATCH() stands in WHERE only, alone or under AND');
      case 'rank':
        return this.rank(syntax);
    }
  }

  private path(syntax: Syntax, steps: readonly PathStep[], environment: Environment): Expression {
    const resolved = this.resolve(syntax, steps, environment);
    switch (resolved.type) {
      case 'variable':
        return { type: 'variable', depth: resolved.depth, path: resolved.rest };
      case 'source':
        return this.property(resolved.source, resolved.rest);
      case 'column': {
        const { alias, rest } = resolved;
        // The variables around the path are out of the column's sight.
        const variables = environment.variables.map(() => undefined);
        return extend(this.expression(alias.expression, { ...environment, aliases: alias.column, variables }), rest);
      }
    }
  }

  private property(source: number, path: readonly PathStep[]): Expression {
    const first = path[0];
    const isShortcut = path.length === 1 && typeof first === 'string' && Object.hasOwn(SHORTCUTS, first);
    return isShortcut && this.setting.scope.sources[source]!.type === 'collection'
      ? this.metaMember(source, SHORTCUTS[first]!)
      : { type: 'property', source, path };
  }

  private star(syntax: Of<'star'>, environment: Environment): Expression {
    if (syntax.alias !== undefined) return this.path(syntax, [syntax.alias], environment);
    if (environment.sources === 0) this.fail(syntax, `${environment.clause} takes an expression without properties`);
    if (this.setting.scope.sources.length !== 1)
      this.fail(syntax, '* stands alone in a column or in COUNT(*) if there are several sources');
    return { type: 'property', source: 0, path: [] };
  }

  private member(syntax: Of<'member'>, environment: Environment, collation: Collation | undefined): Expression {
    const { of, steps } = syntax;
    if (of.type !== 'meta') return extend(this.expression(of, environment, collation), steps);
    const name = String(steps[0]);
    const member = META_MEMBERS.find((known) => known.toLowerCase() === name.toLowerCase());
    if (!member || steps.length > 1)
      this.fail(syntax, `META() has no member "${steps.join('.')}": use ${META_MEMBERS.join(', ')}`);
    return this.metaMember(this.metaSource(of, environment), member!);
  }

  private metaMember(source: number, member: MetaMember): Expression {
    if (member === 'deleted') this.withDeleted.add(source);
    return { type: 'meta', source, member };
  }

  private meta(syntax: Of<'meta'>, environment: Environment): Expression {
    const source = this.metaSource(syntax, environment);
    this.withDeleted.add(source);
    return { type: 'meta', source };
  }

  private metaSource(syntax: Of<'meta'>, { sources, clause }: Environment): number {
    if (sources === 0) this.fail(syntax, `${clause} takes an expression without properties`);
    if (!syntax.alias) return 0;
    const { scope } = this.setting;
    const found = scope.findSource(syntax.alias);
    const name = syntax.alias.join('.');
    if (found?.length !== syntax.alias.length || scope.sources[found.source]!.type !== 'collection')
      this.fail(syntax, `META(${name}): "${name}" is no alias of a collection`);
    if (found!.source >= sources)
      this.fail(syntax, `"${name}" cannot be used in ${clause}: only sources before it can`);
    return found!.source;
  }

  private unary(syntax: Of<'unary'>, operand: Expression): Expression {
    if (syntax.operator === 'NOT') return { type: 'not', operand };
    if (syntax.operator === '-') return { type: 'negate', operand };
    // A plus makes a number of its operand, as a minus does.
    return { type: 'negate', operand: { type: 'negate', operand } };
  }

  private binary(syntax: Of<'binary'>, environment: Environment, collation: Collation | undefined): Expression {
    const { operator } = syntax;
    if (isBitOperator(operator)) this.fail(syntax, `the operator ${operator} is not supported`);
    return {
      type: 'binary',
      operator: operator as Exclude<typeof operator, '<<' | '>>' | '&' | '|'>,
      left: this.expression(syntax.left, environment, collation),
      right: this.expression(syntax.right, environment, collation),
      ...(COMPARISONS.has(operator) && collated(collation ?? explicit(syntax.left) ?? explicit(syntax.right))),
    };
  }

  private quantified(syntax: Of<'quantified'>, environment: Environment, collation: Collation | undefined): Expression {
    const variables = [...environment.variables, syntax.variable];
    return {
      type: 'quantified',
      quantifier: syntax.quantifier,
      depth: environment.variables.length,
      array: this.expression(syntax.array, environment, collation),
      satisfies: this.expression(syntax.satisfies, { ...environment, variables }, collation),
    };
  }

  private function(syntax: Of<'function'>, environment: Environment, collation: Collation | undefined): Expression {
    const { arguments: args } = syntax;
    const found = findFunction(syntax.name)!;
    if (found.type === 'absent')
      return this.fail(syntax, `${syntax.name.toUpperCase()}() needs ${found.needs}, which this server does not have`);
    if (args.length < found.arity.min || args.length > found.arity.max)
      this.fail(syntax, `${found.name}() takes ${spellArity(found.arity)}, not ${args.length}`);
    if (found.type === 'aggregate') return this.aggregate(syntax, found.name, environment);
    return {
      type: 'function',
      name: found.name,
      arguments: args.map((argument) => this.expression(argument, environment, collation)),
      ...(found.name === 'CONTAINS' && collated(collation ?? explicit(args[0]!) ?? explicit(args[1]!))),
    };
  }

  private aggregate(syntax: Of<'function'>, name: AggregateName, environment: Environment): Expression {
    if (environment.aggregates === 'inside') this.fail(syntax, `${name}() cannot stand inside of an aggregate`);
    if (environment.aggregates === 'refused') this.fail(syntax, `${name}() cannot stand in ${environment.clause}`);
    this.aggregates = true;
    const [argument] = syntax.arguments;
    if (!argument || (name === 'COUNT' && argument.type === 'star' && argument.alias === undefined))
      return { type: 'aggregate', name: name as 'COUNT' };
    if (argument.type === 'collate') this.fail(argument, `COLLATE cannot stand in ${name}()`);
    const inside: Environment = {
      ...environment,
      aggregates: 'inside',
      firstVariable: environment.variables.length,
    };
    return { type: 'aggregate', name, argument: this.expression(argument, inside) };
  }

  private rank(syntax: Of<'rank'>): Expression {
    const match = this.setting.match(syntax.index);
    const name = syntax.index.join('.');
    if (match === undefined) this.fail(syntax, `RANK(${name}) needs MATCH(${name}, …) in WHERE`);
    return { type: 'rank', match: match! };
  }
}

function isBitOperator(operator: string): boolean {
  return BIT_OPERATORS.has(operator);
}

/** A path behind an expression. */
function extend(expression: Expression, rest: readonly PathStep[]): Expression {
  if (rest.length === 0) return expression;
  if (expression.type === 'property' || expression.type === 'variable')
    return { ...expression, path: [...expression.path, ...rest] };
  return { type: 'member', of: expression, path: rest };
}

function isDefault({ unicode, ignoreCase, ignoreAccents }: Collation): boolean {
  return !unicode && !ignoreCase && !ignoreAccents;
}

function collated(collation: Collation | undefined): { collation?: Collation } {
  return collation && !isDefault(collation) ? { collation } : {};
}

/** The collation of an operand in parentheses: `(city COLLATE NOCASE) = 'oslo'`. */
function explicit(operand: Syntax): Collation | undefined {
  return operand.type === 'collate' ? operand.collation : undefined;
}

function spellArity({ min, max }: Arity): string {
  const noun = (count: number): string => `${count} ${count === 1 ? 'argument' : 'arguments'}`;
  if (max === Infinity) return `${noun(min)} or more`;
  return min === max ? noun(min) : `${min} to ${noun(max)}`;
}
