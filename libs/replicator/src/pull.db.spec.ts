import { describe, expect, it } from 'vitest';
import { jsonOf, textOf } from './testing/scripted-peer.js';
import { World } from './testing/world.js';

describe('a pull', () => {
  it('J.1-17 answers subChanges first, then lists what changed after since', async () => {
    await using world = await World.open();
    const one = await world.put('one', { n: 1 });
    const two = await world.put('two', { n: 2 });
    const peer = await world.connect();
    const reply = await peer.ask('subChanges', { since: String(one.sequence), batch: '200' });
    expect(reply.error).toBeUndefined();
    expect(textOf(reply.body)).toBe('');
    const changes = await peer.next('changes');
    expect(changes.properties.toRecord()).toEqual({ Profile: 'changes' });
    expect(jsonOf(changes)).toEqual([[two.sequence, 'two', two.rev, 0, 7]]);
  });

  it('J.1-18 sends exactly one caught-up marker, without reply, and nothing after it in a one-shot pull', async () => {
    await using world = await World.open();
    await world.put('one', { n: 1 });
    const peer = await world.connect();
    peer.on('changes', (request) => request.respond({ body: new TextEncoder().encode('[]') }));
    await peer.ask('subChanges');
    await peer.settled();
    await world.put('two', { n: 2 });
    await peer.settled();
    expect(peer.heard).toEqual([expect.stringMatching(/^changes \{\} \[\[1,/), 'changes! {} []']);
  });

  it('J.1-21 sends one rev per wanted row, its sequence as in the row', async () => {
    await using world = await World.open();
    const first = await world.put('doc', { text: 'x' });
    const second = await world.put('doc', { text: 'y' }, { expect: first.rev });
    const peer = await world.connect();
    await peer.ask('subChanges', { versioning: 'rev-trees' });
    const changes = await peer.next('changes');
    changes.respond({ body: new TextEncoder().encode('[[]]') });
    const rev = await peer.next('rev');
    expect(rev.properties.toRecord()).toEqual({
      Profile: 'rev',
      id: 'doc',
      rev: second.rev,
      sequence: '2',
      history: first.rev,
    });
    expect(jsonOf(rev)).toEqual({ text: 'y' });
  });

  it('sends versions to a client that speaks version 4', async () => {
    await using world = await World.open();
    const { vector } = await world.put('doc', { text: 'x' });
    const peer = await world.connect({ version: 4 });
    await peer.ask('getCollections', {}, { collections: ['_default'], checkpoint_ids: ['cp'] });
    await peer.ask('subChanges', { collection: '0' });
    const changes = await peer.next('changes');
    expect(changes.properties.get('collection')).toBe('0');
    expect(jsonOf(changes)).toEqual([[1, 'doc', vector, 0, 12]]);
    changes.respond({ body: new TextEncoder().encode('[[]]') });
    const rev = await peer.next('rev');
    expect(rev.properties.toRecord()).toEqual({ Profile: 'rev', collection: '0', id: 'doc', rev: vector, sequence: '1' });
  });

  it('goes on with every later change if it is continuous, each once', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    await peer.ask('subChanges', { continuous: 'true' });
    expect(jsonOf(await peer.next('changes'))).toEqual([]);
    for (const id of ['a', 'b', 'c']) {
      await world.put(id, {});
      const changes = await peer.next('changes');
      expect(jsonOf(changes)).toMatchObject([[expect.anything(), id, expect.anything(), 0, 2]]);
      changes.respond({ body: new TextEncoder().encode('[[]]') });
      expect((await peer.next('rev')).properties.get('id')).toBe(id);
    }
  });
});
