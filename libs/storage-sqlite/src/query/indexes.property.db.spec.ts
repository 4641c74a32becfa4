import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IndexConfig } from '@edgesync/config';
import { checkJson } from '@edgesync/document';
import type { WriteRequest, WriteResult } from '@edgesync/ports';
import { bindParameters, compile, decode, prepare, type ObjectValue } from '@edgesync/query';
import { MemoryDatabase } from '@edgesync/query/testing';
import { answersOf } from '../testing/statement-answers.js';
import { StatementRunner } from './statement-runner.js';
import { indexesBuilt, openQueriedStorage, type QueriedStorage } from '../testing/queried-storage.js';

const DATABASE = 'random';
const COLLECTION = { scope: '_default', collection: '_default' };
const KEYSPACE = { database: DATABASE, ...COLLECTION };

/** Values at the edges of what SQLite and the evaluator take for numbers, order and text. */
const SCALARS = [
  ...['0', '1', '1.0', '-0.0', '2', '-3', '1e2', '0.1', '9007199254740993', '9007199254740992.0'],
  ...['9223372036854775807', '-9223372036854775808', '9.223372036854775808e18', '1e999', '-1.7976931348623157e308'],
  ...['true', 'false', 'null', '""', '"a"', '"ab"', '"a\\u0000"', '"a\\u0000b"', '"b"', '"1"', '"true"', '"é"', '"😀"'],
  ...['"\\uffff"', '"\\"q\\\\"'],
];
/** Values whose order no key keeps. */
const INEXACT = [
  '9223372036854775808',
  '9223372036854775809',
  '18446744073709551615',
  '-1e999',
  '"\\ud800"',
  '"a\\ud800b"',
];

const scalarsOf = (documents: 'exact' | 'any'): fc.Arbitrary<string> =>
  fc.constantFrom(...SCALARS, ...(documents === 'any' ? INEXACT : []));
const itemsOf = (scalars: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 5, arbitrary: scalars },
    {
      weight: 1,
      arbitrary: fc.constantFrom('[]', '[1]', '[1.0]', '[true]', '{}', '{"x":1}', '{"x":1,"y":"a"}', '{"y":"a","x":1}'),
    },
  );

function bodiesOf(documents: 'exact' | 'any'): fc.Arbitrary<string> {
  const item = itemsOf(scalarsOf(documents));
  const value = fc.oneof(
    { weight: 6, arbitrary: item },
    { weight: 2, arbitrary: fc.array(item, { maxLength: 3 }).map((items) => `[${items.join()}]`) },
    { weight: 1, arbitrary: fc.tuple(item, item).map(([x, y]) => `{"x":${x},"y":${y}}`) },
  );
  const list = fc.array(value, { maxLength: 3 }).map((items) => `[${items.join()}]`);
  return fc.record({ a: value, b: value, 'c.d': value, t: list }, { requiredKeys: [] }).map((members) =>
    checkJson(
      `{${Object.entries(members)
        .map(([name, json]) => `${JSON.stringify(name)}:${json}`)
        .join()}}`,
    ),
  );
}

const INDEXES: ReadonlyMap<string, IndexConfig> = new Map<string, IndexConfig>([
  ['a', { collection: COLLECTION, type: 'value', expressions: ['a'] }],
  ['ba', { collection: COLLECTION, type: 'value', expressions: ['b', 'a'] }],
  ['sorted', { collection: COLLECTION, type: 'value', expressions: ['a', 'META().id'] }],
  ['quoted', { collection: COLLECTION, type: 'value', expressions: ['`c.d`', 'a.x'] }],
  ['computed', { collection: COLLECTION, type: 'value', expressions: ['IFMISSINGORNULL(a, b)'] }],
  ['first', { collection: COLLECTION, type: 'value', expressions: ['t[0]', 'META().id'] }],
  ['some', { collection: COLLECTION, type: 'value', expressions: ['b'], where: 'a = 1 AND b IS NOT MISSING' }],
  ['valued', { collection: COLLECTION, type: 'value', expressions: ['a', 'b', 'META().id'], where: 'a IS VALUED' }],
  ['items', { collection: COLLECTION, type: 'array', path: 't', expressions: [] }],
  ['members', { collection: COLLECTION, type: 'array', path: 't', expressions: ['x', 'y'] }],
  ['inner', { collection: COLLECTION, type: 'array', path: 't[].x', expressions: [] }],
]);

const EXPRESSIONS = ['a', 'b', '`c.d`', 'a.x', 't[0]', 'IFMISSINGORNULL(a, b)', 'META().id', 'META().sequence'];
const literal = itemsOf(scalarsOf('any')).map((json) => `$${json}$`);
const operand = fc.constantFrom(...EXPRESSIONS);
const PATTERNS = ["'a%'", "'%a%'", "'1%'", "'_'", "'a'", "'%'", "'é%'", "'t%'", "'\uffff%'", "'a\\\\%'"];
const simple = fc.oneof(
  fc.tuple(operand, fc.constantFrom('=', '!=', '<', '<=', '>', '>='), literal).map((parts) => parts.join(' ')),
  fc.tuple(literal, fc.constantFrom('=', '<', '>='), operand).map((parts) => parts.join(' ')),
  fc.tuple(operand, literal, literal).map(([x, low, high]) => `${x} BETWEEN ${low} AND ${high}`),
  fc.tuple(operand, fc.array(literal, { minLength: 1, maxLength: 4 })).map(([x, list]) => `${x} IN (${list.join()})`),
  fc
    .tuple(
      operand,
      fc.constantFrom('IS NULL', 'IS NOT NULL', 'IS MISSING', 'IS NOT MISSING', 'IS VALUED', 'IS NOT VALUED'),
    )
    .map((parts) => parts.join(' ')),
  fc
    .tuple(fc.constantFrom('a', 'b', 'META().id'), fc.constantFrom(...PATTERNS))
    .map(([x, pattern]) => `${x} LIKE ${pattern}`),
  fc
    .tuple(fc.constantFrom('=', '<', '>='), literal)
    .map(([operator, x]) => `ANY v IN t SATISFIES v ${operator} ${x} END`),
  fc
    .tuple(fc.constantFrom('=', '>'), literal, literal)
    .map(([operator, x, y]) => `ANY v IN t SATISFIES v.x ${operator} ${x} AND v.y = ${y} END`),
  literal.map((x) => `ANY v IN t SATISFIES ANY w IN v.x SATISFIES w = ${x} END END`),
  literal.map((x) => `${x} IN t`),
  literal.map((x) => `ARRAY_CONTAINS(t, ${x})`),
);
const condition = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 2, arbitrary: fc.array(simple, { minLength: 2, maxLength: 3 }).map((parts) => parts.join(' AND ')) },
  { weight: 1, arbitrary: simple.map((part) => `a = $1$ AND b IS NOT MISSING AND ${part}`) },
  { weight: 1, arbitrary: fc.array(simple, { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(' OR ')})`) },
  { weight: 1, arbitrary: fc.tuple(simple, simple, simple).map(([x, y, z]) => `(${x} OR ${y}) AND ${z}`) },
);
const direction = fc.constantFrom('', ' DESC');
const order = fc
  .tuple(fc.array(operand, { minLength: 1, maxLength: 2 }), direction, direction, fc.option(fc.nat(5)))
  .map(([terms, way, last, limit]) => {
    const by = [...terms.map((term) => term + way), `META().id${last}`].join(', ');
    return `ORDER BY ${by}${limit === null ? '' : ` LIMIT ${limit}`}`;
  });

interface Query {
  readonly text: string;
  readonly ordered: boolean;
}
const query: fc.Arbitrary<Query> = fc.oneof(
  {
    weight: 5,
    arbitrary: condition.map((where) => ({ text: `SELECT META().id, a, b FROM _ WHERE ${where}`, ordered: false })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(condition, order)
      .map(([where, by]) => ({ text: `SELECT META().id FROM _ WHERE ${where} ${by}`, ordered: true })),
  },
  { weight: 2, arbitrary: order.map((by) => ({ text: `SELECT META().id FROM _ ${by}`, ordered: true })) },
  {
    weight: 2,
    arbitrary: condition.map((where) => ({ text: `SELECT COUNT(*) AS n FROM _ WHERE ${where}`, ordered: false })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(operand, operand, fc.constantFrom('JOIN', 'LEFT JOIN')).map(([x, y, join]) => ({
      text: `SELECT META(l).id AS x, META(r).id AS y FROM _ l ${join} _ r ON ${of('l', x)} = ${of('r', y)}`,
      ordered: false,
    })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('v', 'v.x'), fc.constantFrom('=', '<'), literal).map(([x, operator, y]) => ({
      text: `SELECT META(d).id AS id, v FROM _ d UNNEST d.t AS v WHERE ${x} ${operator} ${y}`,
      ordered: false,
    })),
  },
);

function of(alias: string, expression: string): string {
  return expression.startsWith('META')
    ? expression.replace('()', `(${alias})`)
    : expression
        .replace(/^IFMISSINGORNULL\(a, b\)$/, `IFMISSINGORNULL(${alias}.a, ${alias}.b)`)
        .replace(/^[abt`]/, (start) => `${alias}.${start}`);
}

/** Values are parameters: literals cannot spell all of them. */
function withParameters(text: string): { readonly statement: string; readonly parameters: string } {
  const members: string[] = [];
  const statement = text.replace(/\$(.+?)\$(?=\s|\)|,|$)/gsu, (_, json: string) => {
    members.push(`"p${members.length}":${json}`);
    return `$p${members.length - 1}`;
  });
  return { statement, parameters: checkJson(`{${members.join()}}`) };
}

describe.each(['exact', 'any'] as const)('an index never changes a result, with %s values in the documents', (kind) => {
  let indexed: QueriedStorage;
  let plain: QueriedStorage;
  let runners: StatementRunner[];
  beforeAll(async () => {
    indexed = await openQueriedStorage({ name: DATABASE, indexes: INDEXES });
    plain = await openQueriedStorage({ name: DATABASE });
    await indexesBuilt(indexed.storage, DATABASE);
    runners = [indexed, plain].map(
      ({ path }) =>
        new StatementRunner({
          key: 1,
          name: DATABASE,
          file: `${path}/edgesync.sqlite3`,
          collections: [{ ...COLLECTION, id: 1 }],
        }),
    );
  });
  afterAll(async () => {
    for (const runner of runners) runner.close();
    await indexed.close();
    await plain.close();
  });

  /** In a large collection indexes are worth their while. */
  function pretendMany(): void {
    const handle = new Database(`${indexed.path}/edgesync.sqlite3`);
    handle.exec('UPDATE collections SET live = 1000000');
    handle.close();
  }

  /** Makes the documents of both databases these. */
  async function fill(bodies: readonly string[]): Promise<void> {
    for (const { storage } of [indexed, plain]) {
      const { rows } = await storage.list(KEYSPACE, { limit: 1_000 });
      const current = new Map(rows.map(({ id, rev }) => [id, rev]));
      const writes = bodies.map((text, index): WriteRequest => {
        const id = `d${index}`;
        const rev = current.get(id);
        current.delete(id);
        return { type: 'edit', keyspace: KEYSPACE, id, deleted: false, body: text, ...(rev && { expect: rev }) };
      });
      const rest = [...current].map(([id, expect], index): WriteRequest =>
        index % 2 === 0
          ? { type: 'purge', keyspace: KEYSPACE, id }
          : { type: 'edit', keyspace: KEYSPACE, id, deleted: true, body: '{}', expect },
      );
      const results = await storage.write(DATABASE, [...writes, ...rest]);
      expect(
        results.map(({ status }: WriteResult) => status).filter((status) => status !== 'stored' && status !== 'purged'),
      ).toEqual([]);
    }
  }

  function inMemory(bodies: readonly string[], statement: string, parameters: string): string[] {
    const memory = new MemoryDatabase();
    const documents = memory.documents(COLLECTION);
    bodies.forEach((text, index) =>
      documents.push({
        meta: { id: `d${index}`, sequence: sequences[index], deleted: false, expiration: undefined, revisionID: '1-a' },
        body: decode(text) as ObjectValue,
      }),
    );
    const compiled = compile(
      prepare(statement, {
        database: DATABASE,
        keyspace: COLLECTION,
        collections: [COLLECTION],
        fullTextIndexes: () => [],
      }),
    );
    const bound = bindParameters(compiled.statement, parameters);
    return [...compiled.run(memory.access(compiled, bound), bound)];
  }
  let sequences: bigint[];

  it('for random documents, values and statements', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(bodiesOf(kind), { maxLength: 30 }),
        fc.array(query, { minLength: 30, maxLength: 30 }),
        async (bodies, queries) => {
          await fill(bodies);
          pretendMany();
          const { rows } = await indexed.storage.list(KEYSPACE, { limit: 1_000 });
          sequences = bodies.map((_, index) => BigInt(rows.find(({ id }) => id === `d${index}`)!.sequence));
          for (const { text, ordered } of queries) {
            const { statement, parameters } = withParameters(text);
            const [withIndexes, without] = runners.map((runner) =>
              answersOf(runner, KEYSPACE, statement, parameters),
            ) as [string[], string[]];
            const expected = inMemory(bodies, statement, parameters);
            const shown = (result: string[]): string[] => (ordered ? result : result.toSorted());
            expect(shown(without), `without indexes: ${text}`).toEqual(shown(expected));
            expect(shown(withIndexes), `with indexes: ${text}`).toEqual(shown(expected));
          }
        },
      ),
      { numRuns: 40 },
    );
    expect(await indexed.storage.indexes(DATABASE)).not.toContainEqual(expect.objectContaining({ state: 'failed' }));
  });
});
