import { describe, expect, it } from 'vitest';
import { answer, jsonOf } from '../testing/scripted-peer.js';
import { World } from '../testing/world.js';

const story = 'sentence of a long story. '.repeat(20);
const document = (n: number): object => ({ n, story, list: [1, 2, 3] });

async function worldWithEdit(): Promise<{ world: World; first: string; second: string }> {
  const world = await World.open();
  const first = await world.put('doc', document(1));
  const second = await world.put('doc', document(2), { expect: first.rev });
  return { world, first: first.rev, second: second.rev };
}

describe('deltas to the client', () => {
  // docs/protocol/replication.md#rules-for-a-sender, docs/protocol/blobs-and-deltas.md#unlisted-bases
  it('are made against a revision the client listed, and only if it takes them', async () => {
    const { world, first } = await worldWithEdit();
    await using _ = world;
    for (const [listed, deltas, isDelta] of [
      [[first], 'true', true],
      [[first], undefined, false],
      [[], 'true', false],
      [['1-ffff'], 'true', false],
    ] as const) {
      const peer = await world.connect();
      await peer.ask('subChanges');
      answer(await peer.next('changes'), [listed], deltas ? { deltas } : {});
      const rev = await peer.next('rev');
      expect(rev.properties.get('deltaSrc')).toBe(isDelta ? first : undefined);
      expect(jsonOf(rev)).toEqual(isDelta ? { n: 2 } : document(2));
      expect(rev.noReply).toBe(!isDelta);
    }
  });

  // docs/protocol/replication.md#reply-to-changes
  it('need to be agreed to once per connection', async () => {
    const { world, first, second } = await worldWithEdit();
    await using _ = world;
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true' });
    answer(await peer.next('changes'), [[first]], { deltas: 'true' });
    (await peer.next('rev')).respond();
    await peer.next('changes');
    await world.put('doc', document(3), { expect: second });
    answer(await peer.next('changes'), [[second]]);
    expect((await peer.next('rev')).properties.get('deltaSrc')).toBe(second);
  });

  it.each([3, 4] as const)(
    'are not made against what an earlier revision will have replaced: protocol %i',
    async (version) => {
      await using world = await World.open();
      const ids = ({ rev, vector }: { rev: string; vector: string }): string => (version === 3 ? rev : vector);
      const first = await world.put('doc', document(1));
      const peer = await world.connect({ version });
      await peer.ask('subChanges', { continuous: 'true' });
      answer(await peer.next('changes'), [[]], { deltas: 'true' });
      await peer.next('rev');
      await peer.next('changes');
      // Both lists are answered before the peer has the revision that the first one offers.
      const second = await world.put('doc', document(2), { expect: first.rev });
      const offered = await peer.next('changes');
      const third = await world.put('doc', document(3), { expect: second.rev });
      const offeredNext = await peer.next('changes');
      answer(offered, [[ids(first)]]);
      answer(offeredNext, [[ids(first)]]);
      const sent = [await peer.next('rev'), await peer.next('rev')];
      expect(sent.map(({ properties }) => properties.get('deltaSrc'))).toEqual([ids(first), undefined]);
      expect(sent.map((rev) => jsonOf(rev))).toEqual([{ n: 2 }, document(3)]);
      sent[0]!.respond();
      // What the peer has of later is a base again.
      await world.put('doc', document(4), { expect: third.rev });
      answer(await peer.next('changes'), [[ids(third)]]);
      expect((await peer.next('rev')).properties.get('deltaSrc')).toBe(ids(third));
    },
  );

  it('that do not apply are followed by the whole body, once', async () => {
    const { world, first } = await worldWithEdit();
    await using _ = world;
    const peer = await world.connect();
    await peer.ask('subChanges');
    answer(await peer.next('changes'), [[first]], { deltas: 'true' });
    const delta = await peer.next('rev');
    expect(delta.properties.get('deltaSrc')).toBe(first);
    delta.respondError({ domain: 'HTTP', code: 422, message: 'no' });
    const whole = await peer.next('rev');
    expect(whole.properties.toRecord()).toMatchObject({ sequence: '2', rev: delta.properties.get('rev') });
    expect(whole.properties.has('deltaSrc')).toBe(false);
    expect(jsonOf(whole)).toEqual(document(2));
    whole.respond();
    await peer.settled();
    expect(peer.received.filter((line) => line.startsWith('rev'))).toHaveLength(2);
  });

  it('are made from versions for versioned clients', async () => {
    await using world = await World.open();
    const first = await world.put('doc', document(1));
    await world.put('doc', document(2), { expect: first.rev });
    const peer = await world.connect({ version: 4 });
    await peer.ask('subChanges');
    answer(await peer.next('changes'), [[first.vector]], { deltas: 'true' });
    const rev = await peer.next('rev');
    expect(rev.properties.get('deltaSrc')).toBe(first.vector);
    expect(jsonOf(rev)).toEqual({ n: 2 });
  });

  it('are not made of small documents, tombstones, or where they save nothing', async () => {
    await using world = await World.open();
    const small = await world.put('small', { n: 1 });
    await world.put('small', { n: 2 }, { expect: small.rev });
    const other = await world.put('other', { text: 'x'.repeat(300) });
    await world.put('other', { all: [...'abcdefgh'].map((c) => c.repeat(40)) }, { expect: other.rev });
    const gone = await world.put('gone', document(1));
    await world.put('gone', {}, { expect: gone.rev, deleted: true });
    const peer = await world.connect();
    await peer.ask('subChanges');
    answer(await peer.next('changes'), [[small.rev], [other.rev], [gone.rev]], { deltas: 'true' });
    for (let n = 0; n < 3; n++) expect((await peer.next('rev')).properties.has('deltaSrc')).toBe(false);
  });
});

describe('deltas from the client', () => {
  it('are applied to their base', async () => {
    const { world, second } = await worldWithEdit();
    await using _ = world;
    const peer = await world.connect();
    const properties = { id: 'doc', rev: '3-cc', history: second, deltaSrc: second, noconflicts: '1' };
    const reply = await peer.ask('rev', properties, { n: 3, list: { '1': 9, '2-': [] }, more: [{ a: 1 }] });
    expect(reply.error).toBeUndefined();
    expect(await world.documents()).toEqual({
      doc: JSON.stringify({ n: 3, story, list: [1, 9], more: { a: 1 } }),
    });
  });

  it.each([
    ['an unknown base', '1-ffff', { n: 3 }],
    ['a delta that does not fit', undefined, { nothere: [] }],
    ['a delta that is no JSON', undefined, '{"n"'],
  ])('with %s are answered with HTTP/422, so that the whole body follows', async (_, base, delta) => {
    const { world, second } = await worldWithEdit();
    await using __ = world;
    const peer = await world.connect();
    const properties = { id: 'doc', rev: '3-cc', history: second, deltaSrc: base ?? second };
    expect((await peer.ask('rev', properties, delta)).error).toMatchObject({ domain: 'HTTP', code: 422 });
  });
});
