import type { Keyspace } from '@edgesync/document';
import { describe, expect, it } from 'vitest';
import type { Storage } from '@edgesync/ports';
import { answer, describe as show, jsonOf, rowsOf, textOf, wantAll } from '../testing/scripted-peer.js';
import { DATABASE, DEFAULT, withMethods, World } from '../testing/world.js';

describe('a subscription', () => {
  // docs/protocol/replication.md#subchanges
  it('is answered first, then lists what changed strictly after since', async () => {
    await using world = await World.open();
    const one = await world.put('one', { n: 1 });
    const two = await world.put('two', { n: 2 });
    for (const since of [String(one.sequence), `"${one.sequence}"`]) {
      const peer = await world.connect();
      const reply = await peer.ask('subChanges', { since, batch: '200' });
      expect(reply.error).toBeUndefined();
      expect(reply.body).toHaveLength(0);
      const changes = await peer.next('changes');
      expect(changes.properties.toRecord()).toEqual({ Profile: 'changes' });
      expect(jsonOf(changes)).toEqual([[two.sequence, 'two', two.rev, 0, 7]]);
    }
  });

  // docs/protocol/checkpoints.md#restored-databases, docs/protocol/checkpoints.md#sequences
  it.each(['7:9', '"7::9"', 'x', '-5', '1.5', '999999', '4:'])(
    'of an alien or future since %s begins at the beginning',
    async (since) => {
      await using world = await World.open();
      const { rev } = await world.put('one', {});
      const peer = await world.connect();
      await peer.ask('subChanges', { since });
      expect(jsonOf(await peer.next('changes'))).toEqual([[1, 'one', rev, 0, 2]]);
    },
  );

  // docs/protocol/replication.md#subchanges
  it('puts at most batch rows into a list, each document once at its newest, in order', async () => {
    await using world = await World.open();
    for (let n = 0; n < 25; n++) await world.put(`doc ${n}`, { n });
    const first = (await world.storage.read(DEFAULT, ['doc 3']))[0]!;
    await world.put('doc 3', { n: 'newer' }, { expect: first.rev });
    const peer = await world.connect();
    peer.on('changes', (request) => (request.noReply ? undefined : answer(request, [])));
    await peer.ask('subChanges', { batch: '10' });
    await peer.settled();
    const lists = peer.received.map((line) => JSON.parse(line.slice(line.indexOf('['))) as [number, string][]);
    expect(lists.map((list) => list.length)).toEqual([10, 10, 5, 0]);
    const sequences = lists.flat().map(([sequence]) => sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    expect(new Set(lists.flat().map(([, id]) => id)).size).toBe(25);
    expect(lists.flat().at(-1)!.slice(0, 2)).toEqual([26, 'doc 3']);
  });

  // docs/protocol/replication.md#subchanges
  it('can be limited to documents by ID', async () => {
    await using world = await World.open();
    for (const id of ['a', 'b', 'c']) await world.put(id, {});
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true' }, { docIDs: ['c', 'a', 'later'] });
    expect(rowsOf(await peer.next('changes'))).toEqual([
      [1, 'a'],
      [3, 'c'],
    ]);
    expect(jsonOf(await peer.next('changes'))).toEqual([]);
    await world.put('other', {});
    await world.put('later', {});
    expect(rowsOf(await peer.next('changes'))).toEqual([[5, 'later']]);
  });

  // docs/protocol/replication.md#subchanges, docs/protocol/replication.md#activeonly
  it('with activeOnly leaves tombstones out of the backlog and only there', async () => {
    await using world = await World.open();
    const old = await world.put('old', {});
    await world.put('old', {}, { expect: old.rev, deleted: true });
    const live = await world.put('live', {});
    const peer = await world.connect();
    peer.on('changes', (request) => (request.noReply ? undefined : answer(request, [])));
    await peer.ask('subChanges', { continuous: 'true', activeOnly: 'true' });
    await peer.settled();
    expect(peer.received.map((line) => line.replace(/ \[\[.*"(.*)","1-.*/, ' $1'))).toEqual([
      'changes {} live',
      'changes! {} []',
    ]);
    await world.put('live', {}, { expect: live.rev, deleted: true });
    const seen = peer.received.length;
    while (peer.received.length === seen) await peer.settled();
    expect(peer.received.at(-1)).toMatch(/^changes \{\} \[\[4,"live","2-[0-9a-f]+",1,2\]\]$/);
  });

  // docs/protocol/replication.md#activeonly
  it('with activeOnly lists what was deleted after it began, also before it has caught up', async () => {
    await using world = await World.open({ tuning: { unansweredBacklogLists: 1 } });
    const first = await world.put('first', {});
    await world.put('second', {});
    await world.put('third', {});
    const peer = await world.connect();
    await peer.ask('subChanges', { activeOnly: 'true', batch: '1' });
    answer(await peer.next('changes'), [[]]);
    await peer.next('rev');
    await world.put('first', {}, { expect: first.rev, deleted: true });
    await world.put('last', {});
    const rows: unknown[] = [];
    for (;;) {
      const list = await peer.next('changes');
      if (list.noReply) break;
      rows.push(...rowsOf(list));
      answer(list, []);
    }
    expect(rows).toEqual([
      [2, 'second'],
      [3, 'third'],
      [4, 'first'],
      [5, 'last'],
    ]);
  });

  // docs/protocol/replication.md#subchanges, docs/protocol/replication.md#refusing-a-subscription
  it.each([[{ filter: 'sync_gateway/bychannel', channels: 'a' }], [{ channels: 'a,b' }], [{ filter: 'mine', p: '1' }]])(
    'with %j is refused for good with HTTP/400',
    async (properties) => {
      await using world = await World.open();
      const peer = await world.connect();
      const reply = await peer.ask('subChanges', properties);
      expect(reply.error).toMatchObject({ domain: 'HTTP', code: 400 });
    },
  );

  it.each([{ docIDs: 'x' }, { docIDs: [1] }, 'no JSON'])('with the body %j is refused', async (body) => {
    await using world = await World.open();
    const peer = await world.connect();
    expect((await peer.ask('subChanges', {}, body)).error).toMatchObject({ domain: 'HTTP', code: 400 });
  });

  it('is one at a time, and can be ended', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true' });
    expect((await peer.ask('subChanges', { continuous: 'true' })).error).toMatchObject({ domain: 'HTTP', code: 400 });
    expect((await peer.ask('unsubChanges')).error).toBeUndefined();
    expect((await peer.ask('unsubChanges')).error).toBeUndefined();
    const seen = peer.received.length;
    await world.put('later', {});
    const other = await world.connect();
    await other.ask('subChanges');
    await other.next('changes');
    await peer.settled();
    expect(peer.received).toHaveLength(seen);
    expect((await peer.ask('subChanges', { continuous: 'true' })).error).toBeUndefined();
    expect(jsonOf(await peer.next('changes'))).toEqual([]);
    expect(rowsOf(await peer.next('changes'))).toEqual([[1, 'later']]);
  });

  it('from now on skips what is there', async () => {
    await using world = await World.open();
    await world.put('old', {});
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true', future: 'true' });
    expect(jsonOf(await peer.next('changes'))).toEqual([]);
    await world.put('new', {});
    expect(rowsOf(await peer.next('changes'))).toEqual([[2, 'new']]);
  });
});

describe('a list of changes', () => {
  // docs/protocol/replication.md#caught-up
  it('ends with exactly one caught-up marker, and nothing after it in a one-shot pull', async () => {
    await using world = await World.open();
    await world.put('one', { n: 1 });
    const peer = await world.connect();
    peer.on('changes', (request) => (request.noReply ? undefined : answer(request, [])));
    await peer.ask('subChanges');
    await peer.settled();
    await world.put('two', { n: 2 });
    await peer.settled();
    expect(peer.received).toEqual([expect.stringMatching(/^changes \{\} \[\[1,/), 'changes! {} []']);
  });

  // docs/protocol/replication.md#caught-up
  it('has its marker at once if there is nothing', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true' });
    expect(show(await peer.next('changes'))).toBe('changes! {} []');
  });

  // docs/protocol/replication.md#caught-up, docs/protocol/replication.md#lists-for-a-puller
  it('wants a reply unless it is empty', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true' });
    expect((await peer.next('changes')).noReply).toBe(true);
    await world.put('one', {});
    const changes = await peer.next('changes');
    expect([changes.noReply, changes.urgent]).toEqual([false, true]);
  });

  // docs/protocol/replication.md#differences-by-sub-protocol
  it.each([
    [2 as const, 'false', 'true'],
    [3 as const, '0', '1'],
    [4 as const, '0', '1'],
  ])('in protocol %i marks live and deleted with %s and %s', async (version, live, deleted) => {
    await using world = await World.open();
    await world.put('live', {});
    const { rev } = await world.put('gone', {});
    await world.put('gone', {}, { expect: rev, deleted: true });
    const peer = await world.connect({ version });
    await peer.ask('subChanges');
    const flags = [...textOf((await peer.next('changes')).body).matchAll(/","[^"]+",([^,]+),/g)].map(
      ([, flag]) => flag,
    );
    expect(flags).toEqual([live, deleted]);
  });

  // docs/protocol/replication.md#reply-to-changes
  it('may be answered shorter: the rest is not wanted', async () => {
    await using world = await World.open();
    for (const id of ['a', 'b', 'c', 'd']) await world.put(id, {});
    const peer = await world.connect();
    await peer.ask('subChanges');
    answer(await peer.next('changes'), [0, null, []]);
    expect((await peer.next('rev')).properties.get('id')).toBe('c');
    await peer.settled();
    expect(peer.received.filter((line) => line.startsWith('rev'))).toHaveLength(1);
  });

  // docs/protocol/replication.md#reply-to-changes, docs/protocol/replication.md#rows-that-clients-refuse
  it('that the client cannot take is offered again in parts', async () => {
    await using world = await World.open();
    for (const id of ['a', 'b', 'bad', 'c', 'd']) await world.put(id, {});
    const peer = await world.connect();
    const got: string[] = [];
    peer.on('changes', (request) => {
      if (request.noReply) return;
      if (textOf(request.body).includes('"bad"'))
        request.respondError({ domain: 'LiteCore', code: 26, message: 'no thanks' });
      else wantAll()(request);
    });
    peer.on('rev', (request) => void got.push(request.properties.get('id')!));
    await peer.ask('subChanges');
    while (got.length < 4) await peer.settled();
    expect(got.sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(world.faults).toEqual([expect.stringContaining('cannot take "bad"')]);
  });

  // docs/protocol/replication.md#what-409-does
  it('does not offer a client its own pushes', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true' });
    await peer.next('changes');
    await peer.ask('rev', { id: 'mine', rev: '1-aa' }, {});
    await world.put('other', {});
    expect(rowsOf(await peer.next('changes'))).toEqual([[2, 'other']]);
    const edited = await world.put('mine', { n: 2 }, { expect: '1-aa' });
    expect(jsonOf(await peer.next('changes'))).toEqual([[3, 'mine', edited.rev, 0, 7]]);
  });

  it.each([3, 4] as const)(
    'offers a client its own push over a tombstone it has yet to get: protocol %i',
    async (version) => {
      await using world = await World.open();
      const first = await world.put('doc', {});
      const peer = await world.connect({ version });
      await peer.ask('subChanges', { continuous: 'true' });
      answer(await peer.next('changes'), [0]);
      await peer.next('changes');
      await world.put('doc', {}, { expect: first.rev, deleted: true });
      answer(await peer.next('changes'), [[]]);
      expect((await peer.next('rev')).properties.get('deleted')).toBe('1');
      // On its way to the client, which does not know it yet.
      const rev = version === 3 ? '1-aa' : `${(BigInt(Date.now()) * 1_000_000n).toString(16)}@${'A'.repeat(21)}Q`;
      expect((await peer.ask('rev', { id: 'doc', rev, noconflicts: '1' }, { new: true })).error).toBeUndefined();
      expect(jsonOf(await peer.next('changes'))).toMatchObject([[3, 'doc', rev, 0, 12]]);
    },
  );

  it('waits while the client has not answered, then lists the newest of each document', async () => {
    await using world = await World.open({ tuning: { unansweredLiveLists: 1 } });
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true' });
    await peer.next('changes');
    let { rev } = await world.put('doc', { n: 0 });
    const first = await peer.next('changes');
    for (let n = 1; n <= 5; n++) ({ rev } = await world.put('doc', { n }, { expect: rev }));
    await world.put('other', {});
    await peer.ask('PING');
    expect(peer.unseen('changes')).toHaveLength(0);
    answer(first, []);
    expect(rowsOf(await peer.next('changes'))).toEqual([
      [6, 'doc'],
      [7, 'other'],
    ]);
  });
});

describe('a wanted revision', () => {
  // docs/protocol/replication.md#rules-for-a-sender, docs/protocol/replication.md#rev
  it('comes once, its sequence spelt as in the row', async () => {
    await using world = await World.open();
    const first = await world.put('doc', { text: 'x' });
    const second = await world.put('doc', { text: 'y' }, { expect: first.rev });
    const peer = await world.connect();
    await peer.ask('subChanges', { versioning: 'rev-trees' });
    answer(await peer.next('changes'), [[]]);
    const rev = await peer.next('rev');
    expect(rev.properties.toRecord()).toEqual({
      Profile: 'rev',
      id: 'doc',
      rev: second.rev,
      sequence: '2',
      history: first.rev,
    });
    expect(jsonOf(rev)).toEqual({ text: 'y' });
    await peer.settled();
    expect(peer.received.filter((line) => line.startsWith('rev'))).toHaveLength(1);
  });

  // docs/protocol/replication.md#rules-for-a-sender, docs/protocol/replication.md#rev
  it('has a history without gaps or spaces, within maxHistory or down to what the client has', async () => {
    await using world = await World.open();
    const revs = ['', (await world.put('doc', { n: 1 })).rev];
    for (let n = 2; n <= 9; n++) revs.push((await world.put('doc', { n }, { expect: revs.at(-1)! })).rev);
    const historyFor = async (listed: string[], properties: Record<string, string>): Promise<string | undefined> => {
      const peer = await world.connect();
      await peer.ask('subChanges');
      answer(await peer.next('changes'), [listed], properties);
      return (await peer.next('rev')).properties.get('history');
    };
    expect(await historyFor([], { maxHistory: '3' })).toBe([revs[8], revs[7], revs[6]].join(','));
    expect(await historyFor([revs[2]!], { maxHistory: '3' })).toBe(revs.slice(2, 9).reverse().join(','));
    expect(await historyFor(['2-ffff'], {})).toBe(revs.slice(1, 9).reverse().join(','));
  });

  // docs/protocol/replication.md#rules-for-a-sender
  it('never comes unasked', async () => {
    await using world = await World.open();
    await world.put('doc', {});
    const peer = await world.connect();
    await peer.ask('subChanges');
    const changes = await peer.next('changes');
    await peer.ask('PING');
    answer(changes, [0, [], []]);
    await peer.settled();
    expect(peer.received.filter((line) => line.startsWith('rev'))).toEqual([]);
  });

  it('that is a tombstone says so', async () => {
    await using world = await World.open();
    const { rev } = await world.put('doc', {});
    await world.put('doc', {}, { expect: rev, deleted: true });
    const peer = await world.connect();
    peer.on('changes', (request) => (request.noReply ? undefined : wantAll()(request)));
    await peer.ask('subChanges');
    const message = await peer.next('rev');
    expect(message.properties.get('deleted')).toBe('1');
    expect(jsonOf(message)).toEqual({});
  });

  it('is read from storage with others, but not more than so many bytes at once', async () => {
    const reads: (readonly string[])[] = [];
    await using world = await World.open({
      tuning: { bodyBatchBytes: 1_000, bodyBatch: 3 },
      wrap: (storage) =>
        withMethods(storage, {
          read: (keyspace: Keyspace, ids: readonly string[]) => {
            if (ids.length > 0) reads.push(ids);
            return storage.read(keyspace, ids);
          },
        }),
    });
    await world.put('before', {});
    const sizes = { a: 10, b: 10, c: 10, d: 10, large: 5_000, e: 400, f: 400, g: 400 };
    for (const [id, size] of Object.entries(sizes)) await world.put(id, { t: 'x'.repeat(size) });
    const peer = await world.connect();
    peer.on('changes', (request) => (request.noReply ? undefined : wantAll()(request)));
    reads.length = 0;
    await peer.ask('subChanges', { since: '1' });
    const got: (string | undefined)[] = [];
    while (got.length < 8) got.push((await peer.next('rev')).properties.get('id'));
    expect(got).toEqual(Object.keys(sizes));
    expect(reads).toEqual([['a', 'b', 'c'], ['d'], ['large'], ['e', 'f'], ['g']]);
  });

  // docs/protocol/replication.md#rules-for-a-sender
  it('that was superseded is sent as long as it is kept', async () => {
    await using world = await World.open();
    const long = { text: 'x'.repeat(300) };
    const first = await world.put('doc', long);
    const peer = await world.connect();
    await peer.ask('subChanges', { since: '9' });
    const changes = await peer.next('changes');
    const second = await world.put('doc', { n: 2 }, { expect: first.rev });
    answer(changes, [[]]);
    const rev = await peer.next('rev');
    expect([rev.properties.get('rev'), jsonOf(rev)]).toEqual([first.rev, long]);
    expect(rev.properties.get('history')).toBeUndefined();
    expect(second.rev).not.toBe(first.rev);
  });

  it.each([
    [{ sendReplacementRevs: '1' }, {}],
    [{}, { sendReplacementRevs: '1' }],
  ])('that is gone is replaced by the newest for a client that says so %j %j', async (subscription, reply) => {
    await using world = await World.open({ wrap: forgetful });
    const first = await world.put('doc', { n: 1 });
    const peer = await world.connect();
    await peer.ask('subChanges', { since: '9', ...subscription });
    const changes = await peer.next('changes');
    const second = await world.put('doc', { n: 2 }, { expect: first.rev });
    answer(changes, [[]], reply);
    const rev = await peer.next('rev');
    expect(rev.properties.toRecord()).toMatchObject({ rev: second.rev, replacedRev: first.rev, sequence: '1' });
    expect(jsonOf(rev)).toEqual({ n: 2 });
  });

  // docs/protocol/replication.md#rules-for-a-sender
  it('that is gone is answered by norev', async () => {
    await using world = await World.open({ wrap: forgetful });
    const first = await world.put('doc', { n: 1 });
    const peer = await world.connect();
    await peer.ask('subChanges', { since: '9' });
    const changes = await peer.next('changes');
    await world.put('doc', { n: 2 }, { expect: first.rev });
    answer(changes, [[]]);
    expect(show(await peer.next('norev'))).toBe(
      `norev! ${JSON.stringify({ id: 'doc', rev: first.rev, sequence: '1', error: '404', reason: 'missing' })} `,
    );
  });

  // docs/protocol/replication.md#norev
  it('that storage cannot deliver now ends the connection instead of a norev', async () => {
    const unreadable = { read: () => Promise.reject(new Error('disk on fire')) };
    await using world = await World.open({ wrap: (storage) => withMethods(storage, unreadable) });
    await world.put('doc', {});
    const peer = await world.connect();
    await peer.ask('subChanges', { since: '9' });
    const changes = await peer.next('changes');
    answer(changes, [[]]);
    expect(await peer.closed).toMatchObject({ code: 4001, by: 'peer' });
    expect(peer.received.filter((line) => line.startsWith('norev'))).toEqual([]);
  });

  // docs/protocol/revisions.md#time, docs/protocol/revisions.md#vectors-on-messages
  it('has the rest of the vector as history, merges with their semicolon', async () => {
    await using world = await World.open();
    const [a, b] = ['AAAAAAAAAAAAAAAAAAAAAQ', 'H0J8SAyCSjSjE+PxM4NQrQ'];
    const t = (n: number): string => (0x18ea8000_00000000n + BigInt(n << 16)).toString(16);
    const push = (rev: string, history: string) =>
      world.storage.write(DATABASE, [
        {
          type: 'revision',
          keyspace: DEFAULT,
          id: 'doc',
          rev,
          history,
          deleted: false,
          body: '{}',
          onConflict: 'refuse',
        },
      ]);
    await push(`${t(1)}@${a}`, '');
    await push(`${t(9)}@${b}`, `${t(8)}@${b}, ${t(1)}@${a};`);
    const peer = await world.connect({ version: 4 });
    peer.on('changes', (request) => (request.noReply ? undefined : wantAll()(request)));
    await peer.ask('subChanges');
    const rev = await peer.next('rev');
    expect(rev.properties.get('rev')).toBe(`${t(9)}@${b}`);
    expect(rev.properties.get('history')).toBe(`${t(8)}@${b}, ${t(1)}@${a};`);
  });

  // docs/protocol/revisions.md#legacy-documents-without-a-version
  it('goes to a version 4 client under a version, never under a bare rev-tree ID', async () => {
    await using world = await World.open();
    const pusher = await world.connect({ version: 3 });
    await pusher.ask('rev', { id: 'doc', rev: '2-bb', history: '1-aa' }, { n: 1 });
    const peer = await world.connect({ version: 4 });
    await peer.ask('subChanges');
    const changes = await peer.next('changes');
    const [[, , offered]] = jsonOf(changes) as [[number, string, string]];
    expect(offered).toMatch(/^[0-9a-f]{16}@[A-Za-z0-9+/]{22}$/);
    answer(changes, [[]]);
    const rev = await peer.next('rev');
    expect(rev.properties.toRecord()).toEqual({ Profile: 'rev', id: 'doc', rev: offered, sequence: '1' });
  });

  // docs/protocol/revisions.md#sending-to-version-vector-clients
  it('carries the legacy IDs that a client has, and carries them again later', async () => {
    await using world = await World.open();
    const pusher = await world.connect({ version: 3 });
    await pusher.ask('rev', { id: 'doc', rev: '2-bb', history: '1-aa' }, { n: 1 });
    await pusher.ask('rev', { id: 'doc', rev: '3-cc', history: '2-bb' }, { n: 2 });
    const peer = await world.connect({ version: 4 });
    await peer.ask('subChanges', { continuous: 'true' });
    const changes = await peer.next('changes');
    const [[, , version]] = jsonOf(changes) as [[number, string, string]];
    answer(changes, [['2-bb']]);
    expect((await peer.next('rev')).properties.get('history')).toBe('2-bb, 1-aa');
    await peer.next('changes');
    await world.put('doc', { n: 3 }, { expect: '3-cc' });
    const later = await peer.next('changes');
    answer(later, [[version]]);
    expect((await peer.next('rev')).properties.get('history')).toMatch(/(^|, )2-bb, 1-aa$/);
  });

  // docs/protocol/replication.md#rows-that-clients-refuse
  it('has IDs that every client takes, whatever was pushed', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    for (const id of ['_under', 'x'.repeat(241), '', 'a\u0001'])
      expect((await peer.ask('rev', { id, rev: '1-aa' }, {})).error?.code).toBeGreaterThan(0);
    for (const rev of ['1-AA', '1-abc', '0-aa', '1-', 'aa', '01-aa'])
      expect((await peer.ask('rev', { id: 'doc', rev }, {})).error).toMatchObject({ domain: 'HTTP', code: 400 });
    expect(await world.documents()).toEqual({});
  });
});

/** A storage that keeps no superseded bodies. */
function forgetful(storage: Storage): Storage {
  return withMethods(storage, { readRevision: () => Promise.resolve(undefined) });
}
