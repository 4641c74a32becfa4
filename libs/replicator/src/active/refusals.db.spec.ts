import { describe, expect, it } from 'vitest';
import { FakeGateway, type FakeGatewayOptions } from '../testing/fake-gateway.js';
import { DEFAULT, World } from '../testing/world.js';

/** Pushes `first`, `doc` and `last` to a gateway, and returns what came of it. */
async function push(options: FakeGatewayOptions, pull = true) {
  const client = await World.open();
  for (const id of ['first', 'doc', 'last']) await client.put(id, { id });
  const gateway = new FakeGateway(options);
  const failed: string[] = [];
  const replicate = async () => {
    const replication = gateway.replicate(client, {
      pull,
      onDocumentError: (direction, _keyspace, id, error) => {
        const { domain, code } = error as { domain: string; code: number };
        failed.push(`${direction} ${id} ${domain}/${code}`);
      },
    });
    const { error } = await replication.ended;
    return { error, deferred: replication.deferred };
  };
  return { client, gateway, failed, replicate, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
}

const proposals = (gateway: FakeGateway): string[] => gateway.received.filter((line) => line.startsWith('propose'));

// docs/protocol/replication.md#rev
describe('R32: a revision that the server refuses', () => {
  it.each([
    ['HTTP', 400],
    ['HTTP', 401],
    ['HTTP', 404],
    ['HTTP', 413],
    ['HTTP', 422],
    ['HTTP', 500],
    ['BLIP', 404],
    ['LiteCore', 4],
  ])('with %s/%i is reported once and never sent again; the others arrive', async (refusalDomain, code) => {
    await using world = await push({ refusals: { doc: code }, refusalDomain });
    expect(await world.replicate()).toEqual({ error: undefined, deferred: 0 });
    expect(await world.replicate()).toEqual({ error: undefined, deferred: 0 });
    expect([...world.gateway.pushed.keys()].sort()).toEqual(['first', 'last']);
    expect(world.gateway.attempts.filter((id) => id === 'doc')).toHaveLength(1);
    expect(world.failed).toEqual([`push doc ${refusalDomain}/${code}`]);
  });

  it.each([408, 429, 502, 503, 504])('with %i is put off to the next connection', async (code) => {
    const refusals: Record<string, number> = { doc: code };
    await using world = await push({ refusals });
    expect(await world.replicate()).toEqual({ error: undefined, deferred: 1 });
    expect(world.gateway.attempts.filter((id) => id === 'doc')).toHaveLength(1);
    delete refusals['doc'];
    expect(await world.replicate()).toEqual({ error: undefined, deferred: 0 });
    expect(world.gateway.pushed.get('doc')).toEqual({ id: 'doc' });
    expect(world.gateway.attempts.filter((id) => id === 'first')).toHaveLength(1);
    expect(world.failed).toEqual([]);
  });

  it('with 403 is sent once more when all else is pushed, and reported if it is refused again', async () => {
    await using world = await push({ refusals: { doc: 403 } });
    await world.replicate();
    expect(world.gateway.attempts).toEqual(['first', 'doc', 'last', 'doc']);
    expect(world.failed).toEqual(['push doc HTTP/403']);
    await world.replicate();
    expect(world.gateway.attempts).toHaveLength(4);
  });

  it('with 403, and is granted by what is pushed after it, arrives', async () => {
    let asked = 0;
    const refusals = {
      get doc(): number | undefined {
        return asked++ === 0 ? 403 : undefined;
      },
    } as Record<string, number>;
    await using world = await push({ refusals });
    expect(await world.replicate()).toEqual({ error: undefined, deferred: 0 });
    expect([...world.gateway.pushed.keys()]).toEqual(['first', 'last', 'doc']);
    expect(world.failed).toEqual([]);
  });

  it('with 403 while it is continuous makes room for its next revision', async () => {
    await using world = await push({ refusals: { doc: 403 } });
    const { client, gateway } = world;
    const failed: string[] = [];
    const replication = gateway.replicate(client, {
      continuous: true,
      onDocumentError: (_direction, _keyspace, id) => void failed.push(id),
    });
    await expect.poll(() => failed).toEqual(['doc']);
    const [doc] = await client.storage.read(DEFAULT, ['doc']);
    await client.put('doc', { n: 2 }, { expect: doc!.rev });
    await expect.poll(() => failed).toEqual(['doc', 'doc']);
    await expect.poll(() => replication.isIdle).toBe(true);
    await replication.stop();
  });
});

// docs/protocol/replication.md#proposechanges
describe('a proposal', () => {
  it.each([400, 403, 404, 500])('that is answered with %i is reported once and not sent', async (status) => {
    await using world = await push({ proposals: { doc: status } });
    expect(await world.replicate()).toEqual({ error: undefined, deferred: 0 });
    await world.replicate();
    expect(world.gateway.attempts).toEqual(['first', 'last']);
    expect(world.failed).toEqual([`push doc HTTP/${status}`]);
  });

  it.each([429, 503])('that is answered with %i is put off to the next connection', async (status) => {
    const answers: Record<string, unknown> = { doc: status };
    await using world = await push({ proposals: answers });
    expect(await world.replicate()).toEqual({ error: undefined, deferred: 1 });
    delete answers['doc'];
    expect(await world.replicate()).toEqual({ error: undefined, deferred: 0 });
    expect(world.gateway.attempts).toEqual(['first', 'last', 'doc']);
    expect(world.failed).toEqual([]);
  });

  it('that is answered with 304 counts as pushed', async () => {
    await using world = await push({ proposals: { doc: 304 } });
    await world.replicate();
    await world.replicate();
    expect(world.gateway.attempts).toEqual(['first', 'last']);
    expect(proposals(world.gateway)).toHaveLength(1);
  });

  it.each([409, { status: 409, rev: `7-${'a'.repeat(32)}` }])(
    'that is answered with %j is left to the pull; a push alone reports it',
    async (answer) => {
      for (const pull of [true, false]) {
        await using world = await push({ proposals: { doc: answer } }, pull);
        expect(await world.replicate()).toEqual({ error: undefined, deferred: 0 });
        expect(world.failed).toEqual(pull ? [] : ['push doc HTTP/409']);
        expect(world.gateway.attempts).toEqual(['first', 'last']);
      }
    },
  );

  it('that the server contradicts again and again, naming our own ancestor, is given up and reported', async () => {
    await using client = await World.open();
    const first = await client.put('doc', { n: 1 });
    await client.put('doc', { n: 2 }, { expect: first.rev });
    const gateway = new FakeGateway({ proposals: { doc: { status: 409, rev: first.rev } } });
    const failed: string[] = [];
    const onDocumentError = (_direction: string, _keyspace: unknown, id: string): void => void failed.push(id);
    expect((await gateway.replicate(client, { onDocumentError }).ended).error).toBeUndefined();
    expect(proposals(gateway)).toHaveLength(3);
    expect(failed).toEqual(['doc']);
  });
});

// docs/protocol/failures.md#errors-an-active-peer-meets
describe('a message that the server refuses as a whole', () => {
  it.each(['getCollections', 'subChanges', 'proposeChanges'])('ends the connection: %s', async (profile) => {
    for (const [domain, code] of [
      ['HTTP', 400],
      ['HTTP', 403],
      ['HTTP', 503],
      ['LiteCore', 501],
    ] as const) {
      await using world = await push({ errors: { [profile]: { domain, code } } });
      const { error } = await world.replicate();
      expect(error).toMatchObject({ name: 'ReplicationError', profile, info: { domain, code } });
      expect(world.gateway.pushed.size).toBeLessThanOrEqual(profile === 'subChanges' ? 3 : 0);
    }
  });

  it('getCheckpoint: 404 means none, anything else is no reason to begin again', async () => {
    const errors: Record<string, { domain: string; code: number }> = {};
    await using world = await push({ knowsCollections: false, errors });
    await world.replicate();
    const before = proposals(world.gateway).length;
    errors['getCheckpoint'] = { domain: 'HTTP', code: 503 };
    expect((await world.replicate()).error).toMatchObject({ profile: 'getCheckpoint', info: { code: 503 } });
    expect(proposals(world.gateway)).toHaveLength(before);
    delete errors['getCheckpoint'];
    await world.replicate();
    expect(proposals(world.gateway)).toHaveLength(before);
  });

  it('setCheckpoint: all goes on without it', async () => {
    await using world = await push({ errors: { setCheckpoint: { domain: 'HTTP', code: 500 } } });
    expect(await world.replicate()).toEqual({ error: undefined, deferred: 0 });
    expect(world.gateway.pushed.size).toBe(3);
  });

  // docs/protocol/replication.md#setcheckpoint
  it.each(['was changed by somebody else', 'was lost'])('a checkpoint that %s is written again', async (what) => {
    await using world = await push({});
    const { gateway, client } = world;
    const replication = gateway.replicate(client, { continuous: true });
    await replication.whenIdle();
    await replication.stop();
    const [key, found] = [...gateway.checkpoints][0]!;
    const second = gateway.replicate(client, { continuous: true });
    await second.whenIdle();
    if (what === 'was lost') gateway.checkpoints.clear();
    else gateway.checkpoints.set(key, { ...found, rev: 17 });
    await client.put('more', {});
    await expect.poll(() => gateway.pushed.has('more')).toBe(true);
    await second.stop();
    expect(gateway.checkpoints.get(key)!.body).toContain('"local":4');
    expect(client.faults).toEqual([]);
  });
});

// docs/protocol/blobs-and-deltas.md#deltas
describe('deltas', () => {
  const long = 'x'.repeat(500);

  async function edited(options: FakeGatewayOptions) {
    const client = await World.open();
    const first = await client.put('doc', { long, n: 1 });
    const gateway = new FakeGateway(options);
    await gateway.replicate(client).ended;
    await client.put('doc', { long, n: 2 }, { expect: first.rev });
    const failed: unknown[] = [];
    const replication = gateway.replicate(client, { onDocumentError: (...all) => void failed.push(all) });
    expect((await replication.ended).error).toBeUndefined();
    return { gateway, failed, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() };
  }

  it('are not sent to a server that did not offer to take them', async () => {
    await using world = await edited({});
    expect(world.gateway.attempts).toEqual(['doc', 'doc']);
    expect(world.gateway.complaints).toEqual([]);
  });

  it('that the server cannot apply are followed by the whole body, once', async () => {
    await using world = await edited({ refusesDeltas: 422 });
    expect(world.gateway.attempts).toEqual(['doc', 'doc*', 'doc']);
    expect(world.gateway.pushed.get('doc')).toEqual({ long, n: 2 });
    expect(world.failed).toEqual([]);
  });
});
