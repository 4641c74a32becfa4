import type { Collation, LiteralValue, PathStep, SelectSyntax, SourceSyntax, Syntax } from '../ast.js';
import { RESERVED } from '../parse/words.js';

/** Keywords that are names where the keyword makes no sense. */
const KEYWORDS: ReadonlySet<string> = new Set(['ALL', 'EXISTS', 'SOME']);

const PLAIN = /^[A-Za-z_][A-Za-z0-9_$]*$/;

/** Whether a name needs no back-ticks. */
function isPlainName(name: string): boolean {
  const upper = name.toUpperCase();
  return PLAIN.test(name) && !RESERVED.has(upper) && !KEYWORDS.has(upper);
}

/** The canonical text of a statement: `parse(print(tree))` is the tree again, up to positions. */
export function print(select: SelectSyntax): string {
  const list = (items: readonly Syntax[]): string => items.map(printExpression).join(', ');
  const parts = [
    `SELECT ${select.distinct ? 'DISTINCT ' : ''}${select.columns
      .map(({ expression, alias }) => printExpression(expression) + as(alias))
      .join(', ')}`,
    `FROM ${source(select.from)}`,
  ];
  for (const join of select.joins)
    if (join.type === 'unnest') parts.push(`UNNEST ${printExpression(join.expression)}${as(join.alias)}`);
    else parts.push(`${JOINS[join.kind]} ${source(join.source)}${join.on ? ` ON ${printExpression(join.on)}` : ''}`);
  if (select.where) parts.push(`WHERE ${printExpression(select.where)}`);
  if (select.groupBy.length > 0) parts.push(`GROUP BY ${list(select.groupBy)}`);
  if (select.having) parts.push(`HAVING ${printExpression(select.having)}`);
  if (select.orderBy.length > 0)
    parts.push(
      `ORDER BY ${select.orderBy
        .map(({ expression, descending }) => printExpression(expression) + (descending ? ' DESC' : ''))
        .join(', ')}`,
    );
  if (select.limit) parts.push(`LIMIT ${printExpression(select.limit)}`);
  if (select.offset) parts.push(`OFFSET ${printExpression(select.offset)}`);
  return parts.join(' ');
}

const JOINS = { inner: 'JOIN', left: 'LEFT JOIN', cross: 'CROSS JOIN' } as const;

/** How tightly an expression binds; operands that bind less tightly than their place stand in parentheses. */
const enum Binding {
  Collate,
  Or,
  And,
  Not,
  Relation,
  Compare,
  Bits,
  Sum,
  Product,
  Concat,
  Unit,
}

const BINDINGS: Readonly<Record<string, Binding>> = {
  OR: Binding.Or,
  AND: Binding.And,
  '=': Binding.Relation,
  '!=': Binding.Relation,
  IS: Binding.Relation,
  'IS NOT': Binding.Relation,
  '<': Binding.Compare,
  '<=': Binding.Compare,
  '>': Binding.Compare,
  '>=': Binding.Compare,
  '<<': Binding.Bits,
  '>>': Binding.Bits,
  '&': Binding.Bits,
  '|': Binding.Bits,
  '+': Binding.Sum,
  '-': Binding.Sum,
  '*': Binding.Product,
  '/': Binding.Product,
  '%': Binding.Product,
  '||': Binding.Concat,
};

/** The canonical text of an expression. */
export function printExpression(syntax: Syntax): string {
  switch (syntax.type) {
    case 'literal':
      return literal(syntax.value);
    case 'array':
      return `[${commas(syntax.items)}]`;
    case 'object':
      return `{${syntax.members.map(({ name, value }) => `${string(name)}: ${printExpression(value)}`).join(', ')}}`;
    case 'path':
      return path(syntax.steps);
    case 'star':
      return syntax.alias === undefined ? '*' : `${name(syntax.alias)}.*`;
    case 'parameter':
      return `$${syntax.name}`;
    case 'member':
      return `${takesPath(syntax.of) ? at(syntax.of, Binding.Unit) : `(${printExpression(syntax.of)})`}.${path(syntax.steps)}`;
    case 'unary':
      return `${syntax.operator === 'NOT' ? 'NOT ' : syntax.operator}${unaryOperand(syntax.operand)}`;
    case 'binary':
      return binary(syntax);
    case 'test':
      return `${at(syntax.operand, Binding.Compare)} IS ${not(syntax.negated)}${syntax.test}`;
    case 'in':
      return `${at(syntax.operand, Binding.Compare)} ${not(syntax.negated)}IN (${commas(syntax.list)})`;
    case 'in-array':
      return `${at(syntax.operand, Binding.Compare)} ${not(syntax.negated)}IN ${printExpression(syntax.array)}`;
    case 'like':
      return `${at(syntax.operand, Binding.Compare)} ${not(syntax.negated)}LIKE ${at(syntax.pattern, Binding.Compare)}`;
    case 'between':
      return (
        `${at(syntax.operand, Binding.Compare)} ${not(syntax.negated)}BETWEEN ` +
        `${at(syntax.low, Binding.Compare)} AND ${at(syntax.high, Binding.Compare)}`
      );
    case 'case':
      return printCase(syntax);
    case 'quantified':
      return (
        `${QUANTIFIERS[syntax.quantifier]} ${name(syntax.variable)} IN ${printExpression(syntax.array)} ` +
        `SATISFIES ${printExpression(syntax.satisfies)} END`
      );
    case 'exists':
      return `EXISTS (${print(syntax.select)})`;
    case 'collate':
      return `${at(syntax.operand, Binding.Or)} COLLATE ${collation(syntax.collation)}`;
    case 'function':
      return `${name(syntax.name)}(${commas(syntax.arguments)})`;
    case 'meta':
      return `META(${syntax.alias ? path(syntax.alias) : ''})`;
    case 'match':
      return `MATCH(${path(syntax.index)}, ${printExpression(syntax.text)})`;
    case 'rank':
      return `RANK(${path(syntax.index)})`;
  }
}

const QUANTIFIERS = { any: 'ANY', every: 'EVERY', 'any-and-every': 'ANY AND EVERY' } as const;

function binding(syntax: Syntax): number {
  switch (syntax.type) {
    case 'binary':
      return BINDINGS[syntax.operator]!;
    case 'test':
    case 'in':
    case 'in-array':
    case 'like':
    case 'between':
      return Binding.Relation;
    case 'collate':
      return Binding.Collate;
    case 'unary':
      return syntax.operator === 'NOT' ? Binding.Not : Binding.Unit;
    default:
      return Binding.Unit;
  }
}

/** Whether a path behind it would not become part of it. */
function takesPath(syntax: Syntax): boolean {
  return syntax.type === 'literal'
    ? !['number', 'bigint'].includes(typeof syntax.value)
    : !['path', 'star', 'member', 'unary'].includes(syntax.type);
}

/** An operand at a place that takes what binds at least so tightly. */
function at(syntax: Syntax, place: number): string {
  const text = printExpression(syntax);
  return binding(syntax) >= place ? text : `(${text})`;
}

/** The operand of a prefix is in parentheses unless it is a name: `-5` is a literal, `-(5)` an operation. */
function unaryOperand(operand: Syntax): string {
  const isPlain = operand.type === 'path' || operand.type === 'parameter';
  return isPlain ? printExpression(operand) : `(${printExpression(operand)})`;
}

function binary(syntax: Extract<Syntax, { type: 'binary' }>): string {
  const own = BINDINGS[syntax.operator]!;
  // Chains of operators are longer than the stack is deep for recursion to be a good idea.
  const rights: string[] = [];
  let left: Syntax = syntax;
  while (left.type === 'binary' && BINDINGS[left.operator] === own) {
    rights.push(`${left.operator} ${rightOperand(left.operator, left.right, own)}`);
    left = left.left;
  }
  return [at(left, own + 1), ...rights.reverse()].join(' ');
}

/** `a IS (null)` compares, `a IS NULL` tests. */
function rightOperand(operator: string, right: Syntax, own: Binding): string {
  const isWord = right.type === 'literal' && (right.value === null || right.value === undefined);
  const isTestWord = operator.startsWith('IS') && isWord;
  return isTestWord ? `(${printExpression(right)})` : at(right, own + 1);
}

function printCase({ operand, whens, otherwise }: Extract<Syntax, { type: 'case' }>): string {
  return [
    'CASE',
    ...(operand ? [printExpression(operand)] : []),
    ...whens.map(({ when, then }) => `WHEN ${printExpression(when)} THEN ${printExpression(then)}`),
    ...(otherwise ? [`ELSE ${printExpression(otherwise)}`] : []),
    'END',
  ].join(' ');
}

function commas(items: readonly Syntax[]): string {
  return items.map(printExpression).join(', ');
}

function source({ names, alias }: SourceSyntax): string {
  return path(names) + as(alias);
}

function as(alias: string | undefined): string {
  return alias === undefined ? '' : ` AS ${name(alias)}`;
}

function not(negated: boolean): string {
  return negated ? 'NOT ' : '';
}

/** A name, in back-ticks if it needs them. */
function name(text: string): string {
  return isPlainName(text) ? text : `\`${text.replaceAll('`', '``')}\``;
}

function path(steps: readonly PathStep[]): string {
  return steps
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : (index > 0 ? '.' : '') + name(step)))
    .join('');
}

function literal(value: LiteralValue): string {
  switch (typeof value) {
    case 'undefined':
      return 'MISSING';
    case 'string':
      return string(value);
    case 'number':
      return float(value);
    case 'object':
      return 'NULL';
    default:
      return String(value).toUpperCase();
  }
}

function string(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** With a point or an exponent, so that it is no integer. Infinity comes from a literal that is too large. */
function float(value: number): string {
  if (!Number.isFinite(value)) return value < 0 ? '-1e999' : '1e999';
  const text = Object.is(value, -0) ? '-0' : String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function collation({ unicode, ignoreCase, ignoreAccents, locale }: Collation): string {
  const words = [
    unicode ? `UNICODE${locale === undefined ? '' : `:${locale}`}` : 'NOUNICODE',
    ...(ignoreCase ? ['NOCASE'] : []),
    ...(ignoreAccents ? ['NODIAC'] : []),
  ];
  return words.length === 1 ? words[0]! : `(${words.join(' ')})`;
}
