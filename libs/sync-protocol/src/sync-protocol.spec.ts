import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { type BlipMessage, MessageType, Properties, type RequestInit } from '@edgesync/blip';
import {
  buildCaughtUp,
  buildChanges,
  buildChangesReply,
  buildCollectionsReply,
  buildGetAttachment,
  buildGetCheckpoint,
  buildGetCollections,
  buildNoRev,
  buildProposeChanges,
  buildProposeReply,
  buildProveAttachment,
  buildRev,
  buildSetCheckpoint,
  buildSubChanges,
  chooseVersion,
  encodeChangeRows,
  isCompressible,
  isEmptyList,
  isTransient,
  parseChanges,
  parseChangesReply,
  parseCollectionsReply,
  parseGetAttachment,
  parseGetCheckpoint,
  parseGetCollections,
  parseNoRev,
  parseProposeChanges,
  parseProposeReply,
  parseProveAttachment,
  parseRev,
  parseSetCheckpoint,
  parseSubChanges,
  parseSubprotocols,
  proofPrefix,
  readBoolean,
  readCollectionIndex,
  readReceiverOptions,
  resumePoint,
  revisionKindOf,
  sequenceProperty,
  sequenceText,
  wantsFullBody,
} from './index.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (body: unknown): string => new TextDecoder().decode(body as Uint8Array);

/** A request as its receiver gets it. */
function received({ properties, body = new Uint8Array(0) }: RequestInit): BlipMessage {
  return {
    type: MessageType.request,
    number: 1,
    properties,
    body: body as Uint8Array,
    urgent: false,
    noReply: false,
    compressed: false,
  };
}

const message = (properties: Record<string, string>, body = ''): BlipMessage =>
  received({ properties: Properties.from(properties), body: bytes(body) });
const reply = (body: string) => ({ properties: Properties.of(), body: bytes(body) });

describe('properties', () => {
  it.each(['1', 'true', 'TRUE', 'True', 'yes', 'YES', '7', '-1', '01', '+2'])('S1 %s is true', (value) => {
    expect(readBoolean(Properties.of('flag', value), 'flag')).toBe(true);
  });

  it.each(['0', 'false', 'no', '', 'x', '00', '1.5', 'truely'])('S1 %j is false', (value) => {
    expect(readBoolean(Properties.of('flag', value), 'flag')).toBe(false);
    expect(readBoolean(Properties.of(), 'flag')).toBe(false);
  });

  it.each([
    ['0', 0],
    ['17', 17],
    [undefined, undefined],
  ])('S2 collection %s is %s', (value, index) => {
    expect(readCollectionIndex(Properties.from({ collection: value }))).toBe(index);
  });

  it.each(['-1', '', 'x', '1.0', '1e3', ' 1', '99999999999'])('S2 collection %j is refused', (value) => {
    expect(() => readCollectionIndex(Properties.of('collection', value))).toThrow('not an index');
  });
});

describe('sub-protocols', () => {
  it('S3 are chosen in the order of the client', () => {
    expect(chooseVersion(['BLIP_3+CBMobile_4', 'BLIP_3+CBMobile_3'])).toBe(4);
    expect(chooseVersion(['BLIP_3+CBMobile_3', 'BLIP_3+CBMobile_4'])).toBe(3);
    expect(chooseVersion(['BLIP_4', 'BLIP_3+CBMobile_2'])).toBe(2);
    expect(chooseVersion(['BLIP_3', 'BLIP_3+CBMobile_33'])).toBeUndefined();
  });

  // docs/protocol/connection.md#one-time-sessions
  it('S3 are distinguished from a one-time session', () => {
    expect(parseSubprotocols(' a ,, SyncGatewaySession_0123,b')).toEqual({ tokens: ['a', 'b'], session: '0123' });
    expect(parseSubprotocols(undefined)).toEqual({ tokens: [] });
  });

  it('S4 imply the kind of revision IDs unless the client declares it', () => {
    expect(([2, 3, 4] as const).map((version) => revisionKindOf(version, undefined))).toEqual([
      'tree',
      'tree',
      'vector',
    ]);
    expect(revisionKindOf(4, 'rev-trees')).toBe('tree');
    expect(revisionKindOf(3, 'version-vectors')).toBe('vector');
    expect(revisionKindOf(4, 'something new')).toBe('vector');
  });
});

describe('sequences', () => {
  it.each([
    ['5', '5'],
    ['"7:9"', '"7:9"'],
    ['7:9', '"7:9"'],
    [' 5 ', '5'],
    ['"5"', '"5"'],
    ['null', '"null"'],
  ])('S5 the property %s is %s', (property, expected) => {
    expect(sequenceProperty(property)).toBe(expected);
  });

  it('S5 of a row and of a property are equal if the peer meant the same', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.string()), (sequence) => {
        const fromRow = sequenceText(JSON.parse(JSON.stringify(sequence)))!;
        expect(sequenceProperty(JSON.stringify(sequence))).toBe(fromRow);
        expect(sequenceProperty(fromRow)).toBe(fromRow);
      }),
    );
    expect([null, undefined, true, {}, []].map(sequenceText)).toEqual(Array(5).fill(undefined));
  });

  // docs/protocol/checkpoints.md#sequences
  it.each([
    ['5', 5],
    ['"5"', 5],
    ['0', 0],
    [undefined, 0],
    ['', 0],
    ['7:9', 0],
    ['-5', 0],
    ['5.5', 0],
    ['null', 0],
  ])('S6 since %s resumes our feed after %i', (since, place) => {
    expect(resumePoint(since)).toBe(place);
  });
});

describe('getCollections', () => {
  const request = {
    collections: [
      { text: '_default', name: { scope: '_default', collection: '_default' }, checkpointId: 'cp-a=' },
      { text: 'coll', name: { scope: '_default', collection: 'coll' }, checkpointId: 'cp-b+/=' },
      { text: 's.c', name: { scope: 's', collection: 'c' }, checkpointId: '' },
    ],
    uuid: '1f427c48-0c82-4a34-a313-e3f1338350ad',
  };

  it('S7 is read as it is written', () => {
    expect(parseGetCollections(received(buildGetCollections(request)))).toEqual(request);
  });

  it('S7 keeps a name that can be none of ours', () => {
    const { collections } = parseGetCollections(message({}, '{"collections":["a.b.c"],"checkpoint_ids":["x"]}'));
    expect(collections).toEqual([{ text: 'a.b.c', name: undefined, checkpointId: 'x' }]);
  });

  it.each([
    [{ uuid: 'u'.repeat(65) }, 'cp'],
    [{}, 'c'.repeat(513)],
  ])('S7 names of clients that are too long are refused: case %#', (properties, id) => {
    const request = message(
      properties as Record<string, string>,
      JSON.stringify({ collections: ['_default'], checkpoint_ids: [id] }),
    );
    expect(() => parseGetCollections(request)).toThrow('too long');
  });

  it('S8 the reply leaves the bytes of a checkpoint alone behind its revision', () => {
    const { body } = buildCollectionsReply([
      undefined,
      null,
      { rev: '0-1', body: ' { "n":1.0}' },
      { rev: '0-2', body: '{}' },
    ]);
    expect(text(body)).toBe('[null,{},{"rev":"0-1","_rev":"0-1", "n":1.0},{"rev":"0-2","_rev":"0-2"}]');
  });

  it('S8 the reply of any server is understood: rev, _rev, neither', () => {
    const entries = parseCollectionsReply(bytes('[null,{},{"rev":"1-cc","a":1},{"_rev":"0-3","_id":"x"},{"a":1}]'));
    expect(entries).toEqual([
      undefined,
      null,
      { rev: '1-cc', body: '{"a":1}' },
      { rev: '0-3', body: '{"_id":"x"}' },
      { rev: '', body: '{"a":1}' },
    ]);
    expect(() => parseCollectionsReply(bytes('{}'))).toThrow('no array');
  });
});

describe('checkpoints', () => {
  it('S9 are read as they are written', () => {
    const checkpoint = { client: 'cp-+/=', rev: '', body: '{"a":1.50}' };
    const request = buildSetCheckpoint(checkpoint, '3');
    expect(request.properties.toRecord()).toMatchObject({ collection: '3', rev: '' });
    expect(parseSetCheckpoint(received(request))).toEqual(checkpoint);
    expect(parseGetCheckpoint(received(buildGetCheckpoint('cp')))).toBe('cp');
  });

  it('S9 without rev begin one', () => {
    expect(parseSetCheckpoint(message({ client: 'c' }, '{}')).rev).toBe('');
  });
});

describe('subChanges', () => {
  it('S10 is read as it is written', () => {
    const init = {
      since: '"7:9"',
      continuous: true,
      batch: 200,
      activeOnly: true,
      docIds: ['a'],
      revocations: true,
    } as const;
    const request = buildSubChanges({ ...init, versioning: 'rev-trees' }, '0');
    expect(parseSubChanges(received(request))).toMatchObject({
      ...init,
      versioning: 'rev-trees',
      sendReplacementRevs: true,
    });
  });

  it('S10 reads what Couchbase Lite sends', () => {
    const properties = {
      continuous: 'true',
      batch: '200',
      sendReplacementRevs: '1',
      versioning: 'rev-trees',
      revocations: 'true',
    };
    expect(parseSubChanges(message(properties))).toEqual({
      since: undefined,
      continuous: true,
      batch: 200,
      activeOnly: false,
      docIds: undefined,
      filter: undefined,
      channels: undefined,
      revocations: true,
      versioning: 'rev-trees',
      sendReplacementRevs: true,
      future: false,
      fromGateway: false,
    });
  });

  it.each(['false', 'no', '0', ''])('S10 is not continuous with %j', (continuous) => {
    expect(parseSubChanges(message({ continuous })).continuous).toBe(false);
  });

  it.each(['{"docIDs":{}}', '{"docIDs":[1]}', '{', '\xff'])('S10 refuses the body %s', (body) => {
    expect(() => parseSubChanges(message({}, body))).toThrow();
  });

  it.each(['null', '{}', '{"docIDs":null}'])('S10 takes the body %s for no list', (body) => {
    expect(parseSubChanges(message({}, body)).docIds).toBeUndefined();
  });
});

describe('changes', () => {
  const rows = [
    { sequence: 5, id: 'doc "1"', rev: '1-aa', deleted: false, bodySize: 17 },
    { sequence: 6, id: 'dø', rev: '18ea@H0J8SAyCSjSjE+PxM4NQrQ', deleted: true, bodySize: 2 },
  ];

  // docs/protocol/replication.md#differences-by-sub-protocol
  it('S11 have a boolean in protocol 2 and a bit mask later', () => {
    const head = '[[5,"doc \\"1\\"","1-aa",';
    expect(text(encodeChangeRows(rows, 2))).toBe(`${head}false,17],[6,"dø","18ea@H0J8SAyCSjSjE+PxM4NQrQ",true,2]]`);
    expect(text(encodeChangeRows(rows, 3))).toBe(`${head}0,17],[6,"dø","18ea@H0J8SAyCSjSjE+PxM4NQrQ",1,2]]`);
  });

  it('S11 are read as they are written, in every form', () => {
    for (const version of [2, 3, 4] as const) {
      const request = buildChanges(encodeChangeRows(rows, version), '1', true);
      expect(parseChanges(received(request))).toEqual({
        ignoreNoConflicts: true,
        rows: rows.map(({ sequence, id, rev, deleted, bodySize }) => ({
          bodySize,
          sequence: String(sequence),
          id,
          rev,
          deleted,
          revoked: false,
        })),
      });
    }
  });

  it.each([
    [undefined, false, false],
    [0, false, false],
    [1, true, false],
    [2, false, true],
    [3, true, true],
    [4, false, true],
    [5, true, false],
    [6, false, true],
    [7, true, true],
    [true, true, false],
    [false, false, false],
  ])('S12 flags %s mean deleted %s, revoked %s', (flags, deleted, revoked) => {
    const row = flags === undefined ? ['"7:9"', 'a', '1-aa'] : ['"7:9"', 'a', '1-aa', flags];
    const [parsed] = parseChanges(message({}, JSON.stringify([row]))).rows;
    expect(parsed).toMatchObject({ deleted, revoked });
  });

  it.each(['[]', '[ ]', 'null', ''])('S13 %j is the empty list', (body) => {
    expect(isEmptyList(bytes(body))).toBe(true);
    expect(parseChanges(message({}, body)).rows).toEqual([]);
  });

  it('S13 the caught-up marker is one', () => {
    const marker = buildCaughtUp('0');
    expect([isEmptyList(marker.body as Uint8Array), marker.urgent]).toEqual([true, true]);
    expect(isEmptyList(bytes('[0]'))).toBe(false);
  });

  it.each(['[1]', '{}', '[[1]]', '[[1,"",""]]', '[[1,"a"]]', '[[1,2,"1-aa"]]', 'x'])(
    'S14 refuses %s as a whole',
    (body) => {
      expect(() => parseChanges(message({}, body))).toThrow();
    },
  );

  // docs/protocol/replication.md#reply-to-changes
  it('S15 a reply may be short, and holds numbers, nulls and lists', () => {
    expect(parseChangesReply(reply('[0,null,[],["a",null,"b"],409]'))).toEqual([
      undefined,
      undefined,
      [],
      ['a', 'b'],
      undefined,
    ]);
    expect(parseChangesReply(reply(''))).toEqual([]);
    expect(() => parseChangesReply(reply('{}'))).toThrow();
  });

  it('S15 a reply is written in full length', () => {
    const options = { maxHistory: 50, blobs: true, deltas: true, sendReplacementRevs: false };
    const built = buildChangesReply([undefined, [], ['1-aa'], undefined], options);
    expect(text(built.body)).toBe('[0,[],["1-aa"],0]');
    expect(readReceiverOptions(built.properties!)).toEqual(options);
  });
});

describe('proposeChanges', () => {
  it('S16 is read as it is written; a parent is always a string', () => {
    const request = buildProposeChanges([
      { id: 'a', rev: '2-bb', parent: '1-aa', bodySize: 5 },
      { id: 'b', rev: '1-aa', parent: '' },
    ]);
    expect(text(request.body)).toBe('[["a","2-bb","1-aa",5],["b","1-aa",""]]');
    expect(parseProposeChanges(received(request))).toEqual({
      rows: [
        { id: 'a', rev: '2-bb', parent: '1-aa' },
        { id: 'b', rev: '1-aa', parent: '' },
      ],
      conflictIncludesRev: true,
    });
    expect(
      parseProposeChanges(message({}, '[["a","1-aa"],["a","1-aa",null,7]]')).rows.map(({ parent }) => parent),
    ).toEqual(['', '']);
  });

  // docs/protocol/replication.md#reply-to-proposechanges
  it('S17 names revisions in a reply only to who asked', () => {
    const answers = [{ status: 0 }, { status: 409, rev: '2-bb' }, { status: 304 }];
    const options = { blobs: true, deltas: true, sendReplacementRevs: true };
    expect(text(buildProposeReply(answers, true, options).body)).toBe('[0,{"status":409,"rev":"2-bb"},304]');
    expect(text(buildProposeReply(answers, false, options).body)).toBe('[0,409,304]');
  });

  it('S17 a short reply accepts the rest, a long one says no more', () => {
    expect(parseProposeReply(reply('[304,{"status":409,"rev":"r"},null]'), 5)).toEqual([
      { status: 304 },
      { status: 409, rev: 'r' },
      { status: 0 },
      { status: 0 },
      { status: 0 },
    ]);
    expect(parseProposeReply(reply('[0,0,0]'), 1)).toEqual([{ status: 0 }]);
    expect(parseProposeReply(reply(''), 1)).toEqual([{ status: 0 }]);
  });
});

describe('rev', () => {
  it('S18 is read as it is written, absent properties left out', () => {
    const init = {
      id: 'doc',
      rev: '2-bb',
      sequence: '"7:9"',
      history: '1-aa',
      deleted: true,
      noConflicts: true,
      deltaSrc: '1-aa',
    };
    const request = buildRev(init, bytes('{}'), '0');
    expect(parseRev(received(request))).toMatchObject(init);
    const least = buildRev({ id: 'doc', rev: '1-aa', sequence: '1', history: '', deleted: false }, bytes('{}'));
    expect(least.properties.toRecord()).toEqual({ Profile: 'rev', id: 'doc', rev: '1-aa', sequence: '1' });
  });

  it('S18 needs a document and a revision', () => {
    expect(() => parseRev(message({ id: 'doc' }))).toThrow('missing property "rev"');
    expect(() => parseRev(message({ id: '', rev: '1-aa' }))).toThrow('missing property "id"');
  });

  it.each([
    ['0', undefined],
    ['', undefined],
    ['502', '502'],
  ])('S18 error %j is %s', (error, expected) => {
    expect(parseRev(message({ id: 'a', rev: '1-aa', error })).error).toBe(expected);
  });

  it('S19 norev is read as it is written, and in the older spelling', () => {
    const init = { id: 'doc', rev: '1-aa', sequence: '5', error: '404', reason: 'missing' };
    expect(parseNoRev(received(buildNoRev(init, '0')))).toEqual(init);
    expect(parseNoRev(message({ id: 'doc', rev: '1-aa', seq: '5', error: '404' })).sequence).toBe('5');
  });

  it('S20 errors say whether to come again, or to send the whole body', () => {
    const http = (code: number) => ({ domain: 'HTTP', code });
    expect([408, 429, 502, 503, 504].every((code) => isTransient(http(code)))).toBe(true);
    expect([400, 403, 404, 409, 413, 422, 500].some((code) => isTransient(http(code)))).toBe(false);
    expect([http(422), { domain: 'LiteCore', code: 31 }, { domain: 'LiteCore', code: 32 }].every(wantsFullBody)).toBe(
      true,
    );
    expect([http(404), { domain: 'BLIP', code: 422 }, { domain: 'LiteCore', code: 26 }].some(wantsFullBody)).toBe(
      false,
    );
  });
});

describe('attachments', () => {
  const digest = 'sha1-+/5OEWyiOCR+4+FV9BerKsYPaxA=';

  it('S21 are asked for as they are read', () => {
    const request = { digest, docId: 'doc', compress: true };
    expect(parseGetAttachment(received(buildGetAttachment(request, '0')))).toEqual(request);
    expect(parseGetAttachment(message({ digest }))).toEqual({ digest, compress: false });
    expect(() => parseGetAttachment(message({ digest: 'sha1-x' }))).toThrow('digest');
  });

  it('S22 are proven with 1 to 255 random bytes behind their number', () => {
    const nonce = Uint8Array.of(1, 2, 3);
    expect(parseProveAttachment(received(buildProveAttachment({ digest, nonce })))).toEqual({ digest, nonce });
    expect([...proofPrefix(nonce)]).toEqual([3, 1, 2, 3]);
    for (const size of [0, 256])
      expect(() =>
        parseProveAttachment(received(buildProveAttachment({ digest, nonce: new Uint8Array(size) }))),
      ).toThrow();
  });

  it.each([
    ['text/plain', true],
    ['application/json', true],
    ['image/svg+xml', true],
    ['image/png', false],
    ['video/mp4', false],
    ['application/zip', false],
    [undefined, false],
  ])('S23 of type %s are worth compressing: %s', (type, worth) => {
    expect(isCompressible(type)).toBe(worth);
  });
});
