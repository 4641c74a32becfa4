import { describe, expect, it } from 'vitest';
import { answer, jsonOf, textOf, wantAll } from '../testing/scripted-peer.js';
import { DATABASE, givingUtf8, World } from '../testing/world.js';

const HELLO = new TextEncoder().encode('Hello blob!');
const DIGEST = 'sha1-+/5OEWyiOCR+4+FV9BerKsYPaxA=';
const pic = { '@type': 'blob', content_type: 'text/plain', digest: DIGEST, length: 11 };
const story = 'Sätze einer langen Geschichte. '.repeat(20);

describe('bodies that storage gives in UTF-8', () => {
  it('are sent as they are, and read again where they have to be', async () => {
    await using world = await World.open({ wrap: givingUtf8 });
    await world.put('a', { t: 'äß€😀' });
    const { rev } = await world.put('b', { t: 1 });
    await world.put('b', {}, { expect: rev, deleted: true });
    const peer = await world.connect();
    peer.on('changes', (request) => (request.noReply ? undefined : wantAll()(request)));
    await peer.ask('subChanges');
    const revs = [await peer.next('rev'), await peer.next('rev')];
    expect(revs.map(({ properties, body }) => [properties.get('id'), properties.get('deleted'), textOf(body)])).toEqual(
      [
        ['a', undefined, '{"t":"äß€😀"}'],
        ['b', '1', '{}'],
      ],
    );
    expect(revs.every(({ noReply }) => noReply)).toBe(true);
  });

  it('offer the blobs they refer to, and stubs of them to a client that needs those', async () => {
    await using world = await World.open({ wrap: givingUtf8 });
    await world.storage.putBlob(DATABASE, HELLO);
    await world.put('doc', { pic });
    for (const blobs of [undefined, 'true']) {
      const peer = await world.connect({ version: 2 });
      await peer.ask('subChanges');
      answer(await peer.next('changes'), [[]], blobs ? { blobs } : {});
      const rev = await peer.next('rev');
      expect(Object.keys(jsonOf(rev) as object)).toEqual(blobs ? ['pic'] : ['pic', '_attachments']);
      expect(rev.noReply).toBe(false);
      expect(textOf((await peer.ask('getAttachment', { digest: DIGEST })).body)).toBe('Hello blob!');
    }
  });

  it('are the target of deltas', async () => {
    await using world = await World.open({ wrap: givingUtf8 });
    const first = await world.put('doc', { n: 1, story });
    await world.put('doc', { n: 'zwölf', story }, { expect: first.rev });
    const peer = await world.connect();
    await peer.ask('subChanges');
    answer(await peer.next('changes'), [[first.rev]], { deltas: 'true' });
    const rev = await peer.next('rev');
    expect([rev.properties.get('deltaSrc'), jsonOf(rev)]).toEqual([first.rev, { n: 'zwölf' }]);
  });

  it('are pushed to another server', async () => {
    await using client = await World.open({ wrap: givingUtf8 });
    await using server = await World.open();
    await client.storage.putBlob(DATABASE, HELLO);
    await client.put('a', { t: 'äß€😀', pic });
    await client.put('b', { story });
    const replication = await server.replicate(client, { pull: false });
    await replication.ended;
    expect(await server.documents()).toEqual(await client.documents());
    expect(await server.storage.missingBlobs(DATABASE, [DIGEST])).toEqual([]);
  });
});
