import type {
  ColumnSyntax,
  JoinSyntax,
  OrderSyntax,
  PathStep,
  SelectSyntax,
  SourceSyntax,
  Syntax,
  UnnestSyntax,
} from '../ast.js';
import { QueryError, placeOf } from '../query-error.js';
import { ExpressionParser } from './expression-parser.js';
import { LIMITS } from './limits.js';
import { deepest } from './walk.js';

/**
 * The syntax tree of a statement.
 * @throws QueryError `query.syntax`; `query.invalid` without FROM and beyond the limits
 */
export function parse(text: string): SelectSyntax {
  return new Parser(text).statement();
}

/**
 * The syntax tree of one expression, as in the definition of an index.
 * @throws QueryError
 */
export function parseExpression(text: string): Syntax {
  return new Parser(text).lone();
}

/**
 * The path of an array index, cut at its `[]`: `contacts[].phones` is `[['contacts'], ['phones']]`.
 * @throws QueryError `query.syntax`
 */
export function parseArrayPath(text: string): PathStep[][] {
  return new Parser(text).arrayPath();
}

const NOWHERE: SourceSyntax = { names: [], position: 0 };

class Parser extends ExpressionParser {
  /** The first SELECT without FROM. The grammar lets it pass, so that errors of syntax come first. */
  private withoutFrom?: number;

  statement(): SelectSyntax {
    if (!this.sees('SELECT')) return this.columnsAlone();
    const select = this.select();
    this.acceptSymbol(';');
    this.end();
    if (this.withoutFrom !== undefined) this.invalid('the statement has no FROM', this.withoutFrom);
    return this.bounded(select);
  }

  lone(): Syntax {
    const expression = this.expression();
    this.end();
    if (this.withoutFrom !== undefined) this.invalid('the statement has no FROM', this.withoutFrom);
    return this.bounded(expression);
  }

  arrayPath(): PathStep[][] {
    const levels: PathStep[][] = [];
    do {
      levels.push([this.name('a property name'), ...this.stepsToArray()]);
      if (this.acceptSymbol('[')) this.expectSymbol(']');
    } while (this.acceptSymbol('.'));
    this.end();
    return levels;
  }

  private stepsToArray(): PathStep[] {
    const steps: PathStep[] = [];
    while (!(this.seesSymbol('[') && this.seesSymbol(']', 1)) && (this.seesSymbol('.') || this.seesSymbol('[')))
      steps.push(this.step());
    return steps;
  }

  private end(): void {
    if (this.peek().kind !== 'end') this.fail('the end');
  }

  private bounded<T extends SelectSyntax | Syntax>(tree: T): T {
    const { depth, position } = deepest(tree);
    if (depth > LIMITS.depth)
      throw new QueryError(
        'query.invalid',
        `the statement chains or nests more than ${LIMITS.depth} operators`,
        placeOf(this.text, position),
      );
    return tree;
  }

  /** The engine's grammar lets SELECT … FROM go and misses them afterwards. */
  private columnsAlone(): never {
    if (this.peek().kind === 'end') this.fail('SELECT');
    const { text } = this;
    try {
      this.columns();
      if (this.peek().kind !== 'end') throw new QueryError('query.syntax', '');
    } catch {
      return new Parser(text).fail('SELECT');
    }
    throw new QueryError('query.invalid', 'a statement begins with SELECT', placeOf(text, 0));
  }

  protected select(): SelectSyntax {
    const start = this.advance();
    const distinct = this.accept('DISTINCT');
    if (!distinct) this.accept('ALL');
    const columns = this.columns();
    const from = this.accept('FROM') ? this.source() : undefined;
    const joins = from ? this.joins() : [];
    const where = this.accept('WHERE') ? this.expression() : undefined;
    const { groupBy, having } = this.grouping();
    const orderBy = this.ordering();
    const { limit, offset } = this.page();
    if (!from) this.withoutFrom ??= start.start;
    return {
      type: 'select',
      distinct,
      columns,
      from: from ?? NOWHERE,
      joins,
      ...(where && { where }),
      groupBy,
      ...(having && { having }),
      orderBy,
      ...(limit && { limit }),
      ...(offset && { offset }),
    };
  }

  private columns(): ColumnSyntax[] {
    const columns: ColumnSyntax[] = [];
    do {
      const { position } = this;
      if (columns.length === LIMITS.columns) this.invalid(`there are more than ${LIMITS.columns} columns`, position);
      const expression = this.expression();
      const alias = this.alias();
      columns.push({ expression, ...(alias !== undefined && { alias }), position });
    } while (this.acceptSymbol(','));
    return columns;
  }

  private source(): SourceSyntax {
    const { position } = this;
    if (this.seesSymbol('(')) this.fail('a collection');
    if (!this.seesName()) this.fail('a collection');
    const names = this.dotted();
    if (names.length > 3) this.syntax('a collection has three names at most: database.scope.collection', position);
    // FULL would be taken for an alias, and the join for an inner one.
    if (this.sees('FULL') && (this.sees('JOIN', 1) || this.sees('OUTER', 1))) this.fail('JOIN');
    const alias = this.alias();
    return { names, ...(alias !== undefined && { alias }), position };
  }

  private joins(): (JoinSyntax | UnnestSyntax)[] {
    const joins: (JoinSyntax | UnnestSyntax)[] = [];
    for (;;) {
      const { position } = this;
      const join = this.unnest() ?? this.join();
      if (!join) return joins;
      if (joins.push(join) > LIMITS.joins)
        this.invalid(`there are more than ${LIMITS.joins} JOIN and UNNEST clauses`, position);
    }
  }

  private unnest(): UnnestSyntax | undefined {
    if (!this.accept('UNNEST')) return undefined;
    const { position } = this;
    const expression = this.expression();
    const alias = this.alias();
    return { type: 'unnest', expression, ...(alias !== undefined && { alias }), position };
  }

  private join(): JoinSyntax | undefined {
    const kind = this.joinKind();
    if (!kind) return undefined;
    const source = this.source();
    const on = this.accept('ON') ? this.expression() : undefined;
    return { type: 'join', kind, source, ...(on && { on }) };
  }

  private joinKind(): JoinSyntax['kind'] | undefined {
    if (this.accept('JOIN')) return 'inner';
    let kind: JoinSyntax['kind'];
    if (this.accept('INNER')) kind = 'inner';
    else if (this.accept('CROSS')) kind = 'cross';
    else if (this.accept('LEFT')) {
      kind = 'left';
      this.accept('OUTER');
    } else return undefined;
    this.expect('JOIN');
    return kind;
  }

  private grouping(): { groupBy: Syntax[]; having?: Syntax } {
    if (!this.accept('GROUP')) return { groupBy: [] };
    this.expect('BY');
    const groupBy = this.expressions();
    return this.accept('HAVING') ? { groupBy, having: this.expression() } : { groupBy };
  }

  private ordering(): OrderSyntax[] {
    const orders: OrderSyntax[] = [];
    if (!this.accept('ORDER')) return orders;
    this.expect('BY');
    do {
      const expression = this.expression();
      const descending = this.accept('DESC');
      if (!descending) this.accept('ASC');
      orders.push({ expression, descending });
    } while (this.acceptSymbol(','));
    return orders;
  }

  /** LIMIT and OFFSET in either order. */
  private page(): { limit?: Syntax; offset?: Syntax } {
    const limit = this.accept('LIMIT') ? this.expression() : undefined;
    const offset = this.accept('OFFSET') ? this.expression() : undefined;
    if (!limit && offset && this.accept('LIMIT')) return { limit: this.expression(), offset };
    return { ...(limit && { limit }), ...(offset && { offset }) };
  }
}
