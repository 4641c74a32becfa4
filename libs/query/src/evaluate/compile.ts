import { EdgeError } from '@edgesync/errors';
import type { CompiledStatement, Constant, Parameters, RunOptions, SourceNeeds } from '../plan.js';
import type { Access, Row } from '../rows.js';
import type { Expression, OrderTerm, Statement } from '../statement.js';
import { encode, type Value } from '../values.js';
import { Representatives } from './collation.js';
import { ConditionAnalysis } from './conditions.js';
import { ExpressionCompiler, type ConditionTest } from './expressions.js';
import { Frame } from './frame.js';
import { type Aggregate, canonical, Grouping, sortKey, type SortKey } from './grouping.js';
import { Held } from './held.js';
import { combinations, type JoinStep, type RunState } from './joins.js';
import { rowKey } from './keys.js';
import { Layout } from './layout.js';
import { rowCount } from './limits.js';
import { type OrderKey, Sorting } from './sorting.js';
import { isConstant, nodesOf } from './tree.js';

/** The longest row of a result, in characters. A row is handed over as a whole, so memory has to hold it. */
const MAX_ROW_LENGTH = 64 * 1024 * 1024;

/**
 * Compiles a checked statement to closures. It can run any number of times, also at the same time.
 * @throws EdgeError `query.invalid` for a locale without collation
 */
export function compile(statement: Statement): CompiledStatement {
  return new Compiled(statement);
}

/**
 * The value of an expression that reads no source.
 * @throws EdgeError `query.runtime`
 */
export function evaluateConstant(expression: Expression, parameters: Parameters): Value {
  if (!isConstant(expression)) throw new TypeError('the expression reads rows');
  return new ExpressionCompiler(undefined).compile(expression)(new Frame(parameters, () => false));
}

/** Candidate rows between two calls of `check`. */
const ROWS_PER_CHECK = 256;

class Compiled implements CompiledStatement {
  readonly sources: readonly SourceNeeds[];
  readonly matchTexts: readonly Constant[];
  readonly order?: readonly OrderTerm[];
  readonly countsOnly: boolean;
  readonly nested: readonly CompiledStatement[];

  private readonly steps: readonly JoinStep[];
  /** Conditions that read no source: without them there is nothing to read. */
  private readonly preconditions: readonly ConditionTest[];
  private readonly columns: readonly (SortKey & { readonly prefix: string })[];
  private readonly groupKeys: readonly SortKey[];
  private readonly having: ConditionTest | undefined;
  private readonly orderKeys: readonly OrderKey[];
  private readonly aggregates: readonly Aggregate[];

  constructor(readonly statement: Statement) {
    const layout = new Layout(statement);
    const compiler = new ExpressionCompiler(layout);
    const analysis = new ConditionAnalysis(statement, evaluateConstant);
    const keyOf = (expression: Expression): SortKey => sortKey(expression, compiler.compile(expression));

    const keys = statement.sources.map((_, source) => analysis.keysOf(source));
    const steps = statement.sources.map((source, index) => ({
      type: source.type,
      ...(source.type === 'unnest' && { array: compiler.compile(source.array) }),
      outer: source.type === 'collection' && source.join === 'left',
      on: analysis.outerTerms[index]!.map((term) => compiler.condition(term)),
      keys: keys[index]!.map(({ operand, value }) => ({
        own: compiler.compile(operand),
        earlier: compiler.compile(value),
      })),
      tests: testsAt(analysis, compiler, index),
    }));
    this.preconditions = testsAt(analysis, compiler, -1);
    this.columns = statement.columns.map(({ name, expression }) => ({
      ...keyOf(expression),
      prefix: `${JSON.stringify(name)}:`,
    }));
    this.groupKeys = statement.groupBy.map(keyOf);
    this.having = statement.having && compiler.condition(statement.having);
    this.orderKeys = statement.orderBy.map(({ expression, descending }) => ({ ...keyOf(expression), descending }));
    this.aggregates = layout.aggregates.map((expression) => ({
      expression,
      ...(expression.argument && { argument: compiler.compile(expression.argument) }),
    }));

    this.sources = layout.slots.map((slots, source) => ({
      slots,
      conditions: analysis.conditionsOf(source),
      keys: keys[source]!,
    }));
    this.steps = steps.map((step, source) => ({ ...step, absent: absentRow(layout.slots[source]!.length) }));
    this.matchTexts = statement.matches.map(({ text }) => ({
      expression: text,
      value: (parameters) => evaluateConstant(text, parameters),
    }));
    this.nested = layout.nested.map(compile);
    this.countsOnly = countsOnly(statement, layout);
    if (canServeOrder(statement, analysis)) this.order = statement.orderBy;
  }

  run(access: Access, parameters: Parameters, options: RunOptions = {}): Generator<string, void, undefined> {
    const frame = new Frame(parameters, (index) => this.exists(index, access, parameters, options));
    frame.rows = this.steps.map(({ absent }) => absent);
    let candidates = 0;
    const tick = (): void => {
      if (++candidates % ROWS_PER_CHECK === 0) options.check?.();
    };
    return this.page({ frame, access, held: new Held(options), tick });
  }

  private exists(index: number, access: Access, parameters: Parameters, options: RunOptions): boolean {
    const rows = this.nested[index]!.run(access.nested(index), parameters, options);
    const isEmpty = rows.next().done === true;
    rows.return();
    return !isEmpty;
  }

  /** LIMIT and OFFSET. */
  private *page(run: RunState): Generator<string, void, undefined> {
    const { limit, offset } = this.statement;
    const { parameters } = run.frame;
    const most = limit ? rowCount('LIMIT', evaluateConstant(limit, parameters)) : Infinity;
    let skip = offset ? rowCount('OFFSET', evaluateConstant(offset, parameters)) : 0;
    if (most === 0) return;
    let left = most;
    for (const _ of this.sorted(run, skip + most)) {
      if (skip > 0) {
        skip--;
        continue;
      }
      yield this.write(run.frame);
      if (--left === 0) return;
    }
  }

  /** Rows in their order, each in the frame. */
  private sorted(run: RunState, enough: number): Iterable<void> {
    const rows = this.statement.distinct ? this.distinct(run) : this.selected(run);
    if (this.orderKeys.length === 0 || (this.order && run.access.ordered)) return rows;
    const sorting = new Sorting(this.orderKeys, enough, run.held);
    for (const _ of rows) sorting.add(run.frame);
    return sorting.intoFrame(run.frame);
  }

  /** The first of the rows whose columns are the same. */
  private *distinct(run: RunState): Generator<void, void, undefined> {
    const seen = new Set<string>();
    const representatives = this.columns.map(({ order }) => order && new Representatives(order));
    for (const _ of this.selected(run)) {
      const values = this.columns.map(({ evaluate }, column) =>
        canonical(evaluate(run.frame), representatives[column]),
      );
      const key = rowKey(values);
      if (seen.has(key)) continue;
      run.held.add([key]);
      seen.add(key);
      yield;
    }
  }

  /** Rows or groups that fulfil all conditions. */
  private selected(run: RunState): Iterable<void> {
    return this.statement.grouped ? this.grouped(run) : this.joined(run);
  }

  private *grouped(run: RunState): Generator<void, void, undefined> {
    const { frame } = run;
    const counted = this.countsOnly && this.hold(frame) ? run.access.count?.() : undefined;
    if (counted !== undefined) {
      frame.aggregates = this.aggregates.map(() => BigInt(counted));
      yield;
      return;
    }
    const absent = frame.rows.slice();
    const grouping = new Grouping(this.groupKeys, this.aggregates, run.held);
    for (const _ of this.joined(run)) grouping.add(frame);
    frame.rows = absent;
    if (this.groupKeys.length === 0) grouping.addEmptyGroup(frame);
    for (const _ of grouping.intoFrame(frame)) if (!this.having || this.having(frame) === true) yield;
  }

  private joined(run: RunState): Iterable<void> {
    return this.hold(run.frame) ? combinations(this.steps, run) : [];
  }

  private hold(frame: Frame): boolean {
    return this.preconditions.every((test) => test(frame) === true);
  }

  /** The row in the frame as a JSON object; MISSING columns are left out. */
  private write(frame: Frame): string {
    let text = '';
    for (const { prefix, evaluate } of this.columns) {
      const value = evaluate(frame);
      if (value === undefined) continue;
      text += (text === '' ? '' : ',') + prefix + encode(value);
      if (text.length > MAX_ROW_LENGTH)
        throw new EdgeError('query.runtime', `a row of the result has more than ${MAX_ROW_LENGTH} characters`);
    }
    return `{${text}}`;
  }
}

function absentRow(slots: number): Row {
  return Array.from<Value>({ length: slots }).fill(undefined);
}

/** The terms whose last source is the one given. */
function testsAt(analysis: ConditionAnalysis, compiler: ExpressionCompiler, source: number): ConditionTest[] {
  return analysis.conjuncts
    .filter((term) => analysis.lastSourceIn(term) === source)
    .map((term) => compiler.condition(term));
}

/** Whether nothing but the number of rows of one source decides the result. */
function countsOnly(statement: Statement, layout: Layout): boolean {
  const { grouped, groupBy, sources, columns, having, orderBy } = statement;
  if (!grouped || groupBy.length > 0 || sources.length > 1) return false;
  const shown = [...columns.map(({ expression }) => expression), ...orderBy.map(({ expression }) => expression)];
  if (having) shown.push(having);
  const readsRows = shown.some((expression) =>
    [...nodesOf(expression)].some(({ type }) => type === 'property' || type === 'meta' || type === 'rank'),
  );
  return !readsRows && layout.aggregates.every(({ name, argument }) => name === 'COUNT' && !argument);
}

/** Whether rows in an order of the first source come out in the order of the statement. */
function canServeOrder({ grouped, orderBy }: Statement, analysis: ConditionAnalysis): boolean {
  return (
    !grouped &&
    orderBy.length > 0 &&
    orderBy.every(({ expression }) => {
      const sources = analysis.sourcesIn(expression);
      return sources.size === 1 && sources.has(0);
    })
  );
}
