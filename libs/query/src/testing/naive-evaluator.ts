import type { Expression, Statement } from '../statement.js';
import { ArrayValue, ObjectValue, type PresentValue, type Value } from '../values.js';

/**
 * The rules of the dialect, spelt out one by one and as slowly as they read. It shares nothing with the evaluator but
 * the types of values, so that the two check each other. It knows a few functions and no collations.
 */
export interface NaiveDocument {
  readonly id: string;
  readonly body: ObjectValue;
}

/** The rows that the sources have at the moment; a variable for each quantifier; the rows of a group. */
interface Scope {
  readonly rows: readonly (NaiveDocument | { readonly item: PresentValue } | undefined)[];
  readonly variables: readonly Value[];
  readonly group?: readonly Scope[];
}

/** The rows of a statement as JSON text. `documents` are those of every collection. */
export function evaluateNaively(
  statement: Statement,
  documents: readonly NaiveDocument[],
  parameters: ReadonlyMap<string, Value>,
): string[] {
  const value = (expression: Expression, scope: Scope): Value => evaluate(expression, scope, parameters);
  const isTrue = (expression: Expression | undefined, scope: Scope): boolean =>
    !expression || truthOf(value(expression, scope)) === true;

  let scopes: Scope[] = [{ rows: [], variables: [] }];
  for (const source of statement.sources) {
    scopes = scopes.flatMap((scope): Scope[] => {
      const extend = (row: Scope['rows'][number]): Scope => ({ ...scope, rows: [...scope.rows, row] });
      if (source.type === 'unnest') return itemsOf(value(source.array, scope)).map((item) => extend({ item }));
      const joined = documents.map(extend).filter((candidate) => isTrue(source.on, candidate));
      return joined.length === 0 && source.join === 'left' ? [extend(undefined)] : joined;
    });
  }
  scopes = scopes.filter((scope) => isTrue(statement.where, scope));

  if (statement.grouped) {
    const groups: { keys: Value[]; members: Scope[] }[] =
      statement.groupBy.length === 0 ? [{ keys: [], members: [] }] : [];
    for (const scope of scopes) {
      const keys = statement.groupBy.map((key) => value(key, scope));
      const group = groups.find((known) => known.keys.every((key, index) => order(key, keys[index]) === 0));
      if (group) group.members.push(scope);
      else groups.push({ keys, members: [scope] });
    }
    const nowhere: Scope = { rows: statement.sources.map(() => undefined), variables: [] };
    scopes = groups
      .map(({ members }) => ({ ...(representative(statement, members, value) ?? nowhere), group: members }))
      .filter((scope) => isTrue(statement.having, scope));
  }

  if (statement.distinct) {
    const seen: Value[][] = [];
    scopes = scopes.filter((scope) => {
      const row = statement.columns.map(({ expression }) => value(expression, scope));
      if (seen.some((other) => other.every((cell, index) => sameCell(cell, row[index])))) return false;
      seen.push(row);
      return true;
    });
  }

  const sorted = scopes
    .map((scope) => ({ scope, keys: statement.orderBy.map(({ expression }) => value(expression, scope)) }))
    .sort((left, right) => {
      for (const [index, { descending }] of statement.orderBy.entries()) {
        const difference = order(left.keys[index], right.keys[index]);
        if (difference !== 0) return descending ? -difference : difference;
      }
      return 0;
    })
    .map(({ scope }) => scope);

  const nothing: Scope = { rows: [], variables: [] };
  const offset = statement.offset ? Math.max(0, Number(value(statement.offset, nothing))) : 0;
  const limit = statement.limit ? Math.max(0, Number(value(statement.limit, nothing))) : sorted.length;
  return sorted.slice(offset, offset + limit).map((scope) => {
    const cells = statement.columns.map(({ name, expression }) => [name, value(expression, scope)] as const);
    return write(ObjectValue.of(cells));
  });
}

/** The first row of a group, or the one that has the extreme of its only MIN or MAX. */
function representative(
  statement: Statement,
  members: readonly Scope[],
  value: (expression: Expression, scope: Scope) => Value,
): Scope | undefined {
  const text = (expression: Expression): string =>
    JSON.stringify(expression, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
  const extremes = new Map<string, Extract<Expression, { type: 'aggregate' }>>();
  const look = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    const node = part as Expression;
    if (node.type === 'aggregate' && (node.name === 'MIN' || node.name === 'MAX')) extremes.set(text(node), node);
    Object.values(part).forEach(look);
  };
  look([statement.columns, statement.having, statement.orderBy]);
  if (extremes.size !== 1) return members[0];
  const [{ name, argument }] = extremes.values() as Iterable<{ name: string; argument: Expression }> as [
    { name: string; argument: Expression },
  ];
  let best: Scope | undefined;
  for (const member of members) {
    const candidate = value(argument, member);
    if (candidate === undefined) continue;
    const difference = best ? order(candidate, value(argument, best)) : 1;
    if (!best || (name === 'MAX' ? difference > 0 : difference < 0)) best = member;
  }
  return best ?? members[0];
}

function evaluate(expression: Expression, scope: Scope, parameters: ReadonlyMap<string, Value>): Value {
  const value = (part: Expression, inner: Scope = scope): Value => evaluate(part, inner, parameters);
  const truth = (part: Expression, inner: Scope = scope): boolean | undefined => truthOf(value(part, inner));
  switch (expression.type) {
    case 'literal':
      return expression.value;
    case 'parameter':
      return parameters.get(expression.name);
    case 'array':
      return ArrayValue.of(expression.items.map((item) => value(item)));
    case 'object':
      return ObjectValue.of(expression.members.map(({ name, value: member }) => [name, value(member)]));
    case 'property': {
      const row = scope.rows[expression.source];
      return walk(row === undefined ? undefined : 'item' in row ? row.item : row.body, expression.path);
    }
    case 'meta': {
      const row = scope.rows[expression.source];
      return row !== undefined && 'id' in row ? row.id : undefined;
    }
    case 'variable':
      return walk(scope.variables[expression.depth], expression.path);
    case 'member':
      return walk(value(expression.of), expression.path);
    case 'negate':
      return arithmetic('-', 0n, value(expression.operand));
    case 'not':
      return flip(truth(expression.operand));
    case 'test': {
      const operand = value(expression.operand);
      if (expression.test === 'NULL')
        return operand === undefined ? undefined : (operand === null) !== expression.negated;
      const result = expression.test === 'MISSING' ? operand === undefined : operand !== undefined && operand !== null;
      return result !== expression.negated;
    }
    case 'binary':
      return binary(expression, value, truth);
    case 'between': {
      const operand = value(expression.operand);
      const result = both(
        compare('>=', operand, value(expression.low)),
        compare('<=', operand, value(expression.high)),
      );
      return expression.negated ? flip(result) : result;
    }
    case 'in': {
      const operand = value(expression.operand);
      const results = expression.list.map((item) => compare('=', operand, value(item)));
      const result = results.includes(true) ? true : results.includes(undefined) ? undefined : false;
      return expression.negated ? flip(result) : result;
    }
    case 'case': {
      const { operand, whens, otherwise } = expression;
      const taken = whens.find(({ when }) =>
        operand ? compare('=', value(operand), value(when)) === true : truth(when) === true,
      );
      if (taken) return value(taken.then);
      return otherwise ? value(otherwise) : null;
    }
    case 'quantified': {
      const collection = value(expression.array);
      const results = itemsOf(collection).map((item) => {
        const variables = [...scope.variables];
        variables[expression.depth] = item;
        return truth(expression.satisfies, { ...scope, variables });
      });
      if (expression.quantifier === 'any') return results.includes(true);
      if (expression.quantifier === 'any-and-every' && collection === undefined) return undefined;
      return !results.includes(false) && (expression.quantifier === 'every' || results.length > 0);
    }
    case 'function':
      return call(
        expression.name,
        expression.arguments.map((argument) => value(argument)),
      );
    case 'aggregate':
      return aggregate(expression, scope.group ?? [], parameters);
    default:
      throw new Error(`the naive evaluator does not know ${expression.type}`);
  }
}

function binary(
  { operator, left, right }: Extract<Expression, { type: 'binary' }>,
  value: (part: Expression) => Value,
  truth: (part: Expression) => boolean | undefined,
): Value {
  switch (operator) {
    case 'AND':
      return both(truth(left), truth(right));
    case 'OR':
      return flip(both(flip(truth(left)), flip(truth(right))));
    case 'IS':
    case 'IS NOT': {
      const a = value(left);
      const b = value(right);
      const same = a === undefined || b === undefined ? a === b : compare('=', a, b) === true;
      return same === (operator === 'IS');
    }
    case '=':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      return compare(operator, value(left), value(right));
    case '||': {
      const a = value(left);
      const b = value(right);
      return a === undefined || b === undefined ? undefined : textOf(a) + textOf(b);
    }
    default:
      return arithmetic(operator, value(left), value(right));
  }
}

/** AND: false if either is, else MISSING if either is, else true. */
function both(left: boolean | undefined, right: boolean | undefined): boolean | undefined {
  if (left === false || right === false) return false;
  return left === undefined || right === undefined ? undefined : true;
}

function flip(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value;
}

function walk(value: Value, path: readonly (string | number)[]): Value {
  return path.reduce<Value>((current, step) => {
    if (current instanceof ObjectValue && typeof step === 'string') return current.members.get(step);
    if (current instanceof ArrayValue && typeof step === 'number') return current.items.at(step);
    return undefined;
  }, value);
}

function itemsOf(value: Value): PresentValue[] {
  if (value === undefined) return [];
  if (value instanceof ArrayValue) return [...value.items];
  return value instanceof ObjectValue ? [...value.members.values()] : [value];
}

function compare(operator: string, left: Value, right: Value): boolean | undefined {
  if (left === undefined || right === undefined) return undefined;
  const difference = order(left, right);
  switch (operator) {
    case '=':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '<=':
      return difference <= 0;
    case '>':
      return difference > 0;
    default:
      return difference >= 0;
  }
}

/** MISSING, numbers and booleans, strings, null, arrays, objects. */
function rank(value: Value): number {
  if (value === undefined) return 0;
  if (typeof value === 'string') return 2;
  if (value === null) return 3;
  if (value instanceof ArrayValue) return 4;
  return value instanceof ObjectValue ? 5 : 1;
}

function order(left: Value, right: Value): number {
  const ranks = rank(left) - rank(right);
  if (ranks !== 0) return ranks;
  if (typeof left === 'string') return Buffer.compare(Buffer.from(left), Buffer.from(right as string));
  if (left instanceof ArrayValue) return orderItems(left.items, (right as ArrayValue).items);
  if (left instanceof ObjectValue) return orderItems(pairs(left), pairs(right as ObjectValue));
  if (left === undefined || left === null) return 0;
  const a = typeof left === 'boolean' ? BigInt(left) : left;
  const b = typeof right === 'boolean' ? BigInt(right) : (right as bigint | number);
  return a < b ? -1 : a > b ? 1 : 0;
}

function pairs(object: ObjectValue): PresentValue[] {
  const names = [...object.members.keys()].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  return names.flatMap((name) => [name, object.members.get(name)!]);
}

function orderItems(left: readonly PresentValue[], right: readonly PresentValue[]): number {
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const a = left[index]!;
    const b = right[index]!;
    // In a container a boolean is no number, and comes before all else.
    const booleans = Number(typeof b === 'boolean') - Number(typeof a === 'boolean');
    const difference = booleans || order(a, b);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Rows of DISTINCT keep true and 1 apart. */
function sameCell(left: Value, right: Value): boolean {
  return (typeof left === 'boolean') === (typeof right === 'boolean') && order(left, right) === 0;
}

function truthOf(value: Value): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  if (typeof value === 'string') return Number.parseFloat(value) ? true : false;
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) !== 0 : false;
}

function numberOf(value: PresentValue): bigint | number {
  if (typeof value === 'bigint' || typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value !== 'string') return 0n;
  const digits = /^\s*([+-]?\d+)/.exec(value)?.[1];
  const double = Number.parseFloat(value);
  return Number.isNaN(double)
    ? 0n
    : digits !== undefined && /^\s*[+-]?\d+(?![.\deE])/.test(value)
      ? BigInt(digits)
      : double;
}

function arithmetic(operator: string, left: Value, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  const a = numberOf(left);
  const b = numberOf(right);
  if (operator === '/' && Number(b) === 0) return undefined;
  if (operator === '%' && Math.trunc(Number(b)) === 0) return undefined;
  if (typeof a === 'bigint' && typeof b === 'bigint') {
    const exact = { '+': a + b, '-': a - b, '*': a * b, '/': b === 0n ? 0n : a / b, '%': b === 0n ? 0n : a % b }[
      operator
    ]!;
    return exact > 2n ** 63n - 1n || exact < -(2n ** 63n) ? Number(exact) : exact;
  }
  const [x, y] = [Number(a), Number(b)];
  return { '+': x + y, '-': x - y, '*': x * y, '/': x / y, '%': (Math.trunc(x) % Math.trunc(y)) + 0 }[operator]!;
}

function textOf(value: PresentValue): string {
  return typeof value === 'string' ? value : write(value);
}

function call(name: string, values: readonly Value[]): Value {
  const [first] = values;
  switch (name) {
    case 'IFMISSING':
      return values.find((value) => value !== undefined);
    case 'LENGTH':
      return first === undefined || first === null
        ? first
        : typeof first === 'string'
          ? BigInt([...first].length)
          : null;
    case 'ARRAY_LENGTH':
      if (first === undefined || first === null) return first;
      return first instanceof ArrayValue ? BigInt(first.items.length) : null;
    case 'TOSTRING':
      return first === undefined || first === null ? first : typeof first === 'object' ? null : textOf(first);
    default:
      throw new Error(`the naive evaluator does not know ${name}()`);
  }
}

function aggregate(
  { name, argument }: Extract<Expression, { type: 'aggregate' }>,
  members: readonly Scope[],
  parameters: ReadonlyMap<string, Value>,
): Value {
  if (!argument) return BigInt(members.length);
  const values = members
    .map((member) => evaluate(argument, member, parameters))
    .filter((value): value is PresentValue => value !== undefined);
  const numbers = values.map(summand);
  switch (name) {
    case 'COUNT':
      return BigInt(values.length);
    case 'ARRAY_AGG':
      return ArrayValue.of(values);
    case 'MIN':
      return numeric(
        values.reduce<Value>((best, value) => (best === undefined || order(value, best) < 0 ? value : best), undefined),
      );
    case 'MAX':
      return numeric(
        values.reduce<Value>((best, value) => (best === undefined || order(value, best) > 0 ? value : best), undefined),
      );
    case 'AVG':
      if (values.length === 0) return undefined;
      return numbers.reduce<number>((sum, number) => sum + Number(number), 0) / values.length;
    case 'SUM':
      if (values.length === 0) return undefined;
      return numbers.every((number) => typeof number === 'bigint')
        ? numbers.reduce((sum, number) => sum + number, 0n)
        : numbers.reduce<number>((sum, number) => sum + Number(number), 0);
  }
}

function numeric(value: Value): Value {
  return typeof value === 'boolean' ? BigInt(value) : value;
}

/** Text counts as an integer only if it is nothing else; null and containers count as 0.0. */
function summand(value: PresentValue): bigint | number {
  if (typeof value === 'object') return 0;
  if (typeof value !== 'string') return numberOf(value);
  return /^\s*[+-]?\d+\s*$/.test(value) ? numberOf(value) : Number(numberOf(value));
}

function write(value: PresentValue): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
  if (value instanceof ArrayValue) return `[${value.items.map(write).join(',')}]`;
  if (value instanceof ObjectValue)
    return `{${[...value.members].map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`).join(',')}}`;
  return JSON.stringify(value);
}
