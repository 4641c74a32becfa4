import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changedSubject,
  databaseSubjects,
  decodeMessage,
  encodeMessage,
  ErrorReply,
  frameMessage,
  MessageKind,
  nameToken,
  readFrames,
  RequestHeader,
  requestSubject,
  STORAGE_OPERATIONS,
  WorkerAnnouncement,
  type Content,
  type Message,
  type RequestCodec,
  type ReplyCodec,
} from './index.js';

const sent = ({ meta, bodies }: Content): Message => decodeMessage(encodeMessage(MessageKind.reply, 1, meta, bodies));
const malformed = expect.objectContaining({ code: 'bus.invalid' });
const received = (content: Content, operation = 'operation') => {
  const message = sent(content);
  return { operation, database: 'db', meta: message.meta, message };
};

const text = fc.string({ unit: 'grapheme' });
const count = fc.nat();
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
/** Of records, with members left out that are undefined. */
const record = <T>(members: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
  fc.record(members).map((value) => Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T);

const keyspace = fc.constantFrom('sensors', 'events').map((collection) => ({ database: 'db', scope: 's', collection }));
const target = { keyspace, id: text };
const write = fc.oneof(
  record({
    ...target,
    type: fc.constant('edit' as const),
    expect: maybe(text),
    deleted: fc.boolean(),
    body: text,
    expiresAt: maybe(count),
  }),
  record({
    ...target,
    type: fc.constant('revision' as const),
    rev: text,
    history: text,
    closedBranch: maybe(text),
    deleted: fc.boolean(),
    body: text,
    onConflict: fc.constantFrom('refuse' as const, 'branch' as const, 'resolve' as const),
  }),
  record({ ...target, type: fc.constant('purge' as const) }),
);
const named = { id: text, rev: text, vector: text };
const written = { ...named, vector: maybe(text), sequence: count };
const writeResult = fc.oneof(
  record({
    ...written,
    status: fc.constant('stored' as const),
    resolved: maybe(fc.constantFrom('local' as const, 'remote' as const)),
  }),
  record({ ...written, status: fc.constant('known' as const) }),
  record({ ...named, status: fc.constant('conflict' as const), deleted: fc.boolean() }),
  record({ id: text, status: fc.constant('purged' as const) }),
  record({ id: text, status: fc.constant('missing' as const), deleted: fc.boolean() }),
  record({
    id: text,
    status: fc.constant('refused' as const),
    code: fc.constantFrom('doc-id.invalid' as const, 'blob.missing' as const),
    reason: text,
  }),
);
const revisionMembers = {
  ...named,
  sequence: count,
  tree: text,
  deleted: fc.boolean(),
  expiresAt: maybe(count),
};
const revision = record({ ...revisionMembers, body: text });
const change = record({ ...revisionMembers, body: text, bodySize: count, blobs: maybe(fc.boolean()) });
const collection = record({ scope: text, collection: text, documents: count, lastSequence: count });
const blob = record({ digest: text, length: count });

const statement = record({ keyspace, statement: text, parameters: maybe(text), timeLimit: maybe(count) });
const plan = { plan: fc.array(text), hints: fc.array(text) };

type Table = typeof STORAGE_OPERATIONS;
type RequestOf<Row> = Row extends { request: RequestCodec<infer Request> } ? Request : never;
/** Samples of what an operation answers. */
type Replies<Row> = Row extends { kind: 'value'; reply: ReplyCodec<infer Reply, never> }
  ? { readonly reply: fc.Arbitrary<Reply> }
  : Row extends { kind: 'stream'; item: ReplyCodec<infer Item>; end: ReplyCodec<infer End> }
    ? { readonly item: fc.Arbitrary<Item>; readonly end: fc.Arbitrary<End> }
    : object;

/** Requests and replies of every operation. Rows have bodies, as their requests ask for. */
const SAMPLES: {
  readonly [Name in keyof Table]: {
    readonly request: fc.Arbitrary<RequestOf<Table[Name]>>;
  } & Replies<Table[Name]>;
} = {
  describe: {
    request: record({}),
    reply: record({
      name: text,
      path: text,
      uuid: text,
      source: text,
      clock: text,
      collections: fc.array(collection),
    }),
  },
  collection: { request: record({ keyspace }), reply: collection },
  read: {
    request: record({ keyspace, ids: fc.array(text), body: fc.constant(true) }),
    reply: fc.array(maybe(revision)),
  },
  readRevision: { request: record({ keyspace, id: text, rev: text }), reply: maybe(revision) },
  list: {
    request: record({
      keyspace,
      startKey: maybe(text),
      endKey: maybe(text),
      after: maybe(text),
      descending: fc.boolean(),
      skip: count,
      limit: count,
      body: fc.constant(true),
    }),
    reply: record({ rows: fc.array(revision), more: fc.boolean() }),
  },
  changes: {
    request: record({
      keyspace,
      since: count,
      limit: count,
      descending: fc.boolean(),
      activeOnly: fc.boolean(),
      ids: maybe(fc.array(text)),
      body: fc.constant(true),
      utf8: fc.constant(false),
    }),
    reply: record({ rows: fc.array(change), scanned: count, more: fc.boolean(), lastSequence: count }),
  },
  write: { request: fc.array(write), reply: fc.array(writeResult) },
  loadCheckpoint: { request: record({ keyspace, client: text }), reply: maybe(record({ rev: text, body: text })) },
  saveCheckpoint: { request: record({ keyspace, client: text, rev: text, body: text }), reply: text },
  putBlob: { request: record({ digest: maybe(text), length: maybe(count), limit: maybe(count) }), reply: blob },
  openBlob: { request: record({ digest: text }), reply: maybe(blob) },
  readBlob: { request: record({ digest: text, start: count, end: count }) },
  missingBlobs: { request: record({ digests: fc.array(text) }), reply: fc.array(text) },
  query: {
    request: statement,
    item: record({ rows: count, json: text }),
    end: record({ ...plan, rows: count, rowsRead: count, seconds: fc.double({ min: 0, noNaN: true, max: 1e6 }) }),
  },
  explain: { request: statement, reply: record(plan) },
  indexes: {
    request: record({}),
    reply: fc.array(
      record({
        name: text,
        collection: record({ scope: text, collection: text }),
        type: fc.constantFrom('value' as const, 'array' as const, 'fulltext' as const),
        state: fc.constantFrom('building' as const, 'ready' as const, 'failed' as const),
        done: count,
        total: count,
        reason: maybe(text),
      }),
    ),
  },
};

describe('subjects', () => {
  it('start with the contract and spell names as single tokens', () => {
    expect(requestSubject('my db', 'read')).toBe('edge.v1.db.my=20db.read');
    expect(databaseSubjects('plant')).toBe('edge.v1.db.plant.');
    expect(changedSubject({ database: 'a*>', scope: '_default', collection: 'x%y' })).toBe(
      'edge.v1.changed.a=2a=3e._default.x=25y',
    );
  });

  it('are different for different names, and free of wildcards and dots', () => {
    const name = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(nameToken(a)).toMatch(/^[A-Za-z0-9_=-]*$/);
        expect(nameToken(a) === nameToken(b)).toBe(a === b);
      }),
    );
  });
});

describe.each(Object.values(STORAGE_OPERATIONS))('the operation $name', (operation) => {
  const samples = SAMPLES[operation.name as keyof Table] as unknown as Readonly<Record<string, fc.Arbitrary<unknown>>>;
  const request = operation.request as RequestCodec<unknown>;
  const replies = Object.entries(operation).filter(([name]) => name in samples && name !== 'request');

  it('sends every request and reply as it is', () => {
    fc.assert(
      fc.property(samples['request']!, (value) => {
        expect(request.decode(received(request.encode(value)))).toEqual(value);
      }),
    );
    for (const [name, codec] of replies as [string, ReplyCodec<unknown>][])
      fc.assert(
        fc.property(samples['request']!, samples[name]!, (asked, value) => {
          expect(codec.decode(sent(codec.encode(value)), asked)).toEqual(value);
        }),
      );
  });

  it('reads or refuses any metadata, with any bodies', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(text), samples['request']!, (meta, bodies, asked) => {
        for (const decode of [
          () => request.decode(received({ meta, bodies })),
          ...replies.map(
            ([, codec]) =>
              () =>
                (codec as ReplyCodec<unknown>).decode(sent({ meta, bodies }), asked),
          ),
        ])
          try {
            decode();
          } catch (error) {
            expect(error).toEqual(malformed);
          }
      }),
    );
  });
});

describe('a stream of messages', () => {
  it('reads back as written, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        async (metas, size) => {
          const frames = metas.map((meta) => frameMessage(encodeMessage(MessageKind.reply, 1, meta)));
          const bytes = Buffer.concat(frames);
          const cut = async function* (until: number): AsyncGenerator<Uint8Array> {
            for (let from = 0; from < until; from += size) yield bytes.subarray(from, Math.min(from + size, until));
          };
          const readUntil = async (until: number): Promise<unknown[]> => {
            const read: unknown[] = [];
            for await (const { meta } of readFrames(cut(until))) read.push(meta);
            return read;
          };
          const expected = metas.map((meta) => JSON.parse(JSON.stringify(meta)) as unknown);
          expect(await readUntil(bytes.byteLength)).toEqual(expected);
          if (bytes.byteLength > 0) await expect(readUntil(bytes.byteLength - 1)).rejects.toEqual(malformed);
        },
      ),
    );
  });
});

describe('payloads', () => {
  const { changes, list, read, write } = STORAGE_OPERATIONS;
  const item = { type: 'edit', collection: 0, id: 'a', deleted: false };
  const collections = [['s', 'c']];
  const asked = { keyspace: { database: 'db', scope: 's', collection: 'c' }, ids: ['a'], body: true };
  const decode = (codec: RequestCodec<unknown>, meta: unknown, bodies: string[] = []) =>
    codec.decode(received({ meta, bodies }, 'op'));

  const page = { scanned: 1, more: false, lastSequence: 1 };
  const pageRequest = fc.sample(SAMPLES.changes.request, 1)[0]!;

  it('leave bodies of changes in UTF-8 for readers that ask for it', () => {
    const row = { ...fc.sample(change, 1)[0]!, body: 'grün' };
    const message = sent(changes.reply.encode({ ...page, rows: [row] }));
    const { rows } = changes.reply.decode(message, { ...pageRequest, utf8: true });
    expect(rows).toEqual([{ ...row, body: new TextEncoder().encode('grün') }]);
  });

  it('distinguish an empty body from one that was not asked for', () => {
    for (const bare of fc.sample(record(revisionMembers), 10))
      for (const row of [bare, { ...bare, body: '' }]) {
        const body = 'body' in row;
        const revisions = sent(read.reply.encode([row, undefined]));
        expect(read.reply.decode(revisions, { ...asked, body })).toStrictEqual([row, undefined]);
        const logRow = { ...row, bodySize: 0 };
        const log = sent(changes.reply.encode({ ...page, rows: [logRow] }));
        expect(changes.reply.decode(log, { ...pageRequest, body }).rows).toStrictEqual([logRow]);
        for (const [message, reply, request] of [
          [revisions, read.reply, asked],
          [log, changes.reply, pageRequest],
        ] as const)
          expect(() => (reply as ReplyCodec<unknown>).decode(message, { ...request, body: !body })).toThrow(malformed);
      }
  });

  it.each<[string, string | RegExp, () => unknown]>([
    [
      'a request without a budget',
      'request.budget is missing',
      () => RequestHeader.read(sent({ meta: { payload: {} }, bodies: [] })),
    ],
    [
      'IDs that are not strings',
      'op.ids.0: expected string',
      () => decode(read.request, { scope: 's', collection: 'c', ids: [1], body: true }),
    ],
    [
      'a negative sequence',
      'op.since: expected >=0',
      () => decode(changes.request, { scope: 's', collection: 'c', since: -1 }),
    ],
    ['a list instead of an object', 'op.scope is missing', () => decode(list.request, [])],
    [
      'a write of no collection of the batch',
      /no collection/,
      () => decode(write.request, { collections: [], items: [item] }, ['{}']),
    ],
    [
      'an unknown way to treat conflicts',
      /^op.items.0.onConflict: expected/,
      () =>
        decode(write.request, {
          collections,
          items: [{ ...item, type: 'revision', rev: '1-a', history: '', onConflict: 'guess' }],
        }),
    ],
    ['fewer bodies than writes', /bodies/, () => decode(write.request, { collections, items: [item] })],
    ['more bodies than writes', /bodies/, () => decode(write.request, { collections, items: [item] }, ['{}', '{}'])],
    [
      'an unknown outcome',
      /^write results.0.status: expected/,
      () => write.reply.decode(sent({ meta: [{ id: 'a', status: 'lost' }], bodies: [] }), []),
    ],
    [
      'a row of the wrong shape',
      'revisions.rows.0.1 is missing',
      () => read.reply.decode(sent({ meta: { rows: [['a']] }, bodies: ['{}'] }), asked),
    ],
    [
      'more bodies than rows',
      /bodies/,
      () => read.reply.decode(sent({ meta: { rows: [null] }, bodies: ['{}'] }), asked),
    ],
    [
      'an address without a port',
      /^announcement.address: expected/,
      () =>
        WorkerAnnouncement.parse(
          sent({ meta: { id: 'a', address: 'host', load: 0, capacity: 1, protocols: [], leaving: false }, bodies: [] }),
        ),
    ],
  ])('refuse %s', (_, message, parse) => {
    expect(parse).toThrow(malformed);
    expect(parse).toThrow(message);
  });
});

describe('an error', () => {
  it('keeps its code and reason', () => {
    const error = ErrorReply.parse({ code: 'doc.conflict', reason: 'somebody was faster' }).toError();
    expect(error).toMatchObject({ code: 'doc.conflict', message: 'somebody was faster' });
  });

  it('that this release does not have becomes an internal one', () => {
    const error = ErrorReply.parse({ code: 'toString', reason: 'from the future' }).toError();
    expect(error).toMatchObject({ code: 'internal', message: 'toString: from the future' });
  });
});
