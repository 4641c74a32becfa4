import fc from 'fast-check';
import type { Collation, PathStep, SelectSyntax, SourceSyntax, Syntax } from '../ast.js';
import { FUNCTIONS } from '../functions/signatures.js';

/** A syntax tree as the parser builds it, without places. */
type Tree = { readonly type: Syntax['type'] } & Record<string, unknown>;

const name = fc.oneof(
  fc.constantFrom(
    'city',
    'a',
    'Some',
    'all',
    'exists',
    'from',
    'end',
    'COUNT',
    'meta',
    '1st',
    'x y',
    'a.b',
    'tick`s',
    'é',
    '',
  ),
  fc.string({ maxLength: 8 }),
);
const index = fc.integer({ min: -9, max: 9 }).map((value) => value || 0);
const steps = fc
  .tuple(name, fc.array(fc.oneof(name, index), { maxLength: 3 }))
  .map(([first, rest]): PathStep[] => [first, ...rest]);
const names = fc.array(name, { minLength: 1, maxLength: 3 });

const collation: fc.Arbitrary<Collation> = fc
  .record({
    unicode: fc.boolean(),
    ignoreCase: fc.boolean(),
    ignoreAccents: fc.boolean(),
    locale: fc.constantFrom(undefined, 'de', 'sv-SE'),
  })
  .map(({ locale, ...flags }) => (flags.unicode && locale ? { ...flags, locale } : flags));

const literal = fc
  .oneof(
    fc.constantFrom(null, undefined, true, false),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true }),
    fc.string({ unit: 'grapheme', maxLength: 6 }),
  )
  .map((value): Tree => ({ type: 'literal', value }));

const leaf = fc.oneof(
  literal,
  steps.map((path): Tree => ({ type: 'path', steps: path })),
  fc.constantFrom('$age', 'opt_x').map((text): Tree => ({ type: 'parameter', name: text.replace('$', '') })),
  fc.constant<Tree>({ type: 'star' }),
  name.map((alias): Tree => ({ type: 'star', alias })),
  fc.option(names, { nil: undefined }).map((alias): Tree => ({ type: 'meta', ...(alias && { alias }) })),
  names.map((at): Tree => ({ type: 'rank', index: at })),
);

const operator = fc.constantFrom(
  ...[
    '||',
    '*',
    '/',
    '%',
    '+',
    '-',
    '<',
    '<=',
    '>',
    '>=',
    '=',
    '!=',
    'IS',
    'IS NOT',
    'AND',
    'OR',
    '<<',
    '>>',
    '&',
    '|',
  ],
);

function compound(tree: fc.Arbitrary<Tree>, select: fc.Arbitrary<SelectSyntax>): fc.Arbitrary<Tree> {
  const operand = tree;
  const negated = fc.boolean();
  const list = fc.array(tree, { maxLength: 3 });
  const of = (type: Syntax['type'], fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Tree> =>
    fc.record(fields).map((record) => ({ type, ...record }));
  return fc.oneof(
    of('array', { items: list }),
    of('object', {
      members: fc.array(fc.record({ name: fc.string({ maxLength: 5 }), value: tree }), { maxLength: 3 }),
    }),
    // A path behind a path belongs to it, and a star takes none.
    of('member', { of: tree.filter(({ type }) => type !== 'path' && type !== 'star' && type !== 'member'), steps }),
    // A minus before a number belongs to it.
    of('unary', { operator: fc.constantFrom('-', '+', 'NOT'), operand }),
    of('binary', { operator, left: tree, right: tree }),
    of('test', { test: fc.constantFrom('NULL', 'MISSING', 'VALUED'), negated, operand }),
    of('in', { negated, operand, list }),
    of('in-array', { negated, operand, array: steps.map((path): Tree => ({ type: 'path', steps: path })) }),
    of('like', { negated, operand, pattern: tree }),
    of('between', { negated, operand, low: tree, high: tree }),
    fc
      .record({
        operand: fc.option(tree, { nil: undefined }),
        whens: fc.array(fc.record({ when: tree, then: tree }), { minLength: 1, maxLength: 2 }),
        otherwise: fc.option(tree, { nil: undefined }),
      })
      .map(({ operand: value, whens, otherwise }): Tree => ({
        type: 'case',
        ...(value && { operand: value }),
        whens,
        ...(otherwise && { otherwise }),
      })),
    of('quantified', {
      quantifier: fc.constantFrom('any', 'every', 'any-and-every'),
      variable: fc.constantFrom('v', 'item', 'Some', 'from'),
      array: tree,
      satisfies: tree,
    }),
    of('exists', { select }),
    of('collate', { operand, collation }),
    of('function', { name: fc.constantFrom(...Object.keys(FUNCTIONS), 'COUNT'), arguments: list }),
    of('match', { index: names, text: tree }),
  );
}

const source: fc.Arbitrary<SourceSyntax> = fc
  .tuple(names, fc.option(name, { nil: undefined }))
  .map(([parts, alias]) => ({ names: parts, ...(alias !== undefined && { alias }), position: 0 }));

/** Statements of all shapes of the grammar, without places. */
export const arbitrarySelect: fc.Arbitrary<SelectSyntax> = fc.letrec<{ tree: Tree; select: SelectSyntax }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, compound(tie('tree'), tie('select'))),
  select: select(tie('tree')),
})).select;

function select(tree: fc.Arbitrary<Tree>): fc.Arbitrary<SelectSyntax> {
  const alias = fc.option(name, { nil: undefined });
  const optional = fc.option(tree, { nil: undefined });
  const column = fc
    .tuple(tree, alias)
    .map(([expression, as]) => ({ expression, ...(as !== undefined && { alias: as }), position: 0 }));
  const join = fc.oneof(
    fc
      .tuple(fc.constantFrom('inner', 'left', 'cross'), source, optional)
      .map(([kind, of, on]) => ({ type: 'join', kind, source: of, ...(on && { on }) })),
    fc.tuple(tree, alias).map(([expression, as]) => ({
      type: 'unnest',
      expression,
      ...(as !== undefined && { alias: as }),
      position: 0,
    })),
  );
  return fc
    .record({
      distinct: fc.boolean(),
      columns: fc.array(column, { minLength: 1, maxLength: 3 }),
      from: source,
      joins: fc.array(join, { maxLength: 2 }),
      where: optional,
      grouping: fc.tuple(fc.array(tree, { maxLength: 2 }), optional),
      orderBy: fc.array(fc.record({ expression: tree, descending: fc.boolean() }), { maxLength: 2 }),
      limit: optional,
      offset: optional,
    })
    .map(({ grouping: [groupBy, having], where, limit, offset, ...rest }) => ({
      type: 'select',
      ...rest,
      ...(where && { where }),
      groupBy,
      ...(having && groupBy.length > 0 && { having }),
      ...(limit && { limit }),
      ...(offset && { offset }),
    })) as unknown as fc.Arbitrary<SelectSyntax>;
}

/** A tree without the places of its nodes. */
export function withoutPositions(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(withoutPositions);
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([key]) => key !== 'position')
      .map(([key, value]) => [key, withoutPositions(value)]),
  );
}
