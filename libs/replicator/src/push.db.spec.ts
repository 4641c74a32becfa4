import { describe, expect, it } from 'vitest';
import { jsonOf } from './testing/scripted-peer.js';
import { DEFAULT, World } from './testing/world.js';

describe('a push', () => {
  it('J.1-23 accepts what is new and tells what it understands', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    const reply = await peer.ask('proposeChanges', { conflictIncludesRev: 'true' }, [['doc', '1-aa', '', 8]]);
    expect(jsonOf(reply)).toEqual([0]);
    expect(reply.properties.toRecord()).toEqual({ maxHistory: '50', blobs: 'true', deltas: 'true' });
  });

  it('J.1-24 stores a revision before it is answered, and knows it the second time', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    const properties = { id: 'doc', rev: '2-bb', sequence: '1', history: '1-aa', noconflicts: '1' };
    const reply = await peer.ask('rev', properties, { a: 1 });
    expect(reply.error).toBeUndefined();
    expect(await world.storage.read(DEFAULT, ['doc'])).toMatchObject([{ rev: '2-bb', body: '{"a":1}', tree: '2-bb,1-aa' }]);
    const again = await peer.ask('rev', properties, { a: 1 });
    expect(again.properties.toRecord()).toEqual({ noop: 'true' });
  });
});
