import { describe, expect, it } from 'vitest';
import type { Principal } from '@edgesync/access';
import { jsonOf, textOf } from '../testing/scripted-peer.js';
import { World } from '../testing/world.js';

const user = (name: string): Principal => ({ name, anonymous: false, roles: new Set() });

describe('checkpoints', () => {
  // docs/protocol/checkpoints.md#server-duties, docs/protocol/checkpoints.md#bodies
  it('come back to the byte', async () => {
    await using world = await World.open();
    const body = '{"time":1795391538.50,"localCompleted":[0,1,2,1] ,"remote":"7:9", "z":1e400}';
    const peer = await world.connect();
    const client = 'cp-X2ldMULTgBZ+9092hCeRlFzy9Tg=';
    expect((await peer.ask('getCheckpoint', { client })).error).toMatchObject({ domain: 'HTTP', code: 404 });
    const saved = await peer.ask('setCheckpoint', { client, rev: '' }, body);
    expect(saved.properties.toRecord()).toEqual({ rev: '0-1' });
    const later = await world.connect();
    const loaded = await later.ask('getCheckpoint', { client });
    expect(loaded.properties.toRecord()).toEqual({ rev: '0-1' });
    expect(textOf(loaded.body)).toBe(body);
  });

  // docs/protocol/checkpoints.md#server-duties, docs/protocol/replication.md#setcheckpoint
  it('are replaced by revision, an empty one meaning none', async () => {
    await using world = await World.open();
    const peer = await world.connect();
    const conflict = { domain: 'HTTP', code: 409 };
    expect((await peer.ask('setCheckpoint', { client: 'cp', rev: '0-1' }, '{}')).error).toMatchObject(conflict);
    expect((await peer.ask('setCheckpoint', { client: 'cp' }, '{"n":1}')).properties.get('rev')).toBe('0-1');
    expect((await peer.ask('setCheckpoint', { client: 'cp', rev: '' }, '{"n":2}')).error).toMatchObject(conflict);
    expect((await peer.ask('setCheckpoint', { client: 'cp', rev: '0-1' }, '{"n":3}')).properties.get('rev')).toBe(
      '0-2',
    );
    expect(jsonOf(await peer.ask('getCheckpoint', { client: 'cp' }))).toEqual({ n: 3 });
  });

  // docs/protocol/checkpoints.md#server-duties
  it('belong to one collection', async () => {
    await using world = await World.open({ collections: ['s.c'] });
    const peer = await world.connect();
    await peer.openCollections('_default', 's.c');
    await peer.ask('setCheckpoint', { collection: '0', client: 'same' }, '{"n":1}');
    await peer.ask('setCheckpoint', { collection: '1', client: 'same' }, '{"n":2}');
    expect(jsonOf(await peer.ask('getCheckpoint', { collection: '0', client: 'same' }))).toEqual({ n: 1 });
    expect(jsonOf(await peer.ask('getCheckpoint', { collection: '1', client: 'same' }))).toEqual({ n: 2 });
  });

  it('belong to one user', async () => {
    await using world = await World.open();
    const alice = await world.connect({ principal: user('alice') });
    await alice.ask('setCheckpoint', { client: 'cp' }, '{"of":"alice"}');
    for (const principal of [user('bob'), user(''), user('alic'), undefined]) {
      const other = await world.connect(principal ? { principal } : {});
      expect((await other.ask('getCheckpoint', { client: 'cp' })).error?.code).toBe(404);
      expect((await other.ask('getCheckpoint', { client: 'e/cp' })).error?.code).toBe(404);
    }
    const again = await world.connect({ principal: user('alice') });
    expect(jsonOf(await again.ask('getCheckpoint', { client: 'cp' }))).toEqual({ of: 'alice' });
  });

  it('can be kept by clients that may only pull, or only push', async () => {
    await using world = await World.open();
    for (const mode of ['pull', 'push'] as const) {
      const peer = await world.connect({ mode });
      expect((await peer.ask('setCheckpoint', { client: mode }, '{}')).error).toBeUndefined();
      expect((await peer.ask('getCheckpoint', { client: mode })).error).toBeUndefined();
    }
  });

  it.each([
    [{}, '{}'],
    [{ client: '' }, '{}'],
    [{ client: 'x'.repeat(600) }, '{}'],
    [{ client: 'cp' }, '[]'],
    [{ client: 'cp' }, ''],
    [{ client: 'cp' }, new Uint8Array([0x7b, 0xff, 0x7d])],
  ])('are refused as %j with %j', async (properties, body) => {
    await using world = await World.open();
    const peer = await world.connect();
    const reply = await peer.ask('setCheckpoint', properties, body);
    expect(reply.error).toMatchObject({ domain: 'HTTP', code: 400 });
  });
});
