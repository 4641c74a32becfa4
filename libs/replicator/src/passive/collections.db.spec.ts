import { describe, expect, it } from 'vitest';
import { jsonOf, wantAll } from '../testing/scripted-peer.js';
import { World } from '../testing/world.js';

const BAD_REQUEST = { domain: 'HTTP', code: 400 };

describe('getCollections', () => {
  // docs/protocol/replication.md#getcollections
  it('works for the default collection alone', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    expect(await peer.openCollections('_default')).toEqual([{}]);
  });

  // docs/protocol/replication.md#getcollections
  it('answers null for unknown collections, {} without checkpoint, else the checkpoint', async () => {
    await using world = await World.open({ collections: ['_default.plain', 'inventory.hotel'] });
    const first = await world.connect();
    await first.openCollections('inventory.hotel');
    await first.ask('setCheckpoint', { collection: '0', client: 'cp-inventory.hotel', rev: '' }, '{"local":5}');
    const peer = await world.connect();
    const entries = await peer.openCollections('nothere', 'plain', 'inventory.hotel', 'not a name', '_default');
    expect(entries).toEqual([null, {}, { rev: '0-1', _rev: '0-1', local: 5 }, null, {}]);
  });

  // docs/protocol/replication.md#getcollections
  it('names the revision of a checkpoint both ways, and leaves the rest of its bytes alone', async () => {
    await using world = await World.open();
    const body = '{ "time":1795391538.50, "big":12345678901234567890,"remote" : "7:9" }';
    const first = await world.connect();
    await first.openCollections('_default');
    await first.ask('setCheckpoint', { collection: '0', client: 'cp-_default' }, body);
    const peer = await world.connect();
    const reply = await peer.ask('getCollections', {}, { collections: ['_default'], checkpoint_ids: ['cp-_default'] });
    expect(new TextDecoder().decode(reply.body)).toBe(`[{"rev":"0-1","_rev":"0-1",${body.slice(1)}]`);
  });

  it.each([
    [{ collections: [], checkpoint_ids: [] }],
    [{ collections: ['a'], checkpoint_ids: [] }],
    [{ collections: ['_default', '_default._default'], checkpoint_ids: ['1', '2'] }],
    [{ collections: 'a', checkpoint_ids: ['1'] }],
    [{ collections: Array.from({ length: 10_000 }, (_, n) => `c${n}`), checkpoint_ids: Array(10_000).fill('x') }],
    ['not JSON'],
  ])('refuses %j', async (body) => {
    await using world = await World.open();
    const peer = await world.connect();
    expect((await peer.ask('getCollections', {}, body)).error).toMatchObject(BAD_REQUEST);
    expect(await peer.openCollections('_default')).toEqual([{}]);
  });

  it('comes first and once', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    await peer.openCollections('_default');
    const again = await peer.ask('getCollections', {}, { collections: ['_default'], checkpoint_ids: ['x'] });
    expect(again.error).toMatchObject(BAD_REQUEST);
    const late = await world.connect();
    await late.ask('getCheckpoint', { client: 'x' });
    const refused = await late.ask('getCollections', {}, { collections: ['_default'], checkpoint_ids: ['x'] });
    expect(refused.error).toMatchObject(BAD_REQUEST);
  });

  it('is refused to a user who may read none of the collections', async () => {
    await using world = await World.open();
    const rightsOn = () => ({ read: false, write: true });
    const peer = await world.connect({ policy: { mode: 'bidirectional', rightsOn } });
    const reply = await peer.ask('getCollections', {}, { collections: ['_default'], checkpoint_ids: ['x'] });
    expect(reply.error).toMatchObject({ domain: 'HTTP', code: 403 });
  });
});

describe('the collection property', () => {
  // docs/protocol/replication.md#the-older-form
  it('is absent in a session without getCollections, on every message', async () => {
    await using world = await World.open();
    await world.put('doc', {});
    const peer = await world.connect();
    peer.on('changes', wantAll());
    const [proposal, subscription, checkpoint] = await Promise.all([
      peer.ask('proposeChanges', {}, [['new', '1-aa', '']]),
      peer.ask('subChanges'),
      peer.ask('getCheckpoint', { client: 'cp' }),
    ]);
    expect([proposal.error, subscription.error, checkpoint.error?.code]).toEqual([undefined, undefined, 404]);
    await peer.next('rev');
    await peer.settled();
    expect(peer.received.join()).not.toContain('collection');
  });

  // docs/protocol/replication.md#the-collection-property
  it('stands on every request of the server in a session with getCollections', async () => {
    await using world = await World.open({ collections: ['s.c'] });
    await world.put('doc', {}, { keyspace: { database: 'db', scope: 's', collection: 'c' } });
    const peer = await world.connect();
    await peer.openCollections('_default', 's.c');
    peer.on('changes', (request) => (request.noReply ? undefined : wantAll()(request)));
    await peer.ask('subChanges', { collection: '1' });
    await peer.next('rev');
    const digest = 'sha1-+/5OEWyiOCR+4+FV9BerKsYPaxA=';
    const rev = peer.ask(
      'rev',
      { collection: '0', id: 'pic', rev: '1-aa' },
      { pic: { '@type': 'blob', digest, length: 11 } },
    );
    const attachment = await peer.next('getAttachment');
    expect(attachment.properties.get('collection')).toBe('0');
    attachment.respond({ body: new TextEncoder().encode('Hello blob!') });
    expect((await rev).error).toBeUndefined();
    const requests = peer.received.filter((line) => !line.startsWith('getAttachment'));
    expect(requests).toHaveLength(3);
    for (const line of requests) expect(line).toContain('"collection":"1"');
  });

  it.each([
    [true, undefined],
    [true, '1'],
    [true, '7'],
    [true, '-1'],
    [true, 'x'],
    [false, '0'],
  ])('after getCollections: %s, index %s is refused with HTTP/400', async (indexed, collection) => {
    await using world = await World.open();
    const peer = await world.connect();
    if (indexed) await peer.openCollections('_default', 'nothere');
    else await peer.ask('getCheckpoint', { client: 'x' });
    const reply = await peer.ask('subChanges', collection === undefined ? {} : { collection });
    expect(reply.error).toMatchObject(BAD_REQUEST);
  });

  it('must be absent where nothing was asked for before', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    expect((await peer.ask('subChanges', { collection: '0' })).error).toMatchObject(BAD_REQUEST);
    expect(jsonOf(await peer.ask('proposeChanges', {}, []))).toEqual([]);
  });
});
