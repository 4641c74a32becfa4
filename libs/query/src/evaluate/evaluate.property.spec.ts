import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BinaryOperator, LiteralValue } from '../ast.js';
import type { Expression, Source, Statement } from '../statement.js';
import { MemoryDatabase } from '../testing/memory-access.js';
import { evaluateNaively, type NaiveDocument } from '../testing/naive-evaluator.js';
import { decode, ObjectValue, type Value } from '../values.js';
import { compile } from './compile.js';

const COLLECTION = { scope: '_default', collection: 'c' };
const TEXTS = ['', 'a', 'b', 'ab', '1', '2.5', '10x', 'é', '😀'];

const scalarJson = fc.oneof(
  fc.integer({ min: -3, max: 3 }).map(String),
  fc.constantFrom('0.0', '1.0', '1.5', '-2.5', '9007199254740993', 'true', 'false', 'null'),
  fc.constantFrom(...TEXTS).map((text) => JSON.stringify(text)),
);
const valueJson = fc.oneof(
  { weight: 6, arbitrary: scalarJson },
  { weight: 2, arbitrary: fc.array(scalarJson, { maxLength: 3 }).map((items) => `[${items.join()}]`) },
  { weight: 1, arbitrary: scalarJson.map((json) => `{"x":${json}}`) },
);
const NAMES = ['a', 'b', 'n'];
const documentJson = fc
  .tuple(...NAMES.map(() => fc.option(valueJson, { freq: 4 })), fc.array(scalarJson, { maxLength: 3 }))
  .map((values) => {
    const tags = values.at(-1) as string[];
    const members = NAMES.flatMap((name, index) => (values[index] ? [`"${name}":${values[index] as string}`] : []));
    return `{${[...members, `"t":[${tags.join()}]`].join()}}`;
  });

/** Decides where in a statement an expression stands: which sources it may read, whether aggregates may occur. */
interface Place {
  readonly sources: readonly number[];
  readonly unnested: readonly number[];
  readonly aggregates: boolean;
  readonly depth: number;
  readonly variables: number;
}

const literal = (value: LiteralValue): Expression => ({ type: 'literal', value });
const literals = fc.oneof(
  fc.integer({ min: -3, max: 12 }).map((value) => literal(BigInt(value))),
  fc.constantFrom<LiteralValue>(1, 1.5, true, false, null, undefined, ...TEXTS).map(literal),
);
const OPERATORS: BinaryOperator[] = [
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'IS',
  'IS NOT',
  'AND',
  'OR',
  '+',
  '-',
  '*',
  '/',
  '%',
  '||',
];

function leaf({ sources, unnested, variables }: Place): fc.Arbitrary<Expression> {
  const parts: fc.Arbitrary<Expression>[] = [literals, fc.constant<Expression>({ type: 'parameter', name: 'p' })];
  for (const source of sources)
    parts.push(
      fc.constantFrom<Expression>(
        ...[['a'], ['b'], ['n'], ['t'], ['a', 'x'], ['t', 0], ['t', -1]].map((path): Expression => ({
          type: 'property',
          source,
          path,
        })),
        { type: 'meta', source, member: 'id' },
      ),
    );
  for (const source of unnested) parts.push(fc.constantFrom<Expression>({ type: 'property', source, path: [] }));
  if (variables > 0)
    parts.push(fc.nat(variables - 1).map((depth): Expression => ({ type: 'variable', depth, path: [] })));
  return fc.oneof(...parts);
}

function expressionIn(place: Place): fc.Arbitrary<Expression> {
  if (place.depth === 0) return leaf(place);
  const inner = expressionIn({ ...place, depth: place.depth - 1 });
  const bool = fc.boolean();
  const parts: fc.Arbitrary<Expression>[] = [
    leaf(place),
    fc
      .tuple(fc.constantFrom(...OPERATORS), inner, inner)
      .map(([operator, left, right]): Expression => ({ type: 'binary', operator, left, right })),
    inner.map((operand): Expression => ({ type: 'not', operand })),
    inner.map((operand): Expression => ({ type: 'negate', operand })),
    fc
      .tuple(fc.constantFrom<'NULL' | 'MISSING' | 'VALUED'>('NULL', 'MISSING', 'VALUED'), bool, inner)
      .map(([test, negated, operand]): Expression => ({ type: 'test', test, negated, operand })),
    fc
      .tuple(bool, inner, fc.array(fc.oneof(inner, literals), { maxLength: 10 }))
      .map(([negated, operand, list]): Expression => ({ type: 'in', negated, operand, list })),
    fc
      .tuple(bool, inner, inner, inner)
      .map(([negated, operand, low, high]): Expression => ({ type: 'between', negated, operand, low, high })),
    fc
      .tuple(fc.option(inner, { nil: undefined }), inner, inner, fc.option(inner, { nil: undefined }))
      .map(([operand, when, then, otherwise]): Expression => ({
        type: 'case',
        ...(operand && { operand }),
        whens: [{ when, then }],
        ...(otherwise && { otherwise }),
      })),
    fc.array(inner, { maxLength: 2 }).map((items): Expression => ({ type: 'array', items })),
    inner.map((value): Expression => ({ type: 'object', members: [{ name: 'x', value }] })),
    inner.map((of): Expression => ({ type: 'member', of, path: ['x'] })),
    fc
      .tuple(fc.constantFrom('LENGTH', 'ARRAY_LENGTH', 'TOSTRING'), inner)
      .map(([name, argument]): Expression => ({ type: 'function', name, arguments: [argument] })),
    fc.tuple(inner, inner).map((values): Expression => ({ type: 'function', name: 'IFMISSING', arguments: values })),
    fc
      .tuple(
        fc.constantFrom<'any' | 'every' | 'any-and-every'>('any', 'every', 'any-and-every'),
        inner,
        expressionIn({ ...place, depth: place.depth - 1, variables: place.variables + 1 }),
      )
      .map(([quantifier, array, satisfies]): Expression => ({
        type: 'quantified',
        quantifier,
        depth: place.variables,
        array,
        // Whatever the condition is, it does not ask for membership, which has a rule of its own.
        satisfies: { type: 'binary', operator: 'AND', left: literal(true), right: satisfies },
      })),
  ];
  if (place.aggregates)
    parts.push(
      fc
        .tuple(
          fc.constantFrom<Extract<Expression, { type: 'aggregate' }>['name']>(
            'COUNT',
            'SUM',
            'AVG',
            'MIN',
            'MAX',
            'ARRAY_AGG',
          ),
          leaf({ ...place, variables: 0 }),
        )
        .map(([name, argument]): Expression => ({ type: 'aggregate', name, argument })),
      fc.constant<Expression>({ type: 'aggregate', name: 'COUNT' }),
    );
  return fc.oneof(...parts);
}

const first: Source = { type: 'collection', alias: 's', collection: COLLECTION, join: 'from', withDeleted: false };

/** An ON with equalities in it, so that joins hash and seek. */
function onOf(source: number): fc.Arbitrary<Expression> {
  const earlier = leaf({ sources: [0], unnested: [], aggregates: false, depth: 0, variables: 0 });
  const own = fc.constantFrom<Expression>(
    { type: 'property', source, path: ['a'] },
    { type: 'property', source, path: ['n'] },
    { type: 'meta', source, member: 'id' },
  );
  const equality = fc
    .tuple(own, earlier, fc.boolean())
    .map(([left, right, isTurned]): Expression =>
      isTurned
        ? { type: 'binary', operator: '=', left: right, right: left }
        : { type: 'binary', operator: '=', left, right },
    );
  const any = expressionIn({ sources: [0, source], unnested: [], aggregates: false, depth: 1, variables: 0 });
  return fc.oneof(
    equality,
    any,
    fc.tuple(equality, any).map(([left, right]): Expression => ({ type: 'binary', operator: 'AND', left, right })),
  );
}

const sourceLists: fc.Arbitrary<readonly Source[]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant([first]) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom<'inner' | 'left' | 'cross'>('inner', 'left', 'cross'), onOf(1))
      .map(([join, on]): Source[] => [
        first,
        {
          type: 'collection',
          alias: 'j',
          collection: COLLECTION,
          join,
          ...(join !== 'cross' && { on }),
          withDeleted: false,
        },
      ]),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('t', 'a')
      .map((name): Source[] => [
        first,
        { type: 'unnest', alias: 'u', array: { type: 'property', source: 0, path: [name] } },
      ]),
  },
);

/** Something to group by that is not the same for all rows. */
function keyIn(sources: readonly number[], unnested: readonly number[]): fc.Arbitrary<Expression> {
  return fc.constantFrom<Expression>(
    ...sources.flatMap((source) => NAMES.map((name): Expression => ({ type: 'property', source, path: [name] }))),
    ...unnested.map((source): Expression => ({ type: 'property', source, path: [] })),
  );
}

const statements: fc.Arbitrary<Statement> = sourceLists.chain((sources) => {
  const collections = sources.flatMap(({ type }, index) => (type === 'collection' ? [index] : []));
  const unnested = sources.flatMap(({ type }, index) => (type === 'unnest' ? [index] : []));
  const place: Place = { sources: collections, unnested, aggregates: false, depth: 2, variables: 0 };
  const row = expressionIn(place);
  return fc.boolean().chain((grouped) => {
    const shown = expressionIn({ ...place, aggregates: grouped });
    const optional = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
      fc.oneof({ weight: 1, arbitrary }, { weight, arbitrary: fc.constant(undefined) });
    const count = fc.integer({ min: -1, max: 5 }).map((value) => literal(BigInt(value)));
    return fc
      .record({
        distinct: fc.boolean(),
        columns: fc.array(shown, { minLength: 1, maxLength: 3 }),
        where: optional(1, row),
        groupBy: grouped ? fc.array(keyIn(collections, unnested), { maxLength: 2 }) : fc.constant([]),
        having: grouped ? optional(2, shown) : fc.constant(undefined),
        orderBy: fc.array(fc.record({ expression: shown, descending: fc.boolean() }), { maxLength: 2 }),
        limit: optional(3, count),
        offset: optional(4, count),
      })
      .map(({ columns, where, having, limit, offset, ...rest }): Statement => ({
        ...rest,
        columns: columns.map((expression, index) => ({ name: `c${index}`, expression })),
        sources,
        matches: [],
        grouped,
        parameters: ['p'],
        ...(where && { where }),
        ...(having && { having }),
        ...(limit && { limit }),
        ...(offset && { offset }),
      }));
  });
});

function databaseOf(documents: readonly NaiveDocument[]): MemoryDatabase {
  const database = new MemoryDatabase();
  for (const { id, body } of documents)
    database.documents(COLLECTION).push({
      meta: { id, sequence: 1n, deleted: false, expiration: undefined, revisionID: '1-a' },
      body,
    });
  return database;
}

/** Doubles of sums may differ in their last digits: the order of additions is no rule. */
const rounded = (rows: readonly string[]): string[] =>
  rows.map((row) => row.replace(/-?\d+\.\d+(e[+-]\d+)?/g, (number) => Number(number).toPrecision(12)));

describe('random statements over random documents', () => {
  it('have the rows that the rules give, in their order', () => {
    fc.assert(
      fc.property(
        fc.array(documentJson, { maxLength: 8 }),
        statements,
        valueJson,
        fc.boolean(),
        (bodies, statement, p, seeks) => {
          const documents = bodies.map((json, index) => ({ id: String(index % 4), body: ObjectValue.fromJson(json) }));
          const parameters = new Map<string, Value>([['p', decode(p)]]);
          const compiled = compile(statement);
          const access = databaseOf(documents).access(compiled, parameters, seeks);
          const rows = [...compiled.run(access, parameters)];
          expect(rounded(rows)).toEqual(rounded(evaluateNaively(statement, documents, parameters)));
        },
      ),
      { numRuns: 3000 },
    );
  });
});
