import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IndexConfig } from '@edgesync/config';
import type { WriteRequest } from '@edgesync/ports';
import { bindParameters, compile, decode, prepare, type ObjectValue } from '@edgesync/query';
import { MemoryDatabase } from '@edgesync/query/testing';
import { indexesBuilt, openQueriedStorage, type QueriedStorage } from '../testing/queried-storage.js';
import { answersOf } from '../testing/statement-answers.js';
import { StatementRunner } from './statement-runner.js';

const DATABASE = 'texts';
const COLLECTION = { scope: '_default', collection: '_default' };
const KEYSPACE = { database: DATABASE, ...COLLECTION };

const common = { collection: COLLECTION, type: 'fulltext', ignoreAccents: false, disableStemming: false } as const;
const INDEXES: ReadonlyMap<string, IndexConfig> = new Map<string, IndexConfig>([
  ['both', { ...common, expressions: ['title', 'body'], language: 'en' }],
  ['plain', { ...common, expressions: ['body'], ignoreAccents: true }],
  ['some', { ...common, expressions: ['body'], where: 'n > 1' }],
  ['by_n', { collection: COLLECTION, type: 'value', expressions: ['n'] }],
]);

const WORDS = [
  'boot',
  'boots',
  'Boot',
  'the',
  'hut',
  'huts',
  'café',
  'cafe',
  'b2',
  '7',
  '😀',
  'straße',
  'a-b',
  "don't",
];
const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 8 }).map((list) => list.join(' '));
const text = fc.oneof(
  { weight: 8, arbitrary: words.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.constantFrom('7', 'true', 'null', '["hut",["boot"],{"x":"hut"}]') },
);
const body = fc.record({ title: text, body: text, n: fc.nat(3).map(String) }, { requiredKeys: ['n'] }).map(
  (members) =>
    `{${Object.entries(members)
      .map(([name, json]) => `"${name}":${json}`)
      .join()}}`,
);

const word = fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom('', '', '', '*')).map(([token, star]) => token + star);
/** A single token: NEAR takes no more. */
const single = fc.constantFrom('boot', 'huts', 'the', 'café', 'cafe*', 'boot*', '7', '😀');
const operand = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 2, arbitrary: fc.array(word, { minLength: 1, maxLength: 3 }).map((list) => `"${list.join(' ')}"`) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('title:', 'body:'), word).map((parts) => parts.join('')) },
  {
    weight: 1,
    arbitrary: fc.tuple(single, fc.constantFrom('NEAR', 'NEAR/1', 'NEAR/3'), single).map((parts) => parts.join(' ')),
  },
  { weight: 1, arbitrary: fc.array(single, { minLength: 3, maxLength: 3 }).map((list) => list.join(' NEAR/2 ')) },
);
const { query } = fc.letrec<{ query: string }>((tie) => ({
  query: fc.oneof(
    { maxDepth: 3 },
    operand,
    fc
      .tuple(tie('query'), fc.constantFrom(' ', ' AND ', ' OR ', ' NOT '), tie('query'))
      .map(([left, operator, right]) => `(${left})${operator}(${right})`),
  ),
}));

const INDEX = fc.constantFrom('both', 'plain', 'some');
const statement = fc.oneof(
  INDEX.map((index) => `SELECT META().id AS id, RANK(${index}) AS r FROM _ WHERE MATCH(${index}, $text)`),
  INDEX.map((index) => `SELECT META().id AS id FROM _ WHERE MATCH(${index}, $text) AND n = 1`),
  INDEX.map((index) => `SELECT META().id AS id FROM _ WHERE n IN [0, 2] AND MATCH(${index}, $text)`),
  INDEX.map((index) => `SELECT COUNT(*) AS c FROM _ WHERE MATCH(${index}, $text)`),
  fc.constant('SELECT META().id AS id FROM _ WHERE MATCH(both, $text) AND MATCH(plain, $text)'),
  INDEX.map(
    (index) =>
      `SELECT META(a).id AS id, META(b).id AS other FROM _ a JOIN _ b ON a.n = b.n WHERE MATCH(b.${index}, $text)`,
  ),
);

describe('full text finds what the analyzer and the query language say', () => {
  let subject: QueriedStorage;
  let runner: StatementRunner;
  beforeAll(async () => {
    subject = await openQueriedStorage({ name: DATABASE, indexes: INDEXES });
    await indexesBuilt(subject.storage, DATABASE);
    const file = `${subject.path}/edgesync.sqlite3`;
    runner = new StatementRunner({ key: 1, name: DATABASE, file, collections: [{ ...COLLECTION, id: 1 }] });
  });
  afterAll(async () => {
    runner.close();
    expect(await subject.database.checkIntegrity()).toEqual([]);
    await subject.close();
  });

  async function fill(bodies: readonly string[]): Promise<void> {
    const { rows } = await subject.storage.list(KEYSPACE, { limit: 1_000 });
    const current = new Map(rows.map(({ id, rev }) => [id, rev]));
    const writes = bodies.map((json, index): WriteRequest => {
      const expect = current.get(`d${index}`);
      current.delete(`d${index}`);
      return {
        type: 'edit',
        keyspace: KEYSPACE,
        id: `d${index}`,
        deleted: false,
        body: json,
        ...(expect && { expect }),
      };
    });
    const rest = [...current.keys()].map((id): WriteRequest => ({ type: 'purge', keyspace: KEYSPACE, id }));
    await subject.storage.write(DATABASE, [...writes, ...rest]);
  }

  /** In a large collection, an index of values may be better than one of text. */
  function pretend(documents: number): void {
    const handle = new Database(`${subject.path}/edgesync.sqlite3`);
    handle.prepare('UPDATE collections SET live = ?').run(documents);
    handle.close();
  }

  function inMemory(bodies: readonly string[], select: string, parameters: string): string[] {
    const memory = new MemoryDatabase();
    for (const [index, json] of bodies.entries())
      memory.documents(COLLECTION).push({
        meta: { id: `d${index}`, sequence: 1n, deleted: false, expiration: undefined, revisionID: '1-a' },
        body: decode(json) as ObjectValue,
      });
    memory.textIndexes.set('both', { properties: ['title', 'body'], language: 'en' });
    memory.textIndexes.set('plain', { properties: ['body'], ignoreAccents: true });
    memory.textIndexes.set('some', {
      properties: ['body'],
      where: ({ body: members }) => (members.member('n') as bigint) > 1n,
    });
    const compiled = compile(
      prepare(select, {
        database: DATABASE,
        keyspace: COLLECTION,
        collections: [COLLECTION],
        fullTextIndexes: () => [...INDEXES.keys()],
      }),
    );
    const bound = bindParameters(compiled.statement, parameters);
    return [...compiled.run(memory.access(compiled, bound), bound)];
  }

  it('for random documents and queries, alone and together with values', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { maxLength: 20 }),
        fc.array(fc.tuple(statement, query), { minLength: 40, maxLength: 40 }),
        async (bodies, queries) => {
          await fill(bodies);
          pretend(100_000);
          for (const [select, wanted] of queries) {
            const parameters = JSON.stringify({ text: wanted });
            const rows = (texts: readonly string[]): string[] =>
              texts
                .map((row) => row.replace(/"r":([\d.e-]+)/, (_, rank) => `"r":${Number(rank).toFixed(9)}`))
                .toSorted();
            const found = rows(answersOf(runner, KEYSPACE, select, parameters));
            const expected = rows(inMemory(bodies, select, parameters));
            expect(found, `${select}: ${wanted}`).toEqual(expected);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('in the order of ranks', async () => {
    const bodies = ['boot', 'boot boot boot', 'hut', 'boot boot', 'boot hut'].map((value) =>
      JSON.stringify({ body: value, n: 2 }),
    );
    await fill(bodies);
    const select = 'SELECT META().id AS id FROM _ WHERE MATCH(plain, $text) ORDER BY RANK(plain)';
    const ids = (order: string): string[] =>
      answersOf(runner, KEYSPACE, select + order, '{"text":"boot"}').map(
        (row) => (JSON.parse(row) as { id: string }).id,
      );
    expect(ids(' DESC')).toEqual(['d1', 'd3', 'd0', 'd4']);
    expect(ids(' DESC LIMIT 2')).toEqual(['d1', 'd3']);
    expect(ids('')).toEqual(['d0', 'd4', 'd3', 'd1']);
  });
});
