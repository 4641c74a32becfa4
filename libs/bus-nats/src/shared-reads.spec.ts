import { EdgeError } from '@edgesync/errors';
import type { DocumentRevision } from '@edgesync/ports';
import { describe, expect, it } from 'vitest';
import { SharedReads } from './shared-reads.js';
import { READS_PER_REQUEST } from './tuning.js';

const keyspace = (collection: string) => ({ database: 'plant', scope: '_default', collection });
const LINE = keyspace('line');
const document = (id: string) => ({ id }) as DocumentRevision;

/** Every document exists but those whose ID begins with "no". */
function recording(fail: (ids: readonly string[]) => Error | undefined = () => undefined) {
  const requests: string[][] = [];
  const reads = new SharedReads(async ({ collection }, ids) => {
    requests.push([collection, ...ids]);
    const error = fail(ids);
    if (error) throw error;
    return ids.map((id) => (id.startsWith('no') ? undefined : document(id)));
  });
  return { reads, requests };
}

describe('reads of single documents', () => {
  it('of one turn share a request for each keyspace, and each gets its own document', async () => {
    const { reads, requests } = recording();
    const found = await Promise.all([
      reads.read(LINE, 'a'),
      reads.read(keyspace('other'), 'b'),
      reads.read({ ...LINE }, 'none'),
      Promise.resolve().then(() => reads.read(LINE, 'a')),
    ]);
    expect(found.map((each) => each?.id)).toEqual(['a', 'b', undefined, 'a']);
    expect(requests).toEqual([
      ['line', 'a', 'none', 'a'],
      ['other', 'b'],
    ]);
  });

  it('of a later turn are not answered with what was read before', async () => {
    const { reads, requests } = recording();
    await reads.read(LINE, 'a');
    await reads.read(LINE, 'a');
    expect(requests).toHaveLength(2);
  });

  it('are spread over several requests when they are many', async () => {
    const { reads, requests } = recording();
    const ids = Array.from({ length: READS_PER_REQUEST * 2 + 1 }, (_, index) => `doc${index}`);
    const found = await Promise.all(ids.map((id) => reads.read(LINE, id)));
    expect(found.map((each) => each?.id)).toEqual(ids);
    expect(requests.map(({ length }) => length - 1)).toEqual([READS_PER_REQUEST, READS_PER_REQUEST, 1]);
  });

  it('all fail when storage is away, with one request', async () => {
    const { reads, requests } = recording(() => new EdgeError('storage.unavailable'));
    const results = await Promise.allSettled([reads.read(LINE, 'a'), reads.read(LINE, 'b')]);
    for (const result of results) expect(result).toMatchObject({ reason: { code: 'storage.unavailable' } });
    expect(requests).toHaveLength(1);
  });

  it('fail alone when only their document is damaged', async () => {
    const { reads } = recording((ids) => (ids.includes('bad') ? new EdgeError('storage.corrupt') : undefined));
    const results = await Promise.allSettled(['a', 'bad', 'b'].map((id) => reads.read(LINE, id)));
    expect(results).toMatchObject([
      { value: { id: 'a' } },
      { reason: { code: 'storage.corrupt' } },
      { value: { id: 'b' } },
    ]);
  });
});
