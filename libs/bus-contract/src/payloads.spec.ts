import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changedSubject,
  ChangesRequest,
  databaseSubjects,
  decodeMessage,
  encodeMessage,
  FaultReply,
  ListRequest,
  MessageKind,
  nameToken,
  ReadRequest,
  RequestHeader,
  requestSubject,
  RevisionsReply,
  WorkerAnnouncement,
  WriteBatchReply,
  WriteBatchRequest,
  type Content,
  type Message,
  type Write,
} from './index.js';

const sent = ({ meta, bodies }: Content): Message => decodeMessage(encodeMessage(MessageKind.reply, 1, meta, bodies));
const throughJson = (value: object): unknown => JSON.parse(JSON.stringify(value));
const malformed = expect.objectContaining({ code: 'bus.invalid' });

const text = fc.string({ unit: 'grapheme' });
const optional = <T extends object>(value: fc.Arbitrary<T>, keys: (keyof T)[]) =>
  fc.tuple(value, fc.subarray(keys)).map(([full, dropped]) => {
    const some = { ...full };
    for (const key of dropped) delete some[key];
    return some;
  });
const keyspace = fc.constantFrom('sensors', 'events').map((collection) => ({ database: 'db', scope: 's', collection }));
const write: fc.Arbitrary<Write> = fc.oneof(
  optional(
    fc.record({
      type: fc.constant('edit' as const),
      keyspace,
      id: text,
      expect: text,
      deleted: fc.boolean(),
      body: text,
      expiresAt: fc.integer({ min: 0 }),
    }),
    ['expect', 'expiresAt'],
  ) as fc.Arbitrary<Write>,
  optional(
    fc.record({
      type: fc.constant('revision' as const),
      keyspace,
      id: text,
      rev: text,
      history: text,
      closedBranch: text,
      deleted: fc.boolean(),
      body: text,
      onConflict: fc.constantFrom('refuse' as const, 'branch' as const, 'resolve' as const),
    }),
    ['closedBranch'],
  ) as fc.Arbitrary<Write>,
  fc.record({ type: fc.constant('purge' as const), keyspace, id: text }),
);
const row = optional(
  fc.record({
    id: text,
    sequence: fc.nat(),
    rev: text,
    vector: text,
    tree: text,
    deleted: fc.boolean(),
    expiresAt: fc.nat(),
    body: text,
    bodySize: fc.nat(),
  }),
  ['expiresAt', 'bodySize'],
);

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

describe('payloads', () => {
  it('of writes read back as sent', () => {
    fc.assert(
      fc.property(fc.array(write), (writes) => {
        const message = sent({
          meta: WriteBatchRequest.of(writes),
          bodies: writes.map((each) => (each.type === 'purge' ? '' : each.body)),
        });
        expect(WriteBatchRequest.parse(message.meta).writes('db', message)).toEqual(writes);
      }),
    );
  });

  it('of rows read back as sent, gaps included', () => {
    fc.assert(
      fc.property(fc.array(fc.option(row, { nil: undefined })), (rows) => {
        const message = sent(RevisionsReply.content(rows, { more: true }));
        expect(RevisionsReply.rows(message)).toEqual(rows);
        expect(RevisionsReply.more(message)).toBe(true);
      }),
    );
  });

  it('of reads, listings and changes read back as sent', () => {
    const read = new ReadRequest('s', 'c', ['a', 'b'], true);
    expect(ReadRequest.parse(throughJson(read))).toEqual(read);
    const bounds = { startKey: 'a', endKey: 'b', after: 'c', descending: true, skip: 1, limit: 2, body: false };
    const list = new ListRequest('s', 'c', bounds);
    expect(ListRequest.parse(throughJson(list))).toEqual(list);
    const changes = new ChangesRequest('s', 'c', {
      since: 7,
      limit: 2,
      descending: false,
      activeOnly: true,
      ids: ['a'],
      body: true,
    });
    expect(ChangesRequest.parse(throughJson(changes))).toEqual(changes);
  });

  it.each([
    ['a request without a budget', () => RequestHeader.read(sent({ meta: { payload: {} }, bodies: [] }))],
    ['IDs that are not texts', () => ReadRequest.parse({ scope: 's', collection: 'c', ids: [1], body: true })],
    ['a negative sequence', () => ChangesRequest.parse({ scope: 's', collection: 'c', bounds: { since: -1 } })],
    ['a list instead of an object', () => ListRequest.parse([])],
    [
      'a write of no collection of the batch',
      () => WriteBatchRequest.parse({ collections: [], items: [{ collection: 0, id: 'a', deleted: false }] }),
    ],
    [
      'an unknown way to treat conflicts',
      () =>
        WriteBatchRequest.parse({
          collections: [['s', 'c']],
          items: [{ collection: 0, id: 'a', deleted: false, rev: '1-a', history: '', onConflict: 'guess' }],
        }),
    ],
    [
      'fewer bodies than writes',
      () =>
        WriteBatchRequest.parse({
          collections: [['s', 'c']],
          items: [{ collection: 0, id: 'a', deleted: false }],
        }).writes('db', sent({ meta: {}, bodies: [] })),
    ],
    ['an unknown outcome', () => WriteBatchReply.parse({ results: [{ id: 'a', status: 'lost' }] })],
    ['a row of the wrong shape', () => RevisionsReply.rows(sent({ meta: { rows: [['a']] }, bodies: ['{}'] }))],
    ['more bodies than rows', () => RevisionsReply.rows(sent({ meta: { rows: [null] }, bodies: ['{}'] }))],
    [
      'an address without a port',
      () =>
        WorkerAnnouncement.parse(
          sent({ meta: { id: 'a', address: 'host', load: 0, capacity: 1, protocols: [], leaving: false }, bodies: [] }),
        ),
    ],
  ])('refuse %s', (_, parse) => {
    expect(parse).toThrow(malformed);
  });

  it('of any JSON at all are read or refused, and nothing else', () => {
    const parsers = [ReadRequest, ListRequest, ChangesRequest, WriteBatchRequest, WriteBatchReply, FaultReply];
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...parsers), (meta, parser) => {
        try {
          parser.parse(meta);
        } catch (error) {
          expect(error).toEqual(malformed);
        }
      }),
    );
  });
});

describe('a fault', () => {
  it('keeps its code and reason', () => {
    const fault = FaultReply.parse({ code: 'doc.conflict', reason: 'somebody was faster' }).toError();
    expect(fault).toMatchObject({ code: 'doc.conflict', message: 'somebody was faster' });
  });

  it('that this release does not know is told as an internal one', () => {
    const fault = FaultReply.parse({ code: 'toString', reason: 'from the future' }).toError();
    expect(fault).toMatchObject({ code: 'internal', message: 'toString: from the future' });
  });
});
