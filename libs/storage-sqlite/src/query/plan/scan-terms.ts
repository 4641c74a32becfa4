import { isArray, isObject, type Expression, type Value } from '@edgesync/query';
import type { BoundCondition } from './bound-conditions.js';
import { jsonSql, type JsonSql } from './sql-text.js';

/** A condition in SQL that is true for every document that can fulfil a condition of the statement, and for few others. */
export interface SqlTerm {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export type SqlValue = string | number | bigint | Buffer | null;

type Translation = SqlTerm | undefined;

/** Items of a list that become parameters of their own. */
const LONGEST_LIST = 100;

/**
 * The conditions of a source that are cheap to check on rows of `documents`, called `d`, and leave rows out.
 * The order of values is that of SQLite, except null, which sorts behind text, and containers, which come last.
 */
export function scanTerms(conditions: readonly BoundCondition[]): SqlTerm[] {
  return conditions.flatMap((condition) => translate(condition) ?? []);
}

function translate(condition: BoundCondition): Translation {
  switch (condition.type) {
    case 'compare':
      return compareTerm(condition.operator, condition.operand, condition.value);
    case 'in':
      return inTerm(condition.operand, condition.values);
    case 'like':
      return likeTerm(condition.operand, condition.pattern);
    case 'test':
      return testTerm(condition);
    case 'any':
      return anyTerm(condition.items);
    case 'or':
      return orTerm(condition.alternatives);
  }
}

/** Says something only if each of the alternatives does. */
function orTerm(alternatives: readonly (readonly BoundCondition[])[]): Translation {
  const terms = alternatives.map(scanTerms);
  if (terms.some(({ length }) => length === 0)) return undefined;
  const and = (parts: readonly SqlTerm[]): string => `(${parts.map(({ sql }) => sql).join(' AND ')})`;
  return {
    sql: `(${terms.map(and).join(' OR ')})`,
    values: terms.flatMap((parts) => parts.flatMap(({ values }) => values)),
  };
}

function compareTerm(operator: string, operand: Expression, value: Value): Translation {
  if (operand.type === 'meta') return compareMeta(operator, operand, value);
  const json = propertyOf(operand);
  if (!json) return undefined;
  const constant = bindable(value);
  switch (operator) {
    case '=':
      return equalTerm(json, value);
    case '<':
    case '<=':
      // Null has no SQL value, and a container's text is larger than the numbers, if not than all texts.
      if (constant !== undefined) return { sql: `${json.value} <= ?`, values: [constant] };
      return value === null ? { sql: `${json.type} NOT IN ('object', 'array')`, values: [] } : undefined;
    case '>':
    case '>=':
      if (typeof constant === 'string')
        return { sql: `(${json.value} >= ? OR ${json.type} IN ('null', 'object', 'array'))`, values: [constant] };
      if (constant !== undefined) return { sql: `(${json.value} >= ? OR ${json.type} = 'null')`, values: [constant] };
      return value === null ? { sql: `${json.type} IN ('null', 'object', 'array')`, values: [] } : undefined;
    default:
      return undefined;
  }
}

function equalTerm(json: JsonSql, value: Value): Translation {
  const constant = bindable(value);
  if (constant !== undefined) return { sql: `${json.value} = ?`, values: [constant] };
  if (value === null) return { sql: `${json.type} = 'null'`, values: [] };
  if (isArray(value)) return { sql: `${json.type} = 'array'`, values: [] };
  if (isObject(value)) return { sql: `${json.type} = 'object'`, values: [] };
  return undefined;
}

function inTerm(operand: Expression, values: readonly Value[]): Translation {
  const json = propertyOf(operand) ?? (operand.type === 'meta' && operand.member === 'id' ? ID : undefined);
  if (!json) return undefined;
  const constants: SqlValue[] = [];
  for (const value of values) {
    const constant = bindable(value);
    if (constant === undefined) return undefined;
    constants.push(constant);
  }
  if (constants.length > LONGEST_LIST) return undefined;
  return { sql: `${json.value} IN (${constants.map(() => '?').join(', ')})`, values: constants };
}

const ID: JsonSql = { text: 'd.id', value: 'd.id', type: `'text'` };

function compareMeta(operator: string, operand: Extract<Expression, { type: 'meta' }>, value: Value): Translation {
  const constant = bindable(value);
  if (operator === '!=' || constant === undefined) return undefined;
  if (operand.member === 'id' && typeof constant === 'string') return { sql: `d.id ${operator} ?`, values: [constant] };
  if (operand.member === 'sequence' && typeof constant !== 'string')
    return { sql: `d.sequence ${operator.slice(0, 1)}= ?`.replace('==', '='), values: [constant] };
  return undefined;
}

function testTerm({ test, negated, operand }: Extract<BoundCondition, { type: 'test' }>): Translation {
  const json = propertyOf(operand);
  if (!json) return undefined;
  switch (test) {
    case 'MISSING':
      return { sql: `${json.type} IS ${negated ? 'NOT ' : ''}NULL`, values: [] };
    case 'VALUED':
      return { sql: `${json.value} IS ${negated ? '' : 'NOT '}NULL`, values: [] };
    case 'NULL':
      return { sql: negated ? `${json.value} IS NOT NULL` : `${json.type} = 'null'`, values: [] };
  }
}

/** Numbers and booleans are matched by a text that is not in the body: what could be part of one. */
export const NUMBER_LIKE = /^[0-9.+\-truefalsinEINF]*$/;
/** The parts between `%`, `_` and escapes. */
const LIKE_PARTS = /\\(.)|[%_\\]/gsu;

function likeTerm(operand: Expression, pattern: string): Translation {
  if (!pattern.isWellFormed() || !propertyOf(operand)) return undefined;
  return textTerm(longestPart(pattern));
}

/** The longest run of characters that whatever matches has in it. */
function longestPart(pattern: string): string {
  const WILD = '\0%';
  const parts = pattern
    .replace(LIKE_PARTS, (_, escaped: string | undefined) => escaped ?? WILD)
    .split(WILD)
    .sort((a, b) => b.length - a.length);
  return parts[0]!;
}

function textTerm(part: string): Translation {
  return NUMBER_LIKE.test(part) ? undefined : containsTerm(JSON.stringify(part).slice(1, -1));
}

/** Bodies are in normal form, so a text has one spelling. */
const containsTerm = (spelling: string): SqlTerm => ({ sql: 'instr(d.body, ?) > 0', values: [spelling] });

/** Some item equals a text, or is like it: then that text occurs in the body. */
function anyTerm(items: readonly BoundCondition[]): Translation {
  for (const item of items) {
    if (item.type === 'any') {
      const term = anyTerm(item.items);
      if (term) return term;
    }
    if (item.type === 'compare' && item.operator === '=' && item.operand.type === 'variable') {
      const { value } = item;
      if (typeof value === 'string' && value.isWellFormed()) return containsTerm(JSON.stringify(value));
    }
    if (item.type === 'like' && item.operand.type === 'variable' && item.pattern.isWellFormed()) {
      const term = textTerm(longestPart(item.pattern));
      if (term) return term;
    }
  }
  return undefined;
}

function propertyOf(operand: Expression): JsonSql | undefined {
  return operand.type === 'property' ? jsonSql('d.body', operand.path) : undefined;
}

const LARGEST_INTEGER = 2n ** 63n - 1n;
const SMALLEST_INTEGER = -(2n ** 63n);

/**
 * A value that SQLite compares as the evaluator does, allowing for equality: integers beyond 64 bits are the nearest
 * doubles for both sides. Texts that are not well-formed cannot be bound.
 */
export function bindable(value: Value): string | number | bigint | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed() ? value : undefined;
    case 'boolean':
      return value ? 1 : 0;
    case 'number':
      return Number.isNaN(value) ? undefined : value;
    case 'bigint':
      return value > LARGEST_INTEGER || value < SMALLEST_INTEGER ? Number(value) : value;
    default:
      return undefined;
  }
}
