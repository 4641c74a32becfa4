import { describe, expect, it } from 'vitest';
import { answer, textOf, wantAll, type ScriptedPeer } from '../testing/scripted-peer.js';
import { createSha1, DATABASE, DEFAULT, withMethods, World } from '../testing/world.js';

const HELLO = new TextEncoder().encode('Hello blob!');
const DIGEST = 'sha1-+/5OEWyiOCR+4+FV9BerKsYPaxA=';
const picture = (extra: object = {}): object => ({
  pic: { '@type': 'blob', content_type: 'text/plain', digest: DIGEST, length: 11, ...extra },
});

/** Answers every question for the blob with the given bytes, and proofs as someone who has the real one. */
function giveBlob(peer: ScriptedPeer, bytes = HELLO): ScriptedPeer {
  return peer
    .on('getAttachment', (request) => request.respond({ body: bytes }))
    .on('proveAttachment', (request) => {
      const sha1 = createSha1();
      sha1.update(Uint8Array.of(request.body.length));
      sha1.update(request.body);
      sha1.update(bytes);
      request.respond({ body: new TextEncoder().encode(`sha1-${sha1.digestBase64()}`) });
    });
}

const asked = (peer: ScriptedPeer, profile: string): number =>
  peer.received.filter((line) => line.startsWith(profile)).length;

describe('blobs of a pushed revision', () => {
  // docs/protocol/replication.md#reply-to-rev, docs/protocol/blobs-and-deltas.md#transfer
  it('are fetched before it is answered', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    let isAnswered = false;
    const reply = peer.ask('rev', { id: 'doc', rev: '1-aa' }, picture()).finally(() => (isAnswered = true));
    const request = await peer.next('getAttachment');
    expect(request.properties.toRecord()).toEqual({
      Profile: 'getAttachment',
      digest: DIGEST,
      docID: 'doc',
      compress: 'true',
    });
    await peer.ask('PING');
    expect([isAnswered, await world.documents()]).toEqual([false, {}]);
    request.respond({ body: HELLO });
    expect((await reply).error).toBeUndefined();
    expect(await world.storage.missingBlobs(DATABASE, [DIGEST])).toEqual([]);
  });

  // docs/protocol/replication.md#reply-to-rev
  it.each([
    ['the wrong bytes', {}, 'Hello bloc!'],
    ['too few bytes', {}, 'Hello'],
    ['another length than the document says', { length: 12 }, 'Hello blob!'],
  ])('are refused with %s, and nothing is stored', async (_, extra, bytes) => {
    await using world = await World.open();
    const peer = giveBlob(await world.connect(), new TextEncoder().encode(bytes));
    const { error } = await peer.ask('rev', { id: 'doc', rev: '1-aa' }, picture(extra));
    expect(error).toMatchObject({ domain: 'HTTP', code: 400 });
    expect(await world.documents()).toEqual({});
    expect(await world.storage.missingBlobs(DATABASE, [DIGEST])).toEqual([DIGEST]);
  });

  it('that the client cannot send make it refuse the revision', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    peer.on('getAttachment', (request) => request.respondError({ domain: 'LiteCore', code: 7, message: 'gone' }));
    const { error } = await peer.ask('rev', { id: 'doc', rev: '1-aa' }, picture());
    expect(error).toMatchObject({ domain: 'HTTP' });
    expect(error!.code).toBeLessThan(500);
  });

  it('are fetched once for several documents that arrive together', async () => {
    await using world = await World.open();
    const peer = giveBlob(await world.connect());
    const ids = ['a', 'b', 'c', 'd'];
    await Promise.all(ids.map((id) => peer.ask('rev', { id, rev: '1-aa' }, picture())));
    expect(asked(peer, 'getAttachment')).toBe(1);
    expect(Object.keys(await world.documents())).toEqual(ids);
  });

  it('that are stored must be proven by who has not shown them yet', async () => {
    await using world = await World.open();
    await world.storage.putBlob(DATABASE, HELLO);
    const peer = giveBlob(await world.connect());
    expect((await peer.ask('rev', { id: 'doc', rev: '1-aa' }, picture())).error).toBeUndefined();
    expect([asked(peer, 'proveAttachment'), asked(peer, 'getAttachment')]).toEqual([1, 0]);
    expect((await peer.ask('rev', { id: 'doc', rev: '2-bb', history: '1-aa' }, picture())).error).toBeUndefined();
    expect(asked(peer, 'proveAttachment')).toBe(1);
  });

  it('cannot be had by knowing their digest', async () => {
    await using world = await World.open();
    await world.storage.putBlob(DATABASE, HELLO);
    const thief = await world.connect();
    thief.on('proveAttachment', (request) => request.respond({ body: new TextEncoder().encode('sha1-guess') }));
    thief.on('getAttachment', (request) => request.respond({ body: new TextEncoder().encode('dunno') }));
    expect((await thief.ask('rev', { id: 'doc', rev: '1-aa' }, picture())).error?.code).toBe(400);
    expect((await thief.ask('getAttachment', { digest: DIGEST, docID: 'doc' })).error?.code).toBe(403);
  });

  it('of a client that does not know proofs are fetched', async () => {
    await using world = await World.open();
    await world.storage.putBlob(DATABASE, HELLO);
    const peer = await world.connect();
    peer.on('proveAttachment', (request) => request.respondError({ domain: 'BLIP', code: 404, message: 'what?' }));
    peer.on('getAttachment', (request) => request.respond({ body: HELLO }));
    expect((await peer.ask('rev', { id: 'doc', rev: '1-aa' }, picture())).error).toBeUndefined();
  });

  it('mirrored in _attachments leave no trace there', async () => {
    await using world = await World.open();
    const peer = giveBlob(await world.connect());
    const _attachments = {
      'blob_/pic': { content_type: 'text/plain', length: 11, digest: DIGEST, stub: true, revpos: 1 },
    };
    await peer.ask('rev', { id: 'doc', rev: '1-aa' }, { ...picture(), _attachments });
    expect(await world.documents()).toEqual({ doc: JSON.stringify(picture()) });
  });
});

describe('blobs of a pulled revision', () => {
  async function serve(world: World): Promise<void> {
    await world.storage.putBlob(DATABASE, HELLO);
    await world.put('doc', picture());
  }

  // docs/protocol/replication.md#getattachment
  it('are streamed while the revision is unanswered, and after', async () => {
    await using world = await World.open();
    await serve(world);
    const peer = await world.connect();
    peer.on('changes', (request) => (request.noReply ? undefined : wantAll()(request)));
    await peer.ask('subChanges');
    const rev = await peer.next('rev');
    expect(rev.noReply).toBe(false);
    const during = await peer.ask('getAttachment', { digest: DIGEST, docID: 'doc', compress: 'true' });
    expect([textOf(during.body), during.properties.size]).toEqual(['Hello blob!', 0]);
    rev.respond();
    await peer.settled();
    expect(textOf((await peer.ask('getAttachment', { digest: DIGEST, docID: 'doc' })).body)).toBe('Hello blob!');
  });

  // docs/protocol/replication.md#getattachment
  it('are for who reads their document: without its ID only while it is on the way', async () => {
    await using world = await World.open();
    await serve(world);
    await world.put('other', {});
    const peer = await world.connect({ version: 2 });
    const digest = { digest: DIGEST };
    expect((await peer.ask('getAttachment', digest)).error).toMatchObject({ domain: 'HTTP', code: 403 });
    expect((await peer.ask('getAttachment', { ...digest, docID: 'other' })).error).toMatchObject({
      domain: 'HTTP',
      code: 403,
    });
    peer.on('changes', (request) => (request.noReply ? undefined : wantAll()(request)));
    await peer.ask('subChanges');
    let rev = await peer.next('rev');
    while (rev.properties.get('id') !== 'doc') rev = await peer.next('rev');
    expect(textOf((await peer.ask('getAttachment', digest)).body)).toBe('Hello blob!');
    rev.respond();
    await peer.settled();
    expect((await peer.ask('getAttachment', digest)).error).toMatchObject({ domain: 'HTTP', code: 403 });
  });

  // docs/protocol/replication.md#getattachment
  it('are on the way with a delta too, whenever its whole body was read', async () => {
    await using world = await World.open();
    await world.storage.putBlob(DATABASE, HELLO);
    const story = 'sentence of a long story. '.repeat(20);
    const first = await world.put('doc', { ...picture(), story, n: 1 });
    await world.put('doc', { ...picture(), story, n: 2 }, { expect: first.rev });
    for (const since of ['0', '1']) {
      const peer = await world.connect({ version: 2 });
      await peer.ask('subChanges', { since });
      answer(await peer.next('changes'), [[first.rev]], { deltas: 'true', blobs: 'true' });
      const rev = await peer.next('rev');
      expect(rev.properties.get('deltaSrc')).toBe(first.rev);
      expect(textOf((await peer.ask('getAttachment', { digest: DIGEST })).body)).toBe('Hello blob!');
    }
  });

  // docs/protocol/replication.md#getattachment
  it('that are missing are answered with HTTP/404, malformed questions with 400', async () => {
    await using world = await World.open({
      wrap: (storage) => withMethods(storage, { openBlob: () => Promise.resolve(undefined) }),
    });
    await serve(world);
    const peer = await world.connect();
    const ask = async (properties: Record<string, string>): Promise<number | undefined> =>
      (await peer.ask('getAttachment', properties)).error?.code;
    expect(await ask({ digest: DIGEST, docID: 'doc' })).toBe(404);
    expect(await ask({ docID: 'doc' })).toBe(400);
    expect(await ask({ digest: 'sha1-short', docID: 'doc' })).toBe(400);
  });

  // docs/protocol/replication.md#getattachment
  it('that cannot be read now are never answered with an error: the connection ends with 4001', async () => {
    const failing = { openBlob: () => Promise.reject(new Error('disk on fire')) };
    await using world = await World.open({ wrap: (storage) => withMethods(storage, failing) });
    await serve(world);
    const peer = await world.connect();
    const reply = peer.ask('getAttachment', { digest: DIGEST, docID: 'doc' }).catch(() => 'cut off');
    expect(await peer.closed).toMatchObject({ code: 4001, by: 'peer' });
    expect(await reply).toBe('cut off');
  });

  // docs/protocol/blobs-and-deltas.md#attachments
  it('are all in _attachments for a client that does not know blob dictionaries', async () => {
    await using world = await World.open();
    await world.storage.putBlob(DATABASE, HELLO);
    const inner = { '@type': 'blob', digest: DIGEST, length: 11, content_type: 'text/plain' };
    await world.put('doc', { list: [inner], pic: inner });
    const peer = await world.connect();
    await peer.ask('subChanges');
    answer(await peer.next('changes'), [[]]);
    const rev = await peer.next('rev');
    const stub = { content_type: 'text/plain', length: 11, digest: DIGEST, stub: true, revpos: 1 };
    expect(JSON.parse(textOf(rev.body))).toEqual({
      list: [inner],
      pic: inner,
      _attachments: { 'blob_/list/0': stub, 'blob_/pic': stub },
    });
  });

  it('can be proven by the server', async () => {
    await using world = await World.open();
    await serve(world);
    const peer = await world.connect();
    peer.on('changes', (request) => (request.noReply ? undefined : wantAll()(request)));
    await peer.ask('subChanges');
    await peer.next('rev');
    const nonce = Uint8Array.from({ length: 20 }, (_, index) => index);
    const proof = await peer.ask('proveAttachment', { digest: DIGEST }, nonce);
    expect(textOf(proof.body)).toBe('sha1-snNtAWFJ1BnOMFsIVNYgcoFvhC4=');
    for (const bad of [new Uint8Array(0), new Uint8Array(256)])
      expect((await peer.ask('proveAttachment', { digest: DIGEST }, bad)).error?.code).toBe(400);
  });

  it('of many megabytes pass in pieces', async () => {
    await using world = await World.open();
    const large = new Uint8Array(3_000_000).map((_, index) => (index * 7919) >> 5);
    const blob = await world.storage.putBlob(DATABASE, large);
    await world.put('doc', { pic: { '@type': 'blob', ...blob } });
    const peer = await world.connect();
    const reply = await peer.ask('getAttachment', { digest: blob.digest, docID: 'doc' });
    expect(Buffer.compare(reply.body, large)).toBe(0);
    expect(await world.storage.read(DEFAULT, ['doc'])).toMatchObject([{ sequence: 1 }]);
  });
});
