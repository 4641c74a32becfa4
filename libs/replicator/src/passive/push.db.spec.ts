import { describe, expect, it } from 'vitest';
import { jsonOf } from '../testing/scripted-peer.js';
import { DATABASE, DEFAULT, World } from '../testing/world.js';

const SOURCE = 'H0J8SAyCSjSjE+PxM4NQrQ';
const OTHER = 'JtyUfwhcQt+cX1rfTxRUqw';
/** A minute ago, so that no step is ahead of the clock. */
const START = BigInt(Date.now() - 60_000) * 1_000_000n;
const version = (step: number, source = SOURCE): string => `${(START + BigInt(step << 16)).toString(16)}@${source}`;

/** A world with one document that two revisions were pushed of. */
async function worldWithDocument(): Promise<World> {
  const world = await World.open();
  const peer = await world.connect();
  await peer.ask('rev', { id: 'doc', rev: '1-aa' }, { n: 1 });
  await peer.ask('rev', { id: 'doc', rev: '2-bb', history: '1-aa', noconflicts: '1' }, { n: 2 });
  return world;
}

describe('proposeChanges', () => {
  // docs/protocol/replication.md#proposechanges
  it('accepts what is new and lists the abilities of the server', async () => {
    await using world = await World.open();
    for (const protocol of [2, 3, 4] as const) {
      const peer = await world.connect({ version: protocol });
      const reply = await peer.ask('proposeChanges', { conflictIncludesRev: 'true' }, [
        ['doc', protocol < 4 ? '1-aa' : version(1), '', 8],
      ]);
      expect(jsonOf(reply)).toEqual([0]);
      expect(reply.properties.toRecord()).toEqual(
        protocol < 4
          ? { maxHistory: '50', blobs: 'true', deltas: 'true' }
          : { blobs: 'true', deltas: 'true', sendReplacementRevs: '1' },
      );
    }
  });

  // docs/protocol/replication.md#proposechanges
  it.each([
    // docs/protocol/replication.md#after-a-lost-checkpoint
    ['1-aa', '', 304, 'a known revision after the checkpoint was lost'],
    ['2-bb', '', 304, 'the current one'],
    ['2-bb', '1-aa', 304, 'the current one with its parent'],
    ['3-cc', '2-bb', 0, 'a child of the current one'],
    ['5-ee', '2-bb', 0, 'a later descendant: the parent is the last the pusher knows we had'],
    ['3-cc', '1-aa', 409, 'an edit of an older one'],
    // docs/protocol/replication.md#what-409-does
    ['3-cc', '', 409, 'an unknown one without parent'],
    ['2-ff', '1-aa', 409, 'a sibling'],
    ['3-CC', '2-bb', 400, 'no revision ID'],
  ])('answers %s on "%s" with %i: %s', async (rev, parent, status) => {
    await using world = await worldWithDocument();
    const peer = await world.connect();
    const [answer] = jsonOf(
      await peer.ask('proposeChanges', { conflictIncludesRev: 'true' }, [['doc', rev, parent]]),
    ) as [unknown];
    expect(answer).toEqual(status === 409 ? { status: 409, rev: '2-bb' } : status);
  });

  // docs/protocol/replication.md#proposechanges, docs/protocol/replication.md#reply-to-proposechanges
  it('names the current revision only to clients that ask for it', async () => {
    await using world = await worldWithDocument();
    const peer = await world.connect({ version: 2 });
    expect(jsonOf(await peer.ask('proposeChanges', {}, [['doc', '3-cc', '1-aa']]))).toEqual([409]);
    for (const yes of ['true', '1', 'YES'])
      expect(jsonOf(await peer.ask('proposeChanges', { conflictIncludesRev: yes }, [['doc', '3-cc', '']]))).toEqual([
        { status: 409, rev: '2-bb' },
      ]);
  });

  // docs/protocol/replication.md#proposechanges
  it('takes the empty list of an idle client quietly', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    peer.notify('proposeChanges', { conflictIncludesRev: 'true' }, []);
    peer.notify('proposeChanges', {}, 'null');
    expect(jsonOf(await peer.ask('proposeChanges', {}, []))).toEqual([]);
    expect(world.faults).toEqual([]);
  });

  // docs/protocol/replication.md#proposechanges
  it('accepts anything live on a tombstone', async () => {
    await using world = await worldWithDocument();
    await world.put('doc', {}, { expect: '2-bb', deleted: true });
    const peer = await world.connect();
    expect(jsonOf(await peer.ask('proposeChanges', {}, [['doc', '1-dd', '']]))).toEqual([0]);
    expect((await peer.ask('rev', { id: 'doc', rev: '1-dd', noconflicts: '1' }, { again: 1 })).error).toBeUndefined();
    expect(await world.documents()).toEqual({ doc: '{"again":1}' });
  });

  // docs/protocol/replication.md#proposechanges
  it('reads a whole vector as the current version and what it builds on', async () => {
    await using world = await World.open();
    const peer = await world.connect({ version: 4 });
    await peer.ask('rev', { id: 'doc', rev: version(1) }, { n: 1 });
    const ask = async (rev: string, parent = ''): Promise<unknown> =>
      jsonOf(await peer.ask('proposeChanges', { conflictIncludesRev: 'true' }, [['doc', rev, parent]]));
    expect(await ask(`${version(2, OTHER)}; ${version(1)}`)).toEqual([0]);
    expect(await ask(`${version(3, OTHER)}, ${version(2, OTHER)}, ${version(1)};`)).toEqual([0]);
    expect(await ask(version(1))).toEqual([304]);
    expect(await ask(version(2))).toEqual([0]);
    expect(await ask(version(2, OTHER), version(1))).toEqual([0]);
    expect(await ask(version(2, OTHER))).toEqual([{ status: 409, rev: version(1) }]);
  });

  // docs/protocol/replication.md#proposechanges, docs/protocol/replication.md#differences-by-sub-protocol
  it('decides by the ID, not by the connection', async () => {
    await using world = await worldWithDocument();
    const peer = await world.connect({ version: 4 });
    const reply = await peer.ask('proposeChanges', { conflictIncludesRev: 'true' }, [
      ['doc', '3-cc', '2-bb'],
      ['doc', '3-cc', ''],
      ['doc', version(1), '2-bb'],
      ['doc', version(1), ''],
    ]);
    const vector = (await world.storage.read(DEFAULT, ['doc']))[0]!.vector;
    expect(jsonOf(reply)).toEqual([0, { status: 409, rev: '2-bb' }, 0, { status: 409, rev: vector }]);
  });

  it.each([['x'], [[['doc']]], [[1]], [{}]])('refuses %j as a whole', async (body) => {
    await using world = await World.open();
    const peer = await world.connect();
    expect((await peer.ask('proposeChanges', {}, body)).error).toMatchObject({ domain: 'HTTP', code: 400 });
  });

  it('refuses a document ID that could not be stored, alone', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    const rows = [
      ['_no', '1-aa', ''],
      ['yes', '1-aa', ''],
    ];
    expect(jsonOf(await peer.ask('proposeChanges', {}, rows))).toEqual([400, 0]);
  });
});

describe('a pushed revision', () => {
  // docs/protocol/replication.md#reply-to-rev
  it('is stored when it is answered, and known the second time', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    const properties = { id: 'doc', rev: '3-cc', sequence: '1', history: '2-bb, 1-aa', noconflicts: '1' };
    const reply = await peer.ask('rev', properties, { a: 1 });
    expect([reply.error, reply.properties.size, reply.body.length]).toEqual([undefined, 0, 0]);
    const expected = [{ rev: '3-cc', body: '{"a":1}', tree: '3-cc,2-bb,1-aa' }];
    expect(await world.storage.read(DEFAULT, ['doc'])).toMatchObject(expected);
    const again = await peer.ask('rev', properties, { a: 1 });
    expect(again.properties.toRecord()).toEqual({ noop: 'true' });
    expect(await world.storage.read(DEFAULT, ['doc'])).toMatchObject([{ sequence: 1 }]);
  });

  // docs/protocol/replication.md#reply-to-rev
  it('is checked again when it is written: somebody may have been faster', async () => {
    await using world = await worldWithDocument();
    const peer = await world.connect();
    expect(jsonOf(await peer.ask('proposeChanges', {}, [['doc', '3-cc', '2-bb']]))).toEqual([0]);
    const faster = await world.put('doc', { by: 'REST' }, { expect: '2-bb' });
    const reply = await peer.ask('rev', { id: 'doc', rev: '3-cc', history: '2-bb', noconflicts: '1' }, {});
    expect(reply.error).toEqual({ domain: 'HTTP', code: 409, message: 'Document revision conflict' });
    expect(await world.storage.read(DEFAULT, ['doc'])).toMatchObject([{ rev: faster.rev }]);
  });

  it('is refused if it would make a branch, also without noconflicts', async () => {
    await using world = await worldWithDocument();
    const peer = await world.connect();
    const reply = await peer.ask('rev', { id: 'doc', rev: '2-ff', history: '1-aa' }, {});
    expect(reply.error).toMatchObject({ domain: 'HTTP', code: 409 });
  });

  it('may close the branch of the server (deleted_branch)', async () => {
    await using world = await worldWithDocument();
    const peer = await world.connect();
    const properties = { id: 'doc', rev: '2-ff', history: '1-aa', deleted_branch: '3-dd,2-bb,1-aa' };
    expect((await peer.ask('rev', properties, { kept: 'mine' })).error).toBeUndefined();
    expect(await world.documents()).toEqual({ doc: '{"kept":"mine"}' });
  });

  it('deletes, with any spelling of true', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    for (const [index, deleted] of ['1', 'true', 'YES', 'True'].entries()) {
      const reply = await peer.ask('rev', { id: `doc ${index}`, rev: '2-bb', history: '1-aa', deleted }, {});
      expect(reply.error).toBeUndefined();
    }
    expect(Object.values(await world.documents())).toEqual(Array(4).fill('deleted'));
  });

  // docs/protocol/blip.md#booleans
  it('is live with any spelling of false', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    for (const deleted of ['0', 'false', '']) await peer.ask('rev', { id: `doc ${deleted}`, rev: '1-aa', deleted }, {});
    expect(Object.values(await world.documents())).toEqual(['{}', '{}', '{}']);
  });

  it('keeps its body to the digit, without metadata', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    await peer.ask(
      'rev',
      { id: 'doc', rev: '1-aa' },
      '{"n":12345678901234567890,"f":1.0, "_id":"x","_rev":"9-99","s":"\\u00e9"}',
    );
    expect(await world.documents()).toEqual({ doc: '{"n":12345678901234567890,"f":1.0,"s":"é"}' });
  });

  // docs/protocol/revisions.md#vectors-on-messages
  it('may have empty elements in its history', async () => {
    await using world = await World.open();
    const peer = await world.connect({ version: 4 });
    const history = `${version(1)},${version(2, OTHER)};,2-abcd`;
    const reply = await peer.ask('rev', { id: 'doc', rev: version(3), history, noconflicts: 'true' }, {});
    expect(reply.error).toBeUndefined();
    const [stored] = await world.storage.read(DEFAULT, ['doc']);
    expect(stored!.vector).toBe(`${version(3)}, ${version(1)}, ${version(2, OTHER)};`);
  });

  // docs/protocol/revisions.md#vectors-on-messages
  it('keeps merged versions apart from previous ones', async () => {
    await using world = await World.open();
    const peer = await world.connect({ version: 4 });
    await peer.ask('rev', { id: 'merged', rev: version(3), history: `${version(1)}, ${version(2, OTHER)};` }, {});
    await peer.ask('rev', { id: 'previous', rev: version(3), history: version(2, OTHER) }, {});
    const stored = await world.storage.read(DEFAULT, ['merged', 'previous']);
    expect(stored.map((row) => row?.vector)).toEqual([
      `${version(3)}, ${version(1)}, ${version(2, OTHER)};`,
      `${version(3)}; ${version(2, OTHER)}`,
    ]);
  });

  // docs/protocol/revisions.md#time
  it.each([
    ['1@H0J8SAyCSjSjE+PxM4NQrQ', 400],
    ['ffffffffffffffff@H0J8SAyCSjSjE+PxM4NQrQ', 400],
    ['18ea82daab3a0001@*', 400],
    ['18ea82daab3a0001@AAAAAAAAAAAAAAAAAAAAAA', 400],
    ['18ea82daab3a0001@short', 400],
    ['18EA82DAAB3A0001@H0J8SAyCSjSjE+PxM4NQrQ', 400],
    ['zz@H0J8SAyCSjSjE+PxM4NQrQ', 400],
  ])('with the version %s, which other clients would refuse, is refused', async (rev, code) => {
    await using world = await World.open();
    const peer = await world.connect({ version: 4 });
    expect((await peer.ask('rev', { id: 'doc', rev }, {})).error).toMatchObject({ domain: 'HTTP', code });
  });

  // docs/protocol/revisions.md#time
  it('of a client whose clock is ahead must wait until the time has come, and others go on', async () => {
    let now = Date.now() - 600_000;
    await using world = await World.open({ now: () => now });
    const peer = await world.connect({ version: 4 });
    const push = () => peer.ask('rev', { id: 'doc', rev: version(1) }, {});
    expect((await push()).error).toMatchObject({ domain: 'HTTP', code: 503 });
    now += 600_000;
    expect((await push()).error).toBeUndefined();
  });

  // docs/protocol/failures.md#which-error-to-choose
  it.each([
    [{ id: 'doc' }, '{}'],
    [{ rev: '1-aa' }, '{}'],
    [{ id: 'doc', rev: '1-aa' }, '[]'],
    [{ id: 'doc', rev: '1-aa' }, '{"a":'],
    [{ id: 'doc', rev: '1-aa' }, ''],
    [{ id: 'doc', rev: '1-aa' }, new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    [{ id: 'doc', rev: '3-aa', history: '3-bb' }, '{}'],
    [{ id: 'doc', rev: '1-aa', error: '404' }, '{}'],
    [{ id: 'doc', rev: '1-aa' }, '{"_removed":true}'],
  ])('that is malformed is refused for good in domain HTTP: %j %s', async (properties, body) => {
    await using world = await World.open();
    const peer = await world.connect();
    const { error } = await peer.ask('rev', properties, body);
    expect(error?.domain).toBe('HTTP');
    expect(error?.code).toBeGreaterThanOrEqual(400);
    expect(error?.code).toBeLessThan(500);
    expect(await world.documents()).toEqual({});
  });

  it('is stored alone when others of its batch are refused', async () => {
    await using world = await worldWithDocument();
    const peer = await world.connect();
    const replies = await Promise.all([
      peer.ask('rev', { id: 'a', rev: '1-aa' }, {}),
      peer.ask('rev', { id: 'doc', rev: '2-ff', history: '1-aa' }, {}),
      peer.ask('rev', { id: 'bad', rev: '1-zz' }, {}),
      peer.ask('rev', { id: 'b', rev: '1-aa' }, {}),
    ]);
    expect(replies.map(({ error }) => error?.code)).toEqual([undefined, 409, 400, undefined]);
    expect(Object.keys(await world.documents())).toEqual(['a', 'b', 'doc']);
  });
});

describe('a Sync Gateway that pushes', () => {
  it('uses changes with ignoreNoConflicts; without it is referred to proposeChanges', async () => {
    await using world = await worldWithDocument();
    const peer = await world.connect();
    const rows = [
      [1, 'doc', '2-bb'],
      [2, 'doc', '3-cc'],
      [3, 'new', '1-aa'],
      [4, 'doc', '1-aa'],
    ];
    expect((await peer.ask('changes', {}, rows)).error).toEqual({
      domain: 'HTTP',
      code: 409,
      message: "Use 'proposeChanges' instead",
    });
    const reply = await peer.ask('changes', { ignoreNoConflicts: 'true' }, rows);
    expect(jsonOf(reply)).toEqual([0, ['2-bb'], [], 0]);
    expect(reply.properties.toRecord()).toEqual({ maxHistory: '50', blobs: 'true', deltas: 'true' });
    peer.notify('changes', {}, 'null');
    const rev = await peer.ask('rev', { id: 'doc', rev: '3-cc', history: '2-bb,1-aa', noconflicts: 'true' }, {});
    expect(rev.error).toBeUndefined();
  });

  it('is allowed the same on the lists it pulls', async () => {
    await using world = await worldWithDocument();
    const peer = await world.connect();
    await peer.ask('subChanges', { client_sgr2: 'true' });
    expect((await peer.next('changes')).properties.get('ignoreNoConflicts')).toBe('true');
  });
});

describe('a connected client', () => {
  it('reads and writes single documents with getRev and putRev', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    expect((await peer.ask('getRev', { id: 'doc' })).error).toMatchObject({ domain: 'HTTP', code: 404 });
    expect((await peer.ask('putRev', { id: 'doc', rev: '1-aa' }, { a: 1 })).error).toBeUndefined();
    const reply = await peer.ask('getRev', { id: 'doc' });
    expect([reply.properties.get('rev'), jsonOf(reply)]).toEqual(['1-aa', { a: 1 }]);
    expect((await peer.ask('getRev', { id: 'doc', ifNotRev: '1-aa' })).error).toMatchObject({
      domain: 'HTTP',
      code: 304,
    });
    await world.storage.write(DATABASE, [
      { type: 'edit', keyspace: DEFAULT, id: 'doc', expect: '1-aa', deleted: true, body: '{}' },
    ]);
    expect((await peer.ask('getRev', { id: 'doc' })).error).toMatchObject({ domain: 'HTTP', code: 404 });
  });
});
