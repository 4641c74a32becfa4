import { describe, expect, it } from 'vitest';
import type { DocumentRevision, Storage } from '@edgesync/ports';
import { FIRST_READ_ROWS, LIST_PAGE_ROWS } from '../tuning.js';
import { keyPages } from './document-pages.js';
import { ListingParameters, readListingRequest } from './listing-parameters.js';

const KEYSPACE = { database: 'db', scope: '_default', collection: '_default' };

/** How many documents are read at a time of a listing by keys, whose bodies are that long. */
async function readsOf(keys: number, bodyLength: number, include_docs = true): Promise<number[]> {
  const reads: number[] = [];
  const read = async (_: unknown, ids: readonly string[]): Promise<readonly DocumentRevision[]> => {
    reads.push(ids.length);
    return ids.map((id) => ({ id, body: ' '.repeat(bodyLength), deleted: false }) as DocumentRevision);
  };
  const listed: string[] = [];
  const names = Array.from({ length: keys }, (_, n) => `d${n}`);
  const parameters = Object.assign(new ListingParameters(), { keys: names, include_docs });
  const request = readListingRequest(parameters, false);
  for await (const page of keyPages({ read } as unknown as Storage, KEYSPACE, request))
    listed.push(...page.map(({ id }) => id));
  expect(listed).toEqual(names);
  return reads;
}

describe('documents listed by their keys', () => {
  it('are read one by one if they are large, and many at a time if they are small', async () => {
    expect(await readsOf(20, 5_000_000)).toEqual([FIRST_READ_ROWS, 1, 1, 1, 1]);
    expect(await readsOf(40, 99_999)).toEqual([FIRST_READ_ROWS, 10, 10, 4]);
    expect(await readsOf(FIRST_READ_ROWS + LIST_PAGE_ROWS + 1, 10)).toEqual([FIRST_READ_ROWS, LIST_PAGE_ROWS, 1]);
  });

  it('are read many at a time if no bodies are wanted', async () => {
    expect(await readsOf(LIST_PAGE_ROWS + 1, 0, false)).toEqual([LIST_PAGE_ROWS, 1]);
  });
});
