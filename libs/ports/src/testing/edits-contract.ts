import { expect, it } from 'vitest';
import { parseRevId } from '@edgesync/revision';
import { current, edit, rev, store, writeOne, type Stored } from './requests.js';
import { DATABASE, DEFAULT, SENSORS, type StorageUnderTest } from './storage-under-test.js';

type Before = 'no document' | 'a document' | 'a tombstone';
type Expected = 'nothing' | 'the current ID' | 'the current version' | 'an older ID' | 'an unknown ID' | 'no ID at all';

/**
 * The tables of docs/protocol/rest.md#writing-documents (updates) and 6.10 (deletions). A number is the generation that
 * gets stored.
 */
const UPDATES: readonly (readonly [Before, Expected, number | 'missing' | 'conflict'])[] = [
  ['no document', 'nothing', 1],
  ['no document', 'an unknown ID', 'missing'],
  ['a document', 'nothing', 'conflict'],
  ['a document', 'the current ID', 3],
  ['a document', 'the current version', 3],
  ['a document', 'an older ID', 'conflict'],
  ['a document', 'an unknown ID', 'conflict'],
  ['a document', 'no ID at all', 'conflict'],
  ['a tombstone', 'nothing', 4],
  ['a tombstone', 'the current ID', 4],
  ['a tombstone', 'the current version', 4],
  ['a tombstone', 'an older ID', 'conflict'],
];
const DELETIONS: readonly (readonly [Before, Expected, number | 'missing' | 'conflict'])[] = [
  ['no document', 'nothing', 'missing'],
  ['no document', 'an unknown ID', 'missing'],
  ['a document', 'nothing', 'conflict'],
  ['a document', 'the current ID', 3],
  ['a document', 'the current version', 3],
  ['a document', 'an older ID', 'conflict'],
  ['a document', 'an unknown ID', 'conflict'],
  ['a document', 'no ID at all', 'conflict'],
  ['a tombstone', 'nothing', 'missing'],
  ['a tombstone', 'the current ID', 'missing'],
  ['a tombstone', 'the current version', 'missing'],
  ['a tombstone', 'an older ID', 'conflict'],
];

export function describeEdits(under: () => StorageUnderTest): void {
  /** Brings about a state; the document is at generation 2, the tombstone at 3. @returns its revisions, oldest first */
  async function given(before: Before): Promise<Stored[]> {
    const { storage } = under();
    if (before === 'no document') return [];
    const first = await store(storage, edit('pump'));
    const second = await store(storage, edit('pump', { expect: first.rev, body: '{"n":2}' }));
    if (before === 'a document') return [first, second];
    return [first, second, await store(storage, edit('pump', { expect: second.rev, deleted: true }))];
  }

  function named(expected: Expected, revisions: readonly Stored[]): { expect?: string } {
    const last = revisions.at(-1);
    switch (expected) {
      case 'nothing':
        return {};
      case 'the current ID':
        return { expect: last!.rev };
      case 'the current version':
        return { expect: last!.vector.split(/[,;]/)[0]! };
      case 'an older ID':
        return { expect: revisions.at(-2)!.rev };
      case 'an unknown ID':
        return { expect: rev(7, 'd') };
      case 'no ID at all':
        return { expect: 'nonsense' };
    }
  }

  async function check(deleted: boolean, before: Before, expected: Expected, outcome: number | 'missing' | 'conflict') {
    const { storage } = under();
    const revisions = await given(before);
    const stateBefore = await current(storage, 'pump');
    const result = await writeOne(storage, edit('pump', { ...named(expected, revisions), deleted }));
    const stateAfter = await current(storage, 'pump');
    const last = revisions.at(-1);
    if (typeof outcome === 'number') {
      expect(result).toMatchObject({ status: 'stored', sequence: revisions.length + 1 });
      expect(parseRevId((result as Stored).rev).generation).toBe(outcome);
      expect(stateAfter).toMatchObject({ rev: (result as Stored).rev, deleted, sequence: revisions.length + 1 });
      return;
    }
    if (outcome === 'missing')
      expect(result).toEqual({ status: 'missing', id: 'pump', deleted: before === 'a tombstone' });
    else
      expect(result).toEqual({
        status: 'conflict',
        id: 'pump',
        rev: last!.rev,
        vector: last!.vector,
        deleted: before === 'a tombstone',
      });
    expect(stateAfter).toEqual(stateBefore);
  }

  it.each(UPDATES)('an update of %s that names %s: %s', (before, expected, outcome) =>
    check(false, before, expected, outcome),
  );

  it.each(DELETIONS)('a deletion of %s that names %s: %s', (before, expected, outcome) =>
    check(true, before, expected, outcome),
  );

  it('gives every revision a rev-tree ID with the whole ancestry and a version of this database', async () => {
    const { storage } = under();
    const { source } = await storage.describe(DATABASE);
    const [first, second, third] = await given('a tombstone');
    expect(first!.rev).toMatch(/^1-[0-9a-f]{40}$/);
    expect(third!.vector).toMatch(/^[0-9a-f]+@/);
    expect(third!.vector.split('@')[1]).toBe(source);
    expect((await storage.describe(DATABASE)).clock).toBe(third!.vector.split('@')[0]);
    expect(await current(storage, 'pump')).toMatchObject({
      tree: `${third!.rev}!,${second!.rev},${first!.rev}`,
      vector: third!.vector,
      deleted: true,
      body: '{}',
    });
  });

  it('mints the documented rev-tree ID: of the parent, the deletion and the canonical body', async () => {
    const { storage } = under();
    const result = await store(storage, edit('pump', { body: '{"b":1,"a":2}' }));
    const again = await store(storage, edit('pump2', { body: '{"a":2,"b":1}' }));
    // SHA-1 of the bytes 00 00 and {"a":2,"b":1}.
    expect(result.rev).toBe('1-e320c802ca7490c010d313e970cc92e6fa9c60ed');
    expect(again.rev).toBe(result.rev);
  });

  it('applies a batch in order, each request seeing those before it', async () => {
    const { storage } = under();
    const [first] = await storage.write(DATABASE, [edit('pump')]);
    const firstRev = (first as Stored).rev;
    const results = await storage.write(DATABASE, [
      edit('pump', { expect: firstRev, body: '{"n":2}' }),
      edit('pump', { expect: firstRev, body: '{"n":3}' }),
      edit('valve'),
      edit('valve'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['stored', 'conflict', 'stored', 'conflict']);
    expect(await current(storage, 'pump')).toMatchObject({ body: '{"n":2}', sequence: 2 });
  });

  it('skips requests that are at fault and commits the others', async () => {
    const { storage } = under();
    const results = await storage.write(DATABASE, [
      edit('a'),
      edit('_design'),
      edit(''),
      edit('x'.repeat(241)),
      edit('b'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['stored', 'refused', 'refused', 'refused', 'stored']);
    expect(results[1]).toMatchObject({ id: '_design', code: 'doc-id.invalid' });
    const page = await storage.changes(SENSORS, { since: 0, limit: 10 });
    expect(page.rows.map(({ id, sequence }) => [id, sequence])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });

  it('writes several collections in one batch, each with its own sequences', async () => {
    const { storage } = under();
    const results = await storage.write(DATABASE, [edit('a'), edit('a', { keyspace: DEFAULT }), edit('b')]);
    expect(results.map((result) => (result as Stored).sequence)).toEqual([1, 1, 2]);
  });

  it('refuses a batch for keyspaces that are not served or of another database', async () => {
    const { storage } = under();
    const unknown = { ...SENSORS, collection: 'secrets' };
    const foreign = { ...SENSORS, database: 'office' };
    for (const keyspace of [unknown, foreign])
      await expect(storage.write(DATABASE, [edit('a'), edit('b', { keyspace })])).rejects.toMatchObject({
        code: 'keyspace.unknown',
      });
    expect(await current(storage, 'a')).toBeUndefined();
  });

  it('takes an empty batch', async () => {
    expect(await under().storage.write(DATABASE, [])).toEqual([]);
  });

  it.each([
    [
      'numbers beyond doubles',
      '{"i":9007199254740993,"u":18446744073709551615,"f":0.1000000000000000055511151231257827}',
    ],
    ['numbers as they are spelt', '{"a":1.0,"b":1e3,"c":-0,"d":1E-7}'],
    ['escapes and half surrogates', '{"s":"\\ud800 \\u0000 \\" \\\\ \\/"}'],
    ['any plane of Unicode', '{"s":"ÄΩ中𝄞\u2028\u007f"}'],
    ['the order of members', '{"z":1,"a":2,"m":{"y":1,"b":2}}'],
  ])('gives back %s as they were written', async (_, body) => {
    const { storage } = under();
    await store(storage, edit('pump', { body }));
    expect((await current(storage, 'pump'))!.body).toBe(body);
    expect((await storage.list(SENSORS, { limit: 1 })).rows[0]!.body).toBe(body);
    expect((await storage.changes(SENSORS, { since: 0, limit: 1 })).rows[0]!.body).toBe(body);
  });

  it('stores IDs of any characters up to 240 bytes', async () => {
    const { storage } = under();
    const ids = ['~', 'a/b?c#d', 'Ä'.repeat(120), '𝄞'.repeat(60), ' ', 'null', "';--"];
    for (const id of ids) await store(storage, edit(id));
    expect((await storage.read(SENSORS, ids)).map((document) => document?.id)).toEqual(ids);
  });

  it('stores bodies of 20 MB', async () => {
    const { storage } = under();
    const body = `{"s":"${'é'.repeat(10 * 1_024 * 1_024 - 8)}"}`;
    await store(storage, edit('pump', { body }));
    expect((await current(storage, 'pump'))!.body === body).toBe(true);
    const page = await storage.changes(SENSORS, { since: 0, limit: 1, body: false });
    expect(page.rows[0]).toMatchObject({ bodySize: Buffer.byteLength(body) });
  });
}
