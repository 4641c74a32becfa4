import type { Expression, Value } from '@edgesync/query';
import {
  AFTER_NULL,
  compareKeys,
  indexKey,
  isExact,
  MISSING_KEY,
  NULL_KEY,
  type IndexKey,
} from '../indexes/index-keys.js';
import type { BoundCondition } from './bound-conditions.js';
import { expressionName, type IndexColumn, type IndexSource } from './index-source.js';
import { NUMBER_LIKE, type SqlTerm } from './scan-terms.js';

/** A key that is known only when rows of earlier sources are: one of the join's. */
export class JoinKey {
  constructor(readonly index: number) {}
}

export type ProbeKey = IndexKey | JoinKey;

interface Bound {
  readonly key: IndexKey;
  readonly inclusive: boolean;
}

/** The part of an index that conditions leave. */
export interface KeyRange {
  readonly source: IndexSource;
  /** Keys of the first columns, equally many in each; one empty probe without any. */
  readonly probes: readonly (readonly ProbeKey[])[];
  /** Bounds of the column behind the probes. */
  readonly low?: Bound;
  readonly high?: Bound;
  /** Checks on entries of the range. */
  readonly filters: readonly SqlTerm[];
  /** Conditions that hold for exactly the documents of the range; see {@link isExact}. */
  readonly exactly: ReadonlySet<BoundCondition>;
}

/** Whether a range is smaller than the index. */
export const isNarrow = ({ probes, low, high, filters }: KeyRange): boolean =>
  probes.length !== 1 || probes[0]!.length > 0 || low !== undefined || high !== undefined || filters.length > 0;

/** Ranges that one statement reads, one after the other. */
const MOST_PROBES = 1_000;

/**
 * The part of an index that conditions leave.
 * @param joinKeys expressions of the source whose values rows of earlier sources give, by name
 */
export function keyRange(
  source: IndexSource,
  conditions: readonly BoundCondition[],
  joinKeys: ReadonlyMap<string, JoinKey> = NO_KEYS,
): KeyRange {
  const exactly = new Set<BoundCondition>();
  let probes: readonly (readonly ProbeKey[])[] = [[]];
  let column = 0;
  for (; column < source.columns.length; column++) {
    const { expression } = source.columns[column]!;
    const found = equality(source, column, conditions);
    const joined = joinKeys.get(expression);
    const keys = joined && (!found || found.keys.length > 1) ? [joined] : found?.keys;
    if (!keys || probes.length * keys.length > MOST_PROBES) break;
    if (found?.isExact && keys === found.keys) exactly.add(found.condition);
    probes = probes.flatMap((probe) => keys.map((key) => [...probe, key]));
  }
  const next = source.columns[column];
  const range = next && source.exact ? boundsOf(next, conditions, exactly) : {};
  const filters = source.columns.slice(column + ((range.low ?? range.high) ? 1 : 0)).flatMap((later) => {
    const bounds = source.exact ? boundsOf(later, conditions, exactly) : {};
    return boundTerms(later, bounds);
  });
  return { source, probes, ...range, filters, exactly };
}

const NO_KEYS: ReadonlyMap<string, JoinKey> = new Map();

/** Bounds of a column in SQL. */
export function boundTerms({ sql }: IndexColumn, { low, high }: Pick<KeyRange, 'low' | 'high'>): SqlTerm[] {
  const terms: SqlTerm[] = [];
  if (low && high && low.inclusive && high.inclusive && compareKeys(low.key, high.key) === 0)
    return [{ sql: `${sql} = ?`, values: [low.key] }];
  if (low) terms.push({ sql: `${sql} ${low.inclusive ? '>=' : '>'} ?`, values: [low.key] });
  if (high) terms.push({ sql: `${sql} ${high.inclusive ? '<=' : '<'} ?`, values: [high.key] });
  return terms;
}

interface Equality {
  readonly condition: BoundCondition;
  readonly keys: readonly IndexKey[];
  readonly isExact: boolean;
}

/** The shortest list of keys that some condition allows a column. */
function equality(source: IndexSource, column: number, conditions: readonly BoundCondition[]): Equality | undefined {
  let best: Equality | undefined;
  for (const condition of conditions) {
    if (!isOn(condition, source.columns[column]!)) continue;
    const values = valuesOf(condition);
    if (!values) continue;
    const keys = distinct(values.map(indexKey).filter((key) => canHold(source.columns[column]!, key)));
    const isWhole = source.exact && values.every(isExact);
    if (!best || keys.length < best.keys.length) best = { condition, keys, isExact: isWhole };
  }
  return best;
}

function valuesOf(condition: BoundCondition): readonly Value[] | undefined {
  switch (condition.type) {
    case 'compare':
      return condition.operator === '=' ? [condition.value] : undefined;
    case 'in':
      return condition.values;
    case 'test':
      if (condition.test === 'VALUED') return condition.negated ? [undefined, null] : undefined;
      if (condition.negated) return undefined;
      return condition.test === 'NULL' ? [null] : [undefined];
    default:
      return undefined;
  }
}

function distinct(keys: readonly IndexKey[]): readonly IndexKey[] {
  const sorted = keys.toSorted(compareKeys);
  return sorted.filter((key, place) => place === 0 || compareKeys(sorted[place - 1]!, key) !== 0);
}

/** Keys of `documents` have one type; SQLite would convert others. */
export function canHold({ keys }: Pick<IndexColumn, 'keys'>, key: IndexKey): boolean {
  if (keys === 'any') return true;
  return keys === 'text' ? typeof key === 'string' : typeof key === 'number' || typeof key === 'bigint';
}

/** The part of a column that all conditions on it leave. */
function boundsOf(
  column: IndexColumn,
  conditions: readonly BoundCondition[],
  exactly: Set<BoundCondition>,
): Pick<KeyRange, 'low' | 'high'> {
  let low: Bound | undefined;
  let high: Bound | undefined;
  for (const condition of conditions) {
    if (!isOn(condition, column)) continue;
    const bounds = boundsOfOne(condition);
    if (
      !bounds ||
      (bounds.low && !canHold(column, bounds.low.key)) ||
      (bounds.high && !canHold(column, bounds.high.key))
    )
      continue;
    if (bounds.isExact) exactly.add(condition);
    if (bounds.low && (!low || isHigher(bounds.low, low))) low = bounds.low;
    if (bounds.high && (!high || isHigher(high, bounds.high))) high = bounds.high;
  }
  // MISSING compares with nothing; `documents` has no such key.
  if (column.keys === 'any' && high && !low) low = { key: MISSING_KEY, inclusive: false };
  return { ...(low && { low }), ...(high && { high }) };
}

function boundsOfOne(
  condition: BoundCondition,
): { readonly low?: Bound; readonly high?: Bound; readonly isExact: boolean } | undefined {
  switch (condition.type) {
    case 'compare':
      return comparison(condition.operator, condition.value);
    case 'like': {
      const prefix = prefixOf(condition.pattern);
      // Numbers are matched by a text that the index does not have.
      if (!prefix.isWellFormed() || NUMBER_LIKE.test(prefix)) return undefined;
      const end = successor(prefix);
      return {
        low: { key: prefix, inclusive: true },
        high: { key: end ?? NULL_KEY, inclusive: false },
        isExact: false,
      };
    }
    case 'test':
      return testBounds(condition);
    default:
      return undefined;
  }
}

function comparison(operator: string, value: Value): ReturnType<typeof boundsOfOne> {
  // Text that is not well-formed has another place in the index.
  if (typeof value === 'string' && !value.isWellFormed()) return undefined;
  const key = indexKey(value);
  const exact = isExact(value);
  const bound = (isInclusive: boolean): Bound => ({ key, inclusive: isInclusive || !exact });
  switch (operator) {
    case '=':
      return { low: bound(true), high: bound(true), isExact: exact };
    case '<':
    case '<=':
      return { high: bound(operator === '<='), isExact: exact };
    case '>':
    case '>=':
      return { low: bound(operator === '>='), isExact: exact };
    default:
      return undefined;
  }
}

function testBounds({ test, negated }: Extract<BoundCondition, { type: 'test' }>): ReturnType<typeof boundsOfOne> {
  const present: Bound = { key: MISSING_KEY, inclusive: false };
  if (test === 'MISSING') return negated ? { low: present, isExact: true } : undefined;
  if (test === 'VALUED' && negated) return undefined;
  // Null lies between text and containers, so only one of the sides can be left out.
  return test === 'NULL' && !negated
    ? { low: { key: NULL_KEY, inclusive: true }, high: { key: AFTER_NULL, inclusive: false }, isExact: true }
    : { low: present, isExact: false };
}

function isOn(condition: BoundCondition, column: IndexColumn): boolean {
  return 'operand' in condition && nameOf(condition.operand) === column.expression;
}

const names = new WeakMap<Expression, string>();

/** The name of an operand; a variable is named as the index over its array names it. */
export function nameOf(operand: Expression): string {
  let name = names.get(operand);
  if (name === undefined) {
    const { type } = operand;
    name = expressionName(type === 'variable' ? { type: 'property', source: 0, path: operand.path } : operand);
    names.set(operand, name);
  }
  return name;
}

/** Whether a lower bound leaves less than another one. */
function isHigher(left: Bound, right: Bound): boolean {
  const difference = compareKeys(left.key, right.key);
  return difference > 0 || (difference === 0 && !left.inclusive && right.inclusive);
}

/** The beginning of every text that matches a LIKE pattern. */
function prefixOf(pattern: string): string {
  let prefix = '';
  const characters = [...pattern];
  for (let place = 0; place < characters.length; place++) {
    const character = characters[place]!;
    if (character === '%' || character === '_') break;
    if (character === '\\') {
      if (place + 1 === characters.length) break;
      prefix += characters[++place]!;
    } else prefix += character;
  }
  return prefix;
}

/** The first text behind all that begin with a prefix. */
export function successor(prefix: string): string | undefined {
  const characters = [...prefix];
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = last.codePointAt(0)!;
    if (code === LAST_CODE_POINT) continue;
    return characters.join('') + String.fromCodePoint(code === BEFORE_SURROGATES ? AFTER_SURROGATES : code + 1);
  }
  return undefined;
}

const LAST_CODE_POINT = 0x10ffff;
const BEFORE_SURROGATES = 0xd7ff;
const AFTER_SURROGATES = 0xe000;
