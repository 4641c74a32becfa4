import type { IndexConfig } from '@edgesync/config';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  answerOf,
  collectionName,
  faultOf,
  GOLDEN_DATABASE,
  goldenContext,
  goldenDatabase,
  readGoldenLine,
  readLines,
  TEXT_INDEXES,
  type Answer,
  type GoldenCase,
} from '@edgesync/query/testing';
import {
  copyInto,
  indexesBuilt,
  indexEverything,
  openQueriedStorage,
  rowsOf,
  type QueriedStorage,
} from '../testing/queried-storage.js';

/** The full-text indexes of the cases, as a configuration has them. */
function textIndexes(): Map<string, IndexConfig> {
  return new Map(
    Object.entries(TEXT_INDEXES).map(([name, { properties, ...options }]): [string, IndexConfig] => [
      name,
      {
        collection: collectionName('text'),
        type: 'fulltext',
        expressions: properties,
        ignoreAccents: false,
        disableStemming: false,
        ...options,
        ...('where' in options ? { where: "lang = 'en'" } : {}),
      } as IndexConfig,
    ]),
  );
}

/** Cases whose answer is not ours, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'compare-043': 'the engine rounds some float literals to seven digits; 9007199254740992.0 is that number',
  'in-026': 'the engine finds 9 in [9.5]',
};

describe.each([
  ['with full-text indexes only', textIndexes()],
  ['with an index on every property', new Map([...textIndexes(), ...indexEverything(goldenDatabase())])],
])('statements over stored documents answered as the engine answers them, %s', (_, indexes) => {
  let subject: QueriedStorage;
  beforeAll(async () => {
    const { collections } = goldenContext('');
    subject = await openQueriedStorage({ name: GOLDEN_DATABASE, collections: collections as [], indexes });
    await copyInto(subject.storage, GOLDEN_DATABASE, goldenDatabase());
    await indexesBuilt(subject.storage, GOLDEN_DATABASE);
  });
  afterAll(() => subject.close());

  async function answer({ ks, query }: GoldenCase, parameters: string | undefined): Promise<Answer> {
    const keyspace = { database: GOLDEN_DATABASE, ...collectionName(ks) };
    try {
      return { rows: await rowsOf(subject.storage, keyspace, query, parameters === undefined ? {} : { parameters }) };
    } catch (error) {
      return answerOf(error);
    }
  }

  test.each(readLines('cases.jsonl').map((line) => [(JSON.parse(line) as GoldenCase).id, line] as const))(
    '%s',
    async (__, line) => {
      const golden = JSON.parse(line) as GoldenCase;
      if (golden.id in OTHERWISE) return;
      const expected = readGoldenLine(line);
      expect(faultOf(golden, expected, await answer(golden, expected.params)), golden.query).toBeUndefined();
    },
  );
});
